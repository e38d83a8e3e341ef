import path from 'node:path';
import { expect, it } from 'vitest';
import type { Measurement } from '../bench/measure.ts';
import { judge } from '../chaos/runner.ts';
import { SCENARIOS } from '../chaos/scenarios/all.ts';

/** A quick part of `npm run chaos -- all`: the two that every deployment meets, a dead worker and a rolling update. */
const QUICK = ['kill-worker', 'drain'] as const;
/** Four times what one takes on two quiet cores. */
const TIMEOUT_MS = 160_000;
/** A machine for tests may be half as fast as one that is measured on. Counts are exact everywhere. */
const SLOWER = 2;
/** How smooth pictures are is measured by hand: two Chromes that start on two cores stutter, whatever is promised. */
const BY_HAND: readonly string[] = ['lost', 'frames-at-join'];

it.each(QUICK)(
  'holds what is promised when it comes to %s',
  async (name) => {
    const rows = await SCENARIOS[name]!.run({
      say: () => undefined,
      keepLogsIn: path.resolve('.cache/chaos', `e2e-${name}`),
    });
    const lines = rows
      .filter((row) => !BY_HAND.includes(row.name))
      .map((row) => judge(`chaos/${name}`, asOnSlowerMachine(row)));
    expect(lines.map((line) => line.name)).toEqual(expect.arrayContaining(['gaps', 'orphans']));
    expect(lines.filter(({ holds }) => holds === false)).toEqual([]);
  },
  TIMEOUT_MS,
);

function asOnSlowerMachine(row: Measurement): Measurement {
  if (row.bound?.is !== '<=' || row.unit !== 's') return row;
  return { ...row, bound: { is: '<=', value: row.bound.value * SLOWER } };
}
