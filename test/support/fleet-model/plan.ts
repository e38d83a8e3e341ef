import fc from 'fast-check';

/** Where a worker's process may stand still: ahead of, or behind, one of its steps. */
export const STEPS = ['claim', 'beat', 'find', 'put', 'append'] as const;
export type Step = (typeof STEPS)[number];

/** A worker's whole process stands still, as with SIGSTOP, and goes on later as if nothing had been. */
export type Stall = {
  readonly worker: number;
  readonly step: Step;
  readonly when: 'before' | 'after';
  /** How many times it has come by there: 0 is the first. */
  readonly nth: number;
  readonly ms: number;
};

/** What happens to one recording and the workers that make it. */
export type FleetPlan = {
  readonly workers: number;
  readonly lanes: number;
  /** How far each worker's idea of the fleet's time is off, ms. */
  readonly clockErrorsMs: readonly number[];
  /** What the store takes for its operations, in turn, ms. */
  readonly storeDelaysMs: readonly number[];
  readonly stalls: readonly Stall[];
  /** Workers that hand over what they have from a time on, ms after the start. */
  readonly drains: readonly { readonly worker: number; readonly atMs: number }[];
};

/** A worker joins with a clock known to 100 ms (recorder/fleet-clock.ts). */
const MAX_CLOCK_ERROR_MS = 100;
/** Longer than a lease (4 s), a look at the leases (1 s), and a segment of the successor's. */
const LONG_STALL_MS = { min: 6_600, max: 10_500 };
const MAX_SHORT_STALL_MS = 3_000;
/** More than a segment lasts: publishing falls behind. */
const MAX_STORE_DELAY_MS = 2_000;

/** Plans in which the last worker is never disturbed, so that there is always one that can go on. */
export const fleetPlan: fc.Arbitrary<FleetPlan> = fc
  .record({ workers: fc.integer({ min: 2, max: 3 }), lanes: fc.integer({ min: 1, max: 2 }) })
  .chain(({ workers, lanes }) =>
    fc.record({
      workers: fc.constant(workers),
      lanes: fc.constant(lanes),
      clockErrorsMs: fc.array(fc.integer({ min: -MAX_CLOCK_ERROR_MS, max: MAX_CLOCK_ERROR_MS }), {
        minLength: workers,
        maxLength: workers,
      }),
      storeDelaysMs: fc.array(
        fc.oneof(
          { weight: 9, arbitrary: fc.integer({ min: 0, max: 60 }) },
          { weight: 1, arbitrary: fc.integer({ min: 60, max: MAX_STORE_DELAY_MS }) },
        ),
        { minLength: 7, maxLength: 7 },
      ),
      stalls: fc
        .tuple(longStallOfOwner, fc.array(anyStall(workers - 1), { maxLength: 5 }))
        .map(([first, others]) => [first, ...others]),
      drains: fc.array(
        fc.record({
          worker: fc.integer({ min: 0, max: workers - 2 }),
          atMs: fc.integer({ min: 0, max: 8_000 }),
        }),
        { maxLength: 1 },
      ),
    }),
  );

/** Plans in which the worker that begins stands still between its last look at the lease and its append: only the fence can help. */
export function planAtTheFence(lanes: number): fc.Arbitrary<FleetPlan> {
  return fleetPlan.map((plan) => {
    const [first, ...others] = plan.stalls;
    if (first === undefined) throw new Error('Expected a stall');
    return {
      ...plan,
      lanes,
      drains: [],
      stalls: [{ ...first, step: 'append', when: 'before' }, ...others],
    };
  });
}

/** The worker that begins stands still at the most dangerous places for longer than its lease lasts. */
const longStallOfOwner: fc.Arbitrary<Stall> = fc.record({
  worker: fc.constant(0),
  step: fc.constantFrom('append', 'put'),
  when: fc.constantFrom('before', 'after'),
  nth: fc.integer({ min: 0, max: 1 }),
  ms: fc.integer(LONG_STALL_MS),
});

function anyStall(workers: number): fc.Arbitrary<Stall> {
  return fc.record({
    worker: fc.integer({ min: 0, max: workers - 1 }),
    step: fc.constantFrom(...STEPS),
    when: fc.constantFrom('before', 'after'),
    nth: fc.integer({ min: 0, max: 8 }),
    ms: fc.oneof(fc.integer({ min: 50, max: MAX_SHORT_STALL_MS }), fc.integer(LONG_STALL_MS)),
  });
}
