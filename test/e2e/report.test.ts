import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordOnce } from '../../recorder/once.ts';
import { loadConfig } from '../../src/config.ts';
import { Resources } from '../../src/lifecycle.ts';
import { createLog } from '../../src/log.ts';
import { SEGMENT_MS } from '../../src/model/grid.ts';
import type { QualityReport } from '../../src/model/report.ts';
import type { Span } from '../../src/model/spans.ts';
import { recordingSettingsSchema } from '../../src/protocol/recording-request.ts';
import { barcodePage } from '../support/barcode-page.ts';
import { servePages } from '../support/page-server.ts';
import { runProgram } from '../support/programs.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import {
  serveTroubledPage,
  TROUBLED_MS,
  type Trouble,
  type TroubleTimes,
} from '../support/troubled-page.ts';

/** Pictures are looked at four times a second and take up to 100 ms to be captured; beats come as often; the rest is load. */
const SPAN_TOLERANCE_MS = 500;
/** ffmpeg finds spans in what was encoded, we in what went into the encoder: a look of 250 ms apart, and some load. */
const FFMPEG_TOLERANCE_MS = 400;
/** Sound laid on purpose after the picture; pictures themselves lie up to half a slot (17 ms) from their time, the rest is load. */
const SKEW_MS = 100;
/** In five seconds sound has not yet come to where the pictures lie: a slot, and what the estimate itself may be off. */
const SKEW_TOLERANCE_MS = 33 + 15;
/** Where the first segment's PTS lies: the container's origin. */
const PTS_ORIGIN_MS = 10_000;

const resources = new Resources();
let root: string;

beforeAll(async () => {
  root = resources.use(await makeTempFolder('report')).path;
});
afterAll(() => resources.close());

type Recorded = { readonly playlist: string; readonly report: QualityReport };

async function record(
  name: string,
  options: {
    readonly url: string;
    readonly readiness: 'load' | 'signal';
    readonly durationMs: number;
    readonly soundSkewMs?: number;
  },
): Promise<Recorded> {
  const out = path.join(root, name);
  const settings = recordingSettingsSchema.parse({
    width: 640,
    height: 360,
    fps: 30,
    readiness: options.readiness,
    maxDurationMs: options.durationMs,
  });
  const { playlist } = await recordOnce({
    source: { kind: 'page', url: options.url },
    settings,
    out,
    config: loadConfig(),
    log: createLog('test', 'silent'),
    stopSignal: new AbortController().signal,
    soundSkewMs: options.soundSkewMs,
  });
  const report = JSON.parse(await readFile(path.join(out, 'report.json'), 'utf8')) as QualityReport;
  return { playlist, report };
}

