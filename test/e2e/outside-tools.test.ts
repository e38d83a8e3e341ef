import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Resources } from '../../src/lifecycle.ts';
import { SEGMENT_MS } from '../../src/model/grid.ts';
import { barcodePage } from '../support/barcode-page.ts';
import { makeBatchSource } from '../support/batch-source.ts';
import { launchTestBrowser, type Browser } from '../support/browser.ts';
import { serveHls } from '../support/hls-server.ts';
import { missingTools, runOutsideTools } from '../support/outside-tools.ts';
import { judgePlayback, playHls, PLAYER_PAGE } from '../support/outside/hlsjs.ts';
import { servePages } from '../support/page-server.ts';
import { encodeAll, join, testProfile } from '../support/reencode.ts';
import {
  SLOT_PATTERNS,
  syntheticPlaylist,
  writeSyntheticRecording,
} from '../support/synthetic-recording.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Launch, load and the first boundary, on a machine busy with other tests. */
const START_MS = 30_000;
/** To play 12 s as they come, a browser's start and stalls of a busy machine included. */
const LIVE_MS = 45_000;
const SEGMENTS = 7;
/** Segments a live playlist begins with: hls.js starts three target durations of 2 s behind its end. */
const FIRST_SEGMENTS = 4;
const SECONDS = 5;

const resources = new Resources();
let root: string;
let browser: Browser;

beforeAll(async () => {
  root = resources.use(await makeTempFolder('outside-tools')).path;
  browser = await launchTestBrowser();
  resources.defer(() => browser.close());
});
afterAll(() => resources.close());

/** A playlist that grows by a segment each 1.6 s from the first time it is asked for, as the api serves one. */
function growing(text: (segments: number) => string): () => string {
  let startedAt: number | undefined;
  return () => {
    startedAt ??= performance.now();
    const grown = Math.floor((performance.now() - startedAt) / SEGMENT_MS);
    return text(Math.min(SEGMENTS, FIRST_SEGMENTS + grown));
  };
}

it('plays a growing playlist and a moving window in hls.js, over empty slots and a hole', async () => {
  const holes = [5];
  const folder = path.join(root, 'live');
  await writeSyntheticRecording(folder, {
    segments: SEGMENTS,
    slots: SLOT_PATTERNS.uneven,
    holes,
  });
  const event = growing((segments) =>
    syntheticPlaylist({ segments, holes }, { ended: segments === SEGMENTS }),
  );
  const window = growing((segments) =>
    syntheticPlaylist(
      { segments, holes },
      { type: 'LIVE', ended: segments === SEGMENTS, first: segments - FIRST_SEGMENTS },
    ),
  );
  const server = resources.use(
    await serveHls(folder, {
      'player.html': () => PLAYER_PAGE,
      'event.m3u8': event,
      'window.m3u8': window,
    }),
  );
  const play = (name: string) =>
    playHls(browser, { playlist: `${server.url}/${name}`, timeoutMs: LIVE_MS });
  const [grown, moved] = await Promise.all([play('event.m3u8'), play('window.m3u8')]);
  const durationS = (SEGMENTS * SEGMENT_MS) / 1000;
  expect(judgePlayback(grown, { holes, durationS })).toEqual([]);
  expect(judgePlayback(moved, { holes, durationS })).toEqual([]);
  // It was live: playing began near the end of what was there, not at the start of the recording.
  for (const { startS } of [grown, moved]) expect(startS).toBeGreaterThan(0);
});

it('plays a recording while it is made, and no outside tool complains of it afterwards', async () => {
  const folder = path.join(root, 'real');
  const pages = resources.use(
    await servePages({ '/class': barcodePage({ flashAndBeep: true, fps: 30 }) }),
  );
  const recorder = startRecorder([
    `--once=${pages.url}/class`,
    `--out=${folder}`,
    `--seconds=${SECONDS}`,
  ]);
  const playlist = path.join(folder, 'index.m3u8');
  const read = (): Promise<string> => readFile(playlist, 'utf8').catch(() => '');
  await waitUntil('two segments', async () => countSegments(await read()) >= 2, START_MS);
  const server = resources.use(await serveHls(folder, { 'player.html': () => PLAYER_PAGE }));
  const url = `${server.url}/index.m3u8`;
  const played = await playHls(browser, { playlist: url, timeoutMs: LIVE_MS });
  expect(await recorder.ended).toBe(0);
  const durationS = (countSegments(await read()) * SEGMENT_MS) / 1000;
  expect(judgePlayback(played, { holes: [], durationS })).toEqual([]);

  const missing = missingTools();
  if (missing.length > 0) console.warn(`not installed, left out: ${missing.join(', ')}`);
  const reports = (await runOutsideTools(playlist)).filter(({ tool }) => !missing.includes(tool));
  expect(reports.flatMap(({ tool, errors }) => errors.map((error) => `${tool}: ${error}`))).toEqual(
    [],
  );
  expect(reports.map(({ tool }) => tool)).toEqual(expect.arrayContaining(['ffmpeg', 'hls.js']));
});

it('plays the HLS of a re-encode in hls.js: byte ranges of one file, B pictures, a hole', async () => {
  const holes = [3];
  const slots = SLOT_PATTERNS.uneven;
  const source = await makeBatchSource(path.join(root, 'source'), { segments: 6, slots, holes });
  const kinds = ['hls-cmaf', 'hls-ts'];
  const profile = testProfile({ outputs: kinds, video: { preset: 'veryfast' } });
  const folder = path.join(root, 'reencode');
  const work = { ...source, profile, folder };
  await join(await encodeAll(work), work);
  const server = resources.use(await serveHls(folder, { 'player.html': () => PLAYER_PAGE }));
  const play = (kind: string) =>
    playHls(browser, { playlist: `${server.url}/${kind}/index.m3u8`, rate: 4, timeoutMs: LIVE_MS });
  const [cmaf, ts] = await Promise.all([play('hls-cmaf'), play('hls-ts')]);
  expect(judgePlayback(cmaf, { holes, durationS: 9.6 })).toEqual([]);
  // Of MPEG-TS its time line begins with the first decoding time: all of it is late by the delay of B pictures, at holes too.
  expect(ts.errors.filter(({ fatal }) => fatal)).toEqual([]);
  expect(ts).toMatchObject({ isEnded: true, mediaError: null, backward: [] });
});

function countSegments(playlist: string): number {
  return (playlist.match(/^#EXTINF:/gm) ?? []).length;
}

type Recorder = { readonly child: ChildProcess; readonly ended: Promise<number | null> };

/** Starts the recorder role; killed when the tests end. */
function startRecorder(args: readonly string[]): Recorder {
  const child = spawn(process.execPath, ['--import', 'tsx', 'recorder/main.ts', ...args], {
    env: { ...process.env, CHALKREEL_LOG_LEVEL: 'silent' },
    stdio: 'ignore',
  });
  resources.defer(() => void child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  ended.catch(() => undefined);
  return { child, ended };
}
