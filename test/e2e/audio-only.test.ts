import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Resources } from '../../src/lifecycle.ts';
import { verifyTarget } from '../../src/verify/verify.ts';
import { barcodePage } from '../support/barcode-page.ts';
import { readBeeps } from '../support/flash-beep-reader.ts';
import { servePages } from '../support/page-server.ts';
import { probeMedia } from '../support/probe.ts';
import { recordPage, type RecordedPage } from '../support/record-page.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

/** Launch, load, boundaries and recording, on a machine busy with other tests. */
const RUN_MS = 60_000;
const SECONDS = 5;
/** Where the first segment's PTS lies, s. */
const PTS_ORIGIN_S = 10;
/** From the page's audio clock to its place on the grid; the rest is other load. */
const MAX_CLOCK_ERROR_MS = 150;
/** Five seconds hold five full seconds; the first may pass while sound is still being set up. */
const MIN_BEEPS = 3;
const SEGMENT_MS = 1600;
/** 128 kb/s of AAC for 1.6 s are 25.6 kB; headers, tables, PCR and stuffing take less than as much again. */
const MAX_SEGMENT_BYTES = 51_200;

const resources = new Resources();
let recorded: RecordedPage;

beforeAll(async () => {
  const folder = resources.use(await makeTempFolder('audio-only')).path;
  const page = barcodePage({ flashAndBeep: true, fps: 10 });
  const pages = resources.use(await servePages({ '/class': page }));
  recorded = await recordPage({
    url: `${pages.url}/class`,
    folder: path.join(folder, 'recording'),
    seconds: SECONDS,
    args: ['--audio-only'],
  });
}, RUN_MS);
afterAll(() => resources.close());

describe('a recording of sound alone', () => {
  it('keeps every rule of the grid without a picture', async () => {
    const { violations, summary } = await verifyTarget(recorded.playlist, { decode: true });
    expect(violations).toEqual([]);
    expect(summary).toMatchObject({ pictures: 0, audioFrames: 75 * recorded.segments.length });
    expect(recorded.segments.length).toBeGreaterThanOrEqual(4);
    expect(summary.bytes).toBeLessThan(MAX_SEGMENT_BYTES * recorded.segments.length);
  });

  it('has one stream, AAC, for other tools', async () => {
    const { streams } = await probeMedia(recorded.playlist);
    expect(streams).toHaveLength(1);
    expect(streams[0]).toMatchObject({ codec_name: 'aac', sample_rate: '48000', channels: 2 });
  });

  it('begins at the boundary before its start, and reports what it cost', () => {
    const report = recorded.report as {
      readonly originMs: number;
      readonly leadInMs: number;
      readonly cpuSeconds: number;
      readonly memoryMb: number;
      readonly settings: object;
    };
    expect(report.originMs % SEGMENT_MS).toBe(0);
    expect(report.originMs).toBe(recorded.originMs);
    expect(report.leadInMs).toBeGreaterThanOrEqual(0);
    expect(report.leadInMs).toBeLessThan(SEGMENT_MS);
    expect(report.settings).toMatchObject({ media: 'audio' });
    expect(report.cpuSeconds).toBeGreaterThan(0);
    expect(report.memoryMb).toBeGreaterThan(0);
  });

  it('carries the beeps at the full seconds they were made for', async () => {
    const beeps = await readBeeps(recorded.playlist);
    expect(beeps.length).toBeGreaterThanOrEqual(MIN_BEEPS);
    for (const ptsS of beeps) {
      const wallMs = recorded.originMs + (ptsS - PTS_ORIGIN_S) * 1000;
      expect(Math.abs(wallMs - Math.round(wallMs / 1000) * 1000)).toBeLessThan(MAX_CLOCK_ERROR_MS);
    }
  });
});
