import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CAST } from '../../src/demo/cast.ts';
import { findPictureClock } from '../../src/demo/picture-clock.ts';
import { verifyTarget } from '../../src/verify/verify.ts';
import { probeMedia } from '../support/probe.ts';
import { processesWith } from '../support/processes.ts';
import { readGrayFrames } from '../support/gray-frames.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { readTones } from '../support/tone-reader.ts';
import { waitUntil } from '../support/wait-until.ts';

const SECONDS = 14;
/** Start of everything, the recording, the clip and the contact sheet, on a shared machine. */
const DEMO_TIMEOUT_MS = 110_000;
/** Where the four cameras are in the board layout at 1280×720, as classroomState() says. */
const TILES = [14, 330, 646, 962].map((x) => ({ x, y: 64, width: 304, height: 171 }));
/** Low-latency HLS shows a camera 2.4 to 3.0 s late; a busy machine somewhat later, never earlier. */
const CAMERA_LATENCY_MS = { least: 1_000, most: 8_000 };
const CLI = ['--import', import.meta.resolve('tsx'), path.resolve('src/cli/main.ts')];

type DemoResult = {
  readonly directory: string;
  readonly playlist: string;
  readonly clip: string;
  readonly segments: number;
  readonly startMs: number;
  readonly framesCaptured: number;
};

describe('chalkreel demo', () => {
  let folder: Awaited<ReturnType<typeof makeTempFolder>>;
  let result: DemoResult;

  beforeAll(async () => {
    folder = await makeTempFolder('demo');
    const out = path.join(folder.path, 'out');
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...CLI, 'demo', '--seconds', String(SECONDS), '--out', out, '--json'],
      { timeout: DEMO_TIMEOUT_MS },
    );
    result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as DemoResult;
  }, DEMO_TIMEOUT_MS);

  afterAll(() => folder.close());

  it('leaves nothing running', async () => {
    expect(await processesWith(folder.path)).toEqual([]);
  });

  it('makes a recording in which an independent checker finds no fault', async () => {
    const report = await verifyTarget(result.playlist, { decode: true });
    expect(report.violations).toEqual([]);
    const playlist = await readFile(result.playlist, 'utf8');
    const durations = [...playlist.matchAll(/#EXTINF:(.*),/g)].map(([, text]) => text);
    expect(new Set(durations)).toEqual(new Set(['1.6']));
    expect(durations).toHaveLength(result.segments);
    expect(result.segments).toBeGreaterThanOrEqual(Math.floor((SECONDS * 1000) / 1600));
  });

  it('records H.264 at 1280×720 and AAC at 48 kHz in stereo', async () => {
    const { streams } = await probeMedia(result.playlist);
    expect(streams.find((s) => s.codec_type === 'video')).toMatchObject({
      codec_name: 'h264',
      width: 1280,
      height: 720,
    });
    expect(streams.find((s) => s.codec_type === 'audio')).toMatchObject({
      codec_name: 'aac',
      sample_rate: '48000',
      channels: 2,
    });
  });

  it('shows the running clock of every camera, and never one that is ahead of its own time', async () => {
    const region = { x: 0, y: 0, width: 1, height: 1 };
    const frames = await readGrayFrames(result.playlist, { region, columns: 1280, rows: 720 });
    for (const [i, box] of TILES.entries()) {
      const latencies = frames.flatMap(({ ptsS, cells }) => {
        const shownAtMs = result.startMs + (ptsS - 10) * 1000;
        const picture = { luma: cells, width: 1280, height: 720 };
        const clockMs = findPictureClock(picture, box, shownAtMs);
        return clockMs === undefined ? [] : [shownAtMs - clockMs];
      });
      expect(latencies.length, `legible clocks of camera ${i}`).toBeGreaterThan(frames.length / 2);
      const median = latencies.sort((a, b) => a - b)[latencies.length >> 1];
      expect(median).toBeGreaterThan(CAMERA_LATENCY_MS.least);
      expect(median).toBeLessThan(CAMERA_LATENCY_MS.most);
    }
  });

  it('carries the tone of every camera', async () => {
    const hertz = CAST.map(({ toneHz }) => toneHz);
    const windows = await readTones(result.playlist, hertz);
    for (const hz of hertz) {
      const heard = windows.filter(({ present }) => present.includes(hz)).length;
      expect(heard, `windows with ${hz} Hz`).toBeGreaterThan(windows.length / 2);
    }
  });

  it('keeps the moment the teacher saved, exact to its window', async () => {
    const report = await verifyTarget(result.clip, { decode: true });
    expect(report.violations).toEqual([]);
    const { streams } = await probeMedia(result.clip);
    expect(streams.map((s) => s.codec_name).sort()).toEqual(['aac', 'h264']);
  });
});

describe('chalkreel demo, interrupted', () => {
  it('ends the recording as it should be on Ctrl-C and leaves nothing running', async () => {
    const folder = await makeTempFolder('demo-int');
    try {
      const out = path.join(folder.path, 'out');
      const child = spawn(process.execPath, [...CLI, 'demo', '--seconds', '60', '--out', out], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let stderr = '';
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
      await waitUntil('a recording that runs', () => /recording {2}\d/.test(stderr), 60_000);
      child.kill('SIGINT');
      expect(await exited).toBe(130);
      const playlist = await readFile(path.join(out, 'recording', 'index.m3u8'), 'utf8');
      expect(playlist).toContain('#EXT-X-ENDLIST');
      expect(await processesWith(folder.path)).toEqual([]);
    } finally {
      await folder.close();
    }
  });
});
