import { readFile } from 'node:fs/promises';
import { delay } from '../../../src/lifecycle.ts';
import { SEGMENT_MS } from '../../../src/model/grid.ts';
import type { TestServices } from '../../support/test-services.ts';
import type { Measurement } from '../measure.ts';
import type { Lesson } from './lesson.ts';

const WINDOW_MS = 4000;
const AT_ONCE = 4;
/** The first clips fill caches and let the optimiser work. */
const WARM_UP_SHARE = 0.2;
const SAMPLE_EVERY = 10;
const CLIP_TIMEOUT_MS = 60_000;
const MIB = 1024 * 1024;
const PAGE_BYTES = 4096;
/** Heaps breathe by some MiB between collections; a leak of one picture a clip would be 20 and more. */
const BOUND_MIB = 10;

/** The highlight process's memory while it makes many clips, as MiB more after 1000 of them. */
export async function measureMemory(
  services: TestServices,
  { lesson, clips, pid }: { lesson: Lesson; clips: number; pid: number },
): Promise<Measurement[]> {
  const samples: { readonly clips: number; readonly mib: number }[] = [];
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < clips; i = next++) {
      await makeClip(services, lesson, i);
      done += 1;
      if (done % SAMPLE_EVERY === 0) samples.push({ clips: done, mib: await residentMib(pid) });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const warm = samples.filter((sample) => sample.clips > WARM_UP_SHARE * clips);
  return [
    { name: 'worker-memory', unit: 'MiB', samples: warm.map(({ mib }) => mib) },
    {
      name: 'worker-memory-slope',
      unit: 'MiB per 1000 clips',
      samples: [1000 * slopeOf(warm)],
      bound: { is: '<=', value: BOUND_MIB },
    },
  ];
}

async function makeClip(services: TestServices, lesson: Lesson, i: number): Promise<void> {
  const { id, originMs, entries } = lesson;
  const lengthMs = entries.length * SEGMENT_MS;
  const startMs = originMs + Math.floor(((i * 0.618034) % 1) * (lengthMs - WINDOW_MS));
  const wish = { triggerId: `memory-${i}`, startMs, endMs: startMs + WINDOW_MS };
  const { highlight } = await services.requestHighlight(id, wish, 'api');
  // No api sweeps here for what could not be asked for; asking twice is one job.
  await services.queue.enqueueHighlight(highlight.id, { windowEndMs: highlight.window.endMs });
  const deadline = performance.now() + CLIP_TIMEOUT_MS;
  for (;;) {
    const { state } = await services.highlights.get(highlight.id);
    if (state === 'completed') return;
    if (state === 'failed' || performance.now() > deadline)
      throw new Error(`clip ${i} is ${state}`);
    await delay(20);
  }
}

async function residentMib(pid: number): Promise<number> {
  const [, resident] = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ').map(Number);
  return ((resident ?? NaN) * PAGE_BYTES) / MIB;
}

/** Of the line that fits best, MiB a clip. */
function slopeOf(samples: readonly { readonly clips: number; readonly mib: number }[]): number {
  const mean = (pick: (sample: (typeof samples)[number]) => number): number =>
    samples.reduce((sum, sample) => sum + pick(sample), 0) / samples.length;
  const [x, y] = [mean(({ clips }) => clips), mean(({ mib }) => mib)];
  const covariance = mean(({ clips, mib }) => (clips - x) * (mib - y));
  return covariance / mean(({ clips }) => (clips - x) ** 2);
}
