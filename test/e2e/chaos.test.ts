import path from 'node:path';
import { expect, it } from 'vitest';
import type { Measurement } from '../bench/measure.ts';
import { judge } from '../chaos/runner.ts';
import { SCENARIOS } from '../chaos/scenarios/all.ts';

/** A quick part of `npm run chaos -- all`: the two that every deployment meets, a dead worker and a rolling update. */
const QUICK = ['kill-worker', 'drain'] as const;
/** Four times what one takes on two quiet cores. */
const TIMEOUT_MS = 160_000;
/** A machine for tests may be half as fast, and two Chromes that start on it stutter. Counts are exact everywhere. */
const SLOWER = 2;
const STUTTER: Readonly<Record<string, number>> = { s: 1, frames: 1 };

it.each(QUICK)(
  'holds what is promised when it comes to %s',
  async (name) => {
    const rows = await SCENARIOS[name]!.run({
      say: () => undefined,
      keepLogsIn: path.resolve('.cache/chaos', `e2e-${name}`),
    });
    const lines = rows.map((row) => judge(`chaos/${name}`, asOnSlowerMachine(row)));
    expect(lines.filter(({ holds }) => holds === false)).toEqual([]);
  },
  TIMEOUT_MS,
);

function asOnSlowerMachine(row: Measurement): Measurement {
  const slack = STUTTER[row.unit];
  if (row.bound?.is !== '<=' || slack === undefined) return row;
  return { ...row, bound: { is: '<=', value: row.bound.value * SLOWER + slack } };
}
