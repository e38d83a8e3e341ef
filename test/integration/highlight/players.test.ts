import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { missingTools } from '../../support/outside-tools.ts';
import { cutClip, segmentInMemory } from '../../support/cut-clip.ts';
import { playClipOutside } from '../../support/outside/clip-players.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import { makeCounterSource, type CounterSource } from './counter-source.ts';

/** Three programs at a second each; ten times that on a busy machine. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const everySlot = Array.from({ length: 48 }, (_, slot) => slot);
let folder: Awaited<ReturnType<typeof makeTempFolder>>;
let source: CounterSource;
let other: CounterSource;

beforeAll(async () => {
  folder = await makeTempFolder('players');
  [source, other] = await Promise.all([
    makeCounterSource({ segments: 4, slotsOf: () => everySlot, profile: 'baseline' }),
    makeCounterSource({
      segments: 4,
      slotsOf: () => everySlot,
      profile: 'main',
      x264: ':deblock=1,1:cabac=0:qpmin=10',
    }),
  ]);
  // VLC reads and writes as another user.
  await chmod(folder.path, 0o755);
});
afterAll(() => folder.close());

const missing = missingTools().filter((tool) => ['ffmpeg', 'GStreamer', 'VLC'].includes(tool));
if (missing.length > 0) console.warn(`not installed, left out: ${missing.join(', ')}`);

describe('a clip', () => {
  it.each([
    { name: 'with a head', startMs: 1000, endMs: 6000, takenOverFrom: 4 },
    { name: 'with a head of one picture', startMs: 1570, endMs: 6000, takenOverFrom: 4 },
    { name: 'that starts on a key picture', startMs: 1600, endMs: 6000, takenOverFrom: 4 },
    { name: 'in which another encoder takes over', startMs: 1000, endMs: 6000, takenOverFrom: 2 },
  ])('plays through in ffmpeg, GStreamer and VLC: $name', async (given) => {
    const workDir = path.join(folder.path, given.name.replaceAll(' ', '-'));
    await mkdir(workDir);
    await chmod(workDir, 0o777);
    const { originMs } = source;
    const clip = await cutClip({
      folder: workDir,
      originMs,
      window: { startMs: originMs + given.startMs, endMs: originMs + given.endMs },
      segments: source.segments.map((segment) =>
        segmentInMemory(segment.n < given.takenOverFrom ? segment : other.segments[segment.n]!),
      ),
    });
    await chmod(clip.file, 0o644);
    const pictures = clip.pictures.reencoded + clip.pictures.copied;
    const said = await playClipOutside({ file: clip.file, pictures, workDir });
    for (const tool of missing) Reflect.deleteProperty(said, tool);
    expect(said).toEqual({});
  });
});
