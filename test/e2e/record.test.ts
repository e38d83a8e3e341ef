import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Resources } from '../../src/lifecycle.ts';
import { SEGMENT_MS } from '../../src/model/grid.ts';
import { verifyTarget } from '../../src/verify/verify.ts';
import { barcodePage } from '../support/barcode-page.ts';
import { readBarcodes } from '../support/barcode-reader.ts';
import { readBeeps } from '../support/flash-beep-reader.ts';
import { servePages } from '../support/page-server.ts';
import { processesWith } from '../support/processes.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Launch, load, the first boundary, the recording itself and the last boundary, on a machine busy with other tests. */
const RUN_MS = 60_000;
/** Chrome notices that the other end of its pipe is gone, and its helpers notice that Chrome is. */
const ORPHANS_GONE_MS = 5_000;
/** From drawing to its slot: two frames of 33 ms on their way through the compositor, the rest is other load. */
const MAX_CLOCK_ERROR_MS = 150;
/** Where the first segment's PTS lies: the container's origin, s. */
const PTS_ORIGIN_S = 10;
/** A picture lies up to a slot of 33 ms from its own time: half by snapping, half by phase control; twice that is safe. */
const SNAP_MS = 67;
/** Half of what a page at 30 fps draws in 4 s: a machine busy with other tests draws fewer. */
const MIN_PICTURES = 60;

const resources = new Resources();
let root: string;
let pagesUrl: string;

beforeAll(async () => {
  root = resources.use(await makeTempFolder('record')).path;
  const pages = resources.use(
    await servePages({ '/class': barcodePage({ flashAndBeep: true, fps: 30 }) }),
  );
  pagesUrl = pages.url;
});
afterAll(() => resources.close());

type Finished = { readonly code: number | null; readonly stdout: string; readonly stderr: string };
type Recorder = { readonly child: ChildProcess; readonly finished: Promise<Finished> };

/** Starts the recorder role; `marker` finds it and all its children again. Killed when the tests end. */
function startRecorder(marker: string, args: readonly string[]): Recorder {
  const child = spawn(process.execPath, ['--import', 'tsx', 'recorder/main.ts', ...args], {
    env: { ...process.env, CHALKREEL_LOG_LEVEL: 'silent', CHALKREEL_TEST_ID: marker },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  resources.defer(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const finished = new Promise<Finished>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`The recorder did not end within ${RUN_MS} ms: ${stderr}`));
    }, RUN_MS);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
  // Whoever kills the child does not wait for it.
  finished.catch(() => undefined);
  return { child, finished };
}

/** Commands of what still runs on behalf of a recorder, given a moment to leave the process table. */
async function leftRunning(marker: string, timeoutMs = 2000): Promise<string[]> {
  const commands = async (): Promise<string[]> =>
    (await processesWith(marker)).map(({ command }) => command);
  await waitUntil('the processes to end', async () => (await commands()).length === 0, timeoutMs)
    // The caller's assertion shows who is left.
    .catch(() => undefined);
  return commands();
}

async function readPlaylist(folder: string): Promise<string> {
  return readFile(path.join(folder, 'index.m3u8'), 'utf8').catch(() => '');
}