describe('the report of a page that has troubles', () => {
  let recorded: Recorded;
  let times: TroubleTimes;

  beforeAll(async () => {
    const page = resources.use(await serveTroubledPage());
    recorded = await record('troubled', {
      url: page.url,
      readiness: 'signal',
      durationMs: TROUBLED_MS,
    });
    times = await page.times;
  });

  /** The span of a trouble is where the page had it, within a tolerance at both ends. */
  function expectAt(span: Span | undefined, trouble: Trouble): void {
    const { originMs } = recorded.report;
    const { startMs, endMs } = times[trouble];
    const start = Number(span?.offsetMs) + originMs - startMs;
    const end = Number(span?.offsetMs) + Number(span?.durationMs) + originMs - endMs;
    expect({ start, end, isRight: near(start, SPAN_TOLERANCE_MS) && near(end, SPAN_TOLERANCE_MS) })
      // The numbers are there for whoever reads the failure.
      .toMatchObject({ isRight: true });
  }

  it.each(['black', 'silent', 'still'] as const)(
    'finds it %s when it was, and only then',
    (kind) => {
      const { count, totalMs, isOpen, spans } = recorded.report[kind];
      expect({ count, isOpen, spans }).toMatchObject({ count: 1, isOpen: false, spans: [{}] });
      expect(spans[0]?.durationMs).toBe(totalMs);
      expectAt(spans[0], kind);
    },
  );

  it('finds it frozen when its main thread was busy, and when its video stood', () => {
    const { spans } = recorded.report.frozen;
    expect(spans).toMatchObject([{ cause: 'page' }, { cause: 'source' }]);
    expectAt(spans[0], 'blocked');
    expectAt(spans[1], 'standing');
  });

  it('agrees with ffmpeg about black and silence', async () => {
    const { stderr } = await runProgram('ffmpeg', [
      ...['-hide_banner', '-nostdin', '-nostats', '-copyts', '-i', recorded.playlist],
      // The lead-in is black and silent as well, but shorter than this.
      ...['-vf', 'blackdetect=d=2:pix_th=0.1:pic_th=0.98'],
      // AAC leaves a little noise.
      ...['-af', 'silencedetect=n=-50dB:d=2', '-f', 'null', '-'],
    ]);
    const read = (what: RegExp): number[] =>
      [...stderr.matchAll(what)].map((match) => Number(match[1]) * 1000 - PTS_ORIGIN_MS);
    const ours = (kind: 'black' | 'silent'): number[] =>
      recorded.report[kind].spans.flatMap((s) => [s.offsetMs, s.offsetMs + s.durationMs]);
    const compare = (kind: 'black' | 'silent', theirs: number[]): void => {
      expect(theirs).toHaveLength(2);
      const errors = ours(kind).map((ms, i) => Math.abs(ms - theirs[i]!));
      expect(Math.max(...errors)).toBeLessThan(FFMPEG_TOLERANCE_MS);
    };
    compare('black', read(/black_(?:start|end):([\d.]+)/g));
    compare('silent', read(/silence_(?:start|end): ([\d.]+)/g));
  });

  it('says what was captured, repeated and left empty, and what it cost', () => {
    const { report } = recorded;
    const slots = (report.segments * SEGMENT_MS * 30) / 1000;
    expect(report).toMatchObject({
      durationMs: report.segments * SEGMENT_MS,
      end: { reason: 'max-duration' },
      holes: [],
      missingSegments: 0,
      encoderChanges: 0,
      laneChanges: 0,
      framesDropped: expect.any(Number) as number,
    });
    // Every slot is encoded, dropped or empty, and every encoded one shows a new picture or the held one.
    const { framesEncoded, framesDropped, emptySlots, framesRepeated } = report;
    expect(framesEncoded + emptySlots).toBeLessThanOrEqual(slots);
    expect(framesEncoded + emptySlots + framesDropped).toBeGreaterThanOrEqual(slots - 5);
    // Still for 3 s and blocked for 5 s: five fillers a second.
    expect(framesRepeated).toBeGreaterThan(30);
    expect(report.framesCaptured).toBeGreaterThan(100);
    expect(report.cpuSeconds).toBeGreaterThan(1);
    expect(report.wallMs).toBeGreaterThan(report.durationMs - SEGMENT_MS);
    // A tone of amplitude 0.2 (−14 dB) on both channels, heard most of the time; it clicks when it is switched.
    expect(report.truePeakDbtp).toBeGreaterThan(-14.5);
    expect(report.truePeakDbtp).toBeLessThan(-8);
    expect(report.integratedLufs).toBeGreaterThan(-20);
    expect(report.integratedLufs).toBeLessThan(-13);
  });
});

describe('the A/V offset', () => {
  it('is known to the report when sound lies 100 ms late', async () => {
    const pages = resources.use(
      await servePages({ '/class': barcodePage({ fps: 30, toneHz: 440 }) }),
    );
    const { report } = await record('skewed', {
      url: `${pages.url}/class`,
      readiness: 'load',
      durationMs: 5000,
      soundSkewMs: SKEW_MS,
    });
    expect(Math.abs(Number(report.avOffsetMs) - SKEW_MS)).toBeLessThan(SKEW_TOLERANCE_MS);
  });
});

function near(ms: number, toleranceMs: number): boolean {
  return Math.abs(ms) <= toleranceMs;
}
