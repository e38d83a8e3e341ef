import { readFile } from 'node:fs/promises';
import type { Page } from '../../../recorder/browser.ts';
import { descendantsOf } from '../../support/processes.ts';

/** What a recorded page holds, at a time. */
export type MemorySample = {
  /** By this machine's monotonic clock. */
  readonly atMs: number;
  /** JavaScript heap of the page after a garbage collection, MB. */
  readonly heapMb: number;
  /** Elements and other nodes that are alive, on the page or off it. */
  readonly nodes: number;
  /** Proportional set size of the whole Chrome, MB. */
  readonly pssMb: number;
};

/** Looks at a page's memory; the collection stops it for some milliseconds. */
export async function sampleMemory(page: Page): Promise<MemorySample> {
  const client = await page.createCDPSession();
  try {
    await client.send('HeapProfiler.enable');
    await client.send('HeapProfiler.collectGarbage');
    await client.send('HeapProfiler.disable');
    const { usedSize } = await client.send('Runtime.getHeapUsage');
    const { nodes } = await client.send('Memory.getDOMCounters');
    const pssMb = await readPssMb(page.browser().process()?.pid);
    return { atMs: performance.now(), heapMb: usedSize / 1e6, nodes, pssMb };
  } finally {
    await client.detach();
  }
}

async function readPssMb(pid: number | undefined): Promise<number> {
  if (pid === undefined) return NaN;
  const all = [pid, ...(await descendantsOf(pid)).map((process) => process.pid)];
  const sizes = all.map(async (each) => {
    const rollup = await readFile(`/proc/${each}/smaps_rollup`, 'utf8').catch(() => '');
    return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
  });
  return (await Promise.all(sizes)).reduce((sum, kb) => sum + kb, 0) / 1000;
}

/** How much it grows a minute, by least squares. */
export function slopePerMinute(
  samples: readonly MemorySample[],
  pick: (sample: MemorySample) => number,
): number {
  const xs = samples.map(({ atMs }) => atMs / 60_000);
  const ys = samples.map(pick);
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x0, y0] = [mean(xs), mean(ys)];
  const over = xs.reduce((sum, x, i) => sum + (x - x0) * ((ys[i] ?? NaN) - y0), 0);
  const under = xs.reduce((sum, x) => sum + (x - x0) ** 2, 0);
  return over / under;
}