/** Time of the first segment, Unix ms. */
function startOf(playlist: string): number {
  return Date.parse(/^#EXT-X-PROGRAM-DATE-TIME:(.+)$/m.exec(playlist)?.[1] ?? '');
}

function extinfs(playlist: string): number[] {
  return [...playlist.matchAll(/^#EXTINF:([\d.]+)/gm)].map((match) => Number(match[1]));
}

describe('recording a page for four seconds', () => {
  let folder: string;
  let result: Finished;
  let playlist: string;

  beforeAll(async () => {
    folder = path.join(root, 'whole');
    const args = [`--once=${pagesUrl}/class`, `--out=${folder}`, '--seconds=4', '--json'];
    result = await startRecorder(folder, args).finished;
    playlist = await readPlaylist(folder);
  });

  it('ends with success and one line of JSON', () => {
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(result.stdout)).toMatchObject({
      playlist: path.join(folder, 'index.m3u8'),
      segments: extinfs(playlist).length,
    });
  });

  it('writes a final playlist of whole segments of 1.6 s, on the grid of the wall clock', () => {
    const starts = [...playlist.matchAll(/^#EXT-X-PROGRAM-DATE-TIME:(.+)$/gm)].map((match) =>
      Date.parse(match[1] ?? ''),
    );
    // 4 s touch 3 segments, or 4 when they begin within one.
    expect([3, 4]).toContain(extinfs(playlist).length);
    expect(new Set(extinfs(playlist))).toEqual(new Set([SEGMENT_MS / 1000]));
    expect(playlist.trimEnd().endsWith('#EXT-X-ENDLIST')).toBe(true);
    expect(starts[0]).toSatisfy((startMs: number) => startMs % SEGMENT_MS === 0);
  });

  it('keeps every rule that verify knows', async () => {
    const report = await verifyTarget(path.join(folder, 'index.m3u8'), { decode: true, fps: 30 });
    expect(report.violations).toEqual([]);
  });

  it("shows the page's clock, rising, at the time the playlist states", async () => {
    const startMs = startOf(playlist);
    const report = JSON.parse(await readFile(path.join(folder, 'report.json'), 'utf8')) as {
      readonly firstFrameMs: number;
    };
    const wallMs = (ptsS: number): number => startMs + (ptsS - PTS_ORIGIN_S) * 1000;
    // Before the first captured picture the recording is black: less than a segment of it.
    expect(report.firstFrameMs - startMs).toBeLessThan(SEGMENT_MS);
    const captured = (await readBarcodes(path.join(folder, 'index.m3u8'))).filter(
      ({ ptsS }) => wallMs(ptsS) > report.firstFrameMs + SNAP_MS,
    );
    const shown = captured.flatMap((frame) => (frame.valid ? [frame] : []));
    expect(shown).toHaveLength(captured.length);
    const clocks = shown.map(({ clockMs }) => clockMs);
    expect(clocks).toEqual(clocks.toSorted((a, b) => a - b));
    // A picture repeated while the page draws nothing new shows an older clock, rightly.
    const fresh = shown.filter(({ clockMs }, i) => clockMs !== clocks[i - 1]);
    expect(fresh.length).toBeGreaterThan(MIN_PICTURES);
    const errors = fresh.map(({ clockMs, ptsS }) => Math.abs(wallMs(ptsS) - clockMs));
    expect(Math.max(...errors)).toBeLessThan(MAX_CLOCK_ERROR_MS);
  });

  it('carries the beeps, a second apart, near the full seconds they were made for', async () => {
    const startMs = startOf(playlist);
    const beeps = await readBeeps(path.join(folder, 'index.m3u8'));
    expect(beeps.length).toBeGreaterThanOrEqual(2);
    for (const ptsS of beeps) {
      const wallMs = startMs + (ptsS - PTS_ORIGIN_S) * 1000;
      expect(Math.abs(wallMs - Math.round(wallMs / 1000) * 1000)).toBeLessThan(MAX_CLOCK_ERROR_MS);
    }
  });

  it('leaves nothing running', async () => {
    expect(await leftRunning(folder)).toEqual([]);
  });
});

/** A port of this machine on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

type BadInput = {
  readonly what: string;
  readonly field: string;
  readonly url?: string;
  readonly out?: string;
  readonly more?: readonly string[];
};

const BAD_INPUTS: readonly BadInput[] = [
  { what: 'an ftp: URL', field: 'url', url: 'ftp://127.0.0.1/class' },
  { what: 'a URL that is none', field: 'url', url: 'nonsense' },
  { what: 'a page that is not there', field: 'url', url: 'PAGES/gone' },
  { what: 'a server that is not there', field: 'url', url: 'http://127.0.0.1:CLOSED/' },
  { what: '29 frames per second', field: 'fps', more: ['--fps=29'] },
  { what: 'a negative width', field: 'width', more: ['--width=-3'] },
  { what: 'no number for the seconds', field: 'seconds', more: ['--seconds=soon'] },
  { what: 'a folder that cannot be made', field: 'out', out: '/proc/x' },
  { what: 'a folder that holds a recording', field: 'out', out: 'FULL' },
];

describe('bad input', () => {
  it.each(BAD_INPUTS)('is refused: $what', async (input) => {
    const { what, field, url = 'PAGES/class', out, more = [] } = input;
    const folder = path.join(root, `bad-${BAD_INPUTS.findIndex((i) => i.what === what)}`);
    if (out === 'FULL') {
      await mkdir(folder);
      await writeFile(path.join(folder, 'index.m3u8'), '#EXTM3U\n');
    }
    const fullUrl = url.replace('PAGES', pagesUrl).replace('CLOSED', String(await closedPort()));
    const target = out === '/proc/x' ? out : folder;
    const args = [`--once=${fullUrl}`, `--out=${target}`, '--seconds=4', ...more];
    const result = await startRecorder(folder, args).finished;
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toMatch(new RegExp(`^chalkreel: ${field}: .+\\n$`));
    expect(await leftRunning(folder)).toEqual([]);
  });
});

describe('a recorder that is ended from outside', () => {
  /** Starts recording without an end and waits until two segments (3.2 s) are published. */
  async function startEndless(name: string): Promise<Recorder & { readonly folder: string }> {
    const folder = path.join(root, name);
    const recorder = startRecorder(folder, [`--once=${pagesUrl}/class`, `--out=${folder}`]);
    await waitUntil(
      'two segments',
      async () => extinfs(await readPlaylist(folder)).length >= 2,
      RUN_MS / 2,
    );
    return { ...recorder, folder };
  }

  it('finishes the playlist on SIGINT', async () => {
    const { child, finished, folder } = await startEndless('interrupted');
    child.kill('SIGINT');
    expect(await finished).toMatchObject({ code: 0, stderr: '' });
    const playlist = await readPlaylist(folder);
    expect(playlist.trimEnd().endsWith('#EXT-X-ENDLIST')).toBe(true);
    expect(new Set(extinfs(playlist))).toEqual(new Set([SEGMENT_MS / 1000]));
    const { violations } = await verifyTarget(path.join(folder, 'index.m3u8'), { decode: false });
    expect(violations).toEqual([]);
    expect(await leftRunning(folder)).toEqual([]);
  });

  it('takes its Chrome with it when it is killed', async () => {
    const { child, finished, folder } = await startEndless('killed');
    // There is a Chrome to be missed: itself and its helpers.
    expect((await processesWith(folder)).length).toBeGreaterThan(2);
    child.kill('SIGKILL');
    expect((await finished).code).toBeNull();
    expect(await leftRunning(folder, ORPHANS_GONE_MS)).toEqual([]);
  });
});
