import type { ReencodeProfile, ReencodeState } from './reencode.ts';

/** Who wants it: a call of the API, a night, or the setting that every recording is re-encoded once it is over. */
export type ReencodeOrigin = 'api' | 'night' | 'finish';

/** One wish to re-encode a recording into one profile, and how it goes. A recording has the newest of each profile. */
export type ReencodeRun = {
  /** Names its jobs: another wish for the same has another. */
  readonly id: string;
  readonly profile: ReencodeProfile;
  readonly origin: ReencodeOrigin;
  /** The night it belongs to, `YYYY-MM-DD`: the last one that worked on it. Null: it does not wait for nights. */
  readonly night: string | null;
  readonly state: ReencodeState;
  readonly requestedAtMs: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  /** Of a failed one: a ChalkreelError's code, and a sentence for people. */
  readonly reason?: string | undefined;
  readonly detail?: string | undefined;
  /** How many wishes for the same have failed before it. */
  readonly failures: number;
  /** How often the whole has turned out worse than its target, though its samples met it: each time it is planned anew, for better. */
  readonly misses?: number | undefined;
  /** What came of a completed one. */
  readonly outcome?: ReencodeOutcome | undefined;
};

/** A completed re-encode in short; its manifest has the rest. */
export type ReencodeOutcome = {
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly crf: { readonly least: number; readonly most: number } | null;
  readonly ssimDb: number | null;
  readonly worstFrameDb: number | null;
};

/** What has runs: a recording. */
export type WithReencodes = { readonly reencodes?: readonly ReencodeRun[] | undefined };

/** Whether it is still to be worked on. */
export function isOpenRun({ state }: Pick<ReencodeRun, 'state'>): boolean {
  return state !== 'completed' && state !== 'failed' && state !== 'cancelled';
}

/** The recording's run with this id, if there is still work to be done for it. */
export function findOpenRun(
  { reencodes = [] }: WithReencodes,
  runId: string,
): ReencodeRun | undefined {
  return reencodes.find((run) => run.id === runId && isOpenRun(run));
}

/** What a change of state brings with it. */
export type RunChange = Partial<
  Pick<
    ReencodeRun,
    'state' | 'night' | 'startedAtMs' | 'endedAtMs' | 'reason' | 'detail' | 'outcome'
  >
>;

/** The recording with an open run changed; the same object when the run is over, or another has taken its place. */
export function enterRun<R extends WithReencodes>(
  recording: R,
  runId: string,
  change: RunChange,
): R {
  const run = findOpenRun(recording, runId);
  if (run === undefined) return recording;
  const keys = Object.keys(change) as (keyof RunChange)[];
  if (keys.every((key) => run[key] === change[key])) return recording;
  const changed = { ...run, ...change };
  return {
    ...recording,
    reencodes: (recording.reencodes ?? []).map((one) => (one === run ? changed : one)),
  };
}

/** Two profiles that give the same bytes: the same settings, in whatever order they were written. */
export function isSameProfile(a: ReencodeProfile, b: ReencodeProfile): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
