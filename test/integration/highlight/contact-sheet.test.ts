import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { makeContactSheet } from '../../../src/media/contact-sheet.ts';
import { runFfmpeg } from '../../../src/media/ffmpeg.ts';
import { writeMediaPlaylist } from '../../../src/media/playlist.ts';
import { makeCounterSource, readCounter, HEIGHT, WIDTH } from './counter-source.ts';

/** Each test runs several ffmpeg processes; a busy machine takes seconds for what a free one does in one. */
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const COLUMNS = 4;
const BORDER = 4;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'chalkreel-sheet-'));
  const everySlot = Array.from({ length: 48 }, (_, slot) => slot);
  const source = await makeCounterSource({
    segments: 5,
    slotsOf: () => everySlot,
    profile: 'baseline',
  });
  await Promise.all(
    source.segments.map(({ n, bytes }) => writeFile(path.join(folder, `${n}.ts`), bytes)),
  );
  const playlist = writeMediaPlaylist({
    mediaSequence: 0,
    type: 'VOD',
    ended: true,
    segments: source.segments.map(({ n }) => ({
      uri: `${n}.ts`,
      startMs: source.originMs + 1600 * n,
      durationMs: 1600,
    })),
  });
  await writeFile(path.join(folder, 'index.m3u8'), playlist);
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

describe('makeContactSheet', () => {
  it('shows the picture of every asked moment of a playlist, in order', async () => {
    const outputPng = path.join(folder, 'sheet.png');
    const sheet = await makeContactSheet({
      input: path.join(folder, 'index.m3u8'),
      outputPng,
      everySeconds: 1,
      columns: COLUMNS,
      pictureWidth: WIDTH,
    });
    expect(sheet.pictures).toBe(8);
    const counters = await readSheet(outputPng, sheet.pictures);
    expect(counters).toEqual([0, 30, 60, 90, 120, 150, 180, 210]);
  });

  it('shows about twelve pictures unless told otherwise', async () => {
    const sheet = await makeContactSheet({
      input: path.join(folder, 'index.m3u8'),
      outputPng: path.join(folder, 'twelve.png'),
    });
    expect(sheet.pictures).toBe(12);
  });

  it('says what is wrong with a file that is no video', async () => {
    const input = path.join(folder, 'no.mp4');
    await writeFile(input, 'not a video');
    const outputPng = path.join(folder, 'no.png');
    await expect(makeContactSheet({ input, outputPng })).rejects.toThrow(/no\.mp4/);
    await expect(readFile(outputPng)).rejects.toThrow(/ENOENT/);
  });
});

/** The counters of the sheet's pictures. The time is drawn into the lower half, the counter is in the upper. */
async function readSheet(file: string, pictures: number): Promise<number[]> {
  const rows = Math.ceil(pictures / COLUMNS);
  const width = COLUMNS * WIDTH + (COLUMNS + 1) * BORDER;
  const height = rows * HEIGHT + (rows + 1) * BORDER;
  const { stdout } = await runFfmpeg({
    args: [
      ['-i', file],
      ['-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'],
    ],
  });
  expect(stdout.length).toBe(width * height);
  return Array.from({ length: pictures }, (_, i) => {
    const x = BORDER + (i % COLUMNS) * (WIDTH + BORDER);
    const y = BORDER + Math.floor(i / COLUMNS) * (HEIGHT + BORDER);
    const picture = Buffer.alloc(WIDTH * HEIGHT);
    for (let row = 0; row < HEIGHT; row++) {
      const from = (y + row) * width + x;
      stdout.copy(picture, row * WIDTH, from, from + WIDTH);
    }
    return readCounter(picture);
  });
}
