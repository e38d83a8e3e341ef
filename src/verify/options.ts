import type { Decode } from './decode.ts';
import type { SegmentDigest } from './findings.ts';

/** B where no test moves it: 10 s. */
export const DEFAULT_PTS_ORIGIN = 900_000;

/** How to check one input, `name` being what the report calls it. */
export type Context = {
  readonly name: string;
  /** Frames per second; inferred from the pictures where it is not given. */
  readonly fps?: number | undefined;
  /** B in 90 kHz ticks; DEFAULT_PTS_ORIGIN where it is not given. */
  readonly ptsOrigin?: number | undefined;
  /** Digests of an earlier report, to prove that nothing changed. */
  readonly expected?: readonly SegmentDigest[] | undefined;
  readonly decode?: Decode | undefined;
};
