import { afterAll, beforeAll, expect, it } from 'vitest';
import { Resources } from '../../../src/lifecycle.ts';
import { systemClock } from '../../../src/clock.ts';
import { Gate } from '../../../highlight/gate.ts';
import { processHighlight } from '../../../highlight/process-highlight.ts';
import { createLog } from '../../../src/log.ts';
import {
  makeCounterSource,
  type CounterSource,
} from '../../integration/highlight/counter-source.ts';
import { publish } from '../../integration/highlight/role-fixture.ts';
import { openApiServer, type ApiServer } from '../../support/api-server.ts';
import { launchTestBrowser, type Browser } from '../../support/browser.ts';
import { servePages } from '../../support/page-server.ts';
import { sampleRecording } from '../../support/sample-records.ts';

const SEGMENTS = 5;
const everySlot = Array.from({ length: 48 }, (_, slot) => slot);
/** To play 5 s of a small picture at twice the speed, on a machine busy with other things. */
const PLAY_MS = 40_000;
/** Chromium counts whole microseconds. */
const DURATION_TOLERANCE_S = 1e-4;

/** Plays what it is told at twice the speed, and says how it went. */
const PLAYER_PAGE = `<!doctype html>
<video muted playsinline></video>
<script>
async function play(source, fromS, timeoutMs) {
  const video = document.querySelector('video');
  video.src = source;
  const settled = new Promise((resolve) => {
    for (const name of ['ended', 'error']) video.addEventListener(name, resolve);
    setTimeout(resolve, timeoutMs);
  });
  if (fromS > 0) video.currentTime = fromS;
  video.playbackRate = 2;
  await video.play().catch(() => undefined);
  await settled;
  const quality = video.getVideoPlaybackQuality();
  return {
    isEnded: video.ended,
    error: video.error && video.error.message,
    durationS: video.duration,
    positionS: video.currentTime,
    pictures: quality.totalVideoFrames,
    corrupted: quality.corruptedVideoFrames,
  };
}
</script>`;

const resources = new Resources();
let api: ApiServer;
let browser: Browser;
let pageUrl: string;
let source: CounterSource;
let other: CounterSource;

beforeAll(async () => {
  const make = (profile: 'baseline' | 'main', x264 = ''): Promise<CounterSource> =>
    makeCounterSource({ segments: SEGMENTS, slotsOf: () => everySlot, profile, x264 });
  [source, other] = await Promise.all([
    make('baseline'),
    make('main', ':deblock=1,1:cabac=0:qpmin=10'),
  ]);
  api = resources.use(await openApiServer());
  browser = await launchTestBrowser();
  resources.defer(() => browser.close());
  pageUrl = resources.use(await servePages({ '/player': PLAYER_PAGE })).url;
});
afterAll(() => resources.close());

/** A recording that is over; another encoder took over from a number on. */
async function record(id: string, takenOverFrom: number): Promise<void> {
  const { originMs } = source;
  const recording = sampleRecording({ id, originMs, leadInMs: 0, state: 'completed' });
  await api.services.recordings.create(recording);
  await publish(api.services, id, {
    segments: source.segments.map((segment) =>
      segment.n < takenOverFrom ? segment : other.segments[segment.n]!,
    ),
    codecHashOf: (n) => (n < takenOverFrom ? 'one' : 'two'),
  });
}

async function makeClip(recordingId: string, startMs: number, endMs: number): Promise<string> {
  const { originMs } = source;
  const { highlight } = await api.services.requestHighlight(
    recordingId,
    { triggerId: `${startMs}`, startMs: originMs + startMs, endMs: originMs + endMs },
    'api',
  );
  const services = {
    ...api.services,
    clock: systemClock,
    log: createLog('test', 'silent'),
    workDir: `${api.services.dataDir}/clips`,
    encoders: new Gate(2),
  };
  await processHighlight(highlight.id, services, new AbortController().signal);
  const { body } = await api.json('GET', `/v1/highlights/${highlight.id}`);
  return (body.links as { mp4: string }).mp4;
}

type Played = {
  readonly isEnded: boolean;
  readonly error: string | null;
  readonly durationS: number;
  readonly positionS: number;
  readonly pictures: number;
  readonly corrupted: number;
};

/** Plays a URL in Chromium from `fromS` to its end. */
async function play(url: string, fromS = 0): Promise<Played> {
  const page = await browser.newPage();
  try {
    await page.goto(`${pageUrl}/player`);
    const call = `play(${JSON.stringify(url)}, ${fromS}, ${PLAY_MS})`;
    return (await page.evaluate(call)) as Played;
  } finally {
    await page.close();
  }
}

function expectPlayed(
  played: Played,
  { durationS, pictures }: { durationS: number; pictures: number },
): void {
  expect(played).toMatchObject({ isEnded: true, error: null, corrupted: 0 });
  expect(Math.abs(played.durationS - durationS)).toBeLessThan(DURATION_TOLERANCE_S);
  expect(Math.abs(played.positionS - durationS)).toBeLessThan(DURATION_TOLERANCE_S);
  expect(played.pictures).toBe(pictures);
}

it('plays clips through the join, and whole recordings from anywhere, in Chromium', async () => {
  await record('class', SEGMENTS);
  await record('takeover', 3);
  // From slot 30 on; then from slot 47, so that the head is one picture.
  expectPlayed(await play(await makeClip('class', 1000, 6000)), { durationS: 5, pictures: 150 });
  expectPlayed(await play(await makeClip('class', 1570, 6000)), { durationS: 4.43, pictures: 133 });
  expectPlayed(await play(await makeClip('takeover', 3000, 8000)), { durationS: 5, pictures: 150 });
  for (const id of ['class', 'takeover']) {
    const { body } = await api.json('GET', `/v1/recordings/${id}`);
    const { mp4 } = body.links as { mp4: string };
    expectPlayed(await play(mp4), { durationS: 8, pictures: SEGMENTS * 48 });
    // Into the part that the other encoder made: the player asks for a range there.
    const late = await play(mp4, 6);
    expect(late).toMatchObject({ isEnded: true, error: null, corrupted: 0 });
    expect(late.pictures).toBeLessThan(SEGMENTS * 48);
  }
});
