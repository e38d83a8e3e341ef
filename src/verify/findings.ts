import type { RuleId } from './rules.ts';

/** A broken rule and where: `segment` as named in the playlist (or the file), `offset` in bytes into it, null where a place in bytes means nothing. */
export type Violation = {
  readonly rule: RuleId;
  readonly segment: string;
  readonly offset: number | null;
  readonly message: string;
};

/** How a check states a broken rule of the file in hand; `offset` is in bytes. */
export type Complain = (rule: RuleId, offset: number | null, message: string) => void;

export type Findings = {
  readonly violations: Violation[];
  /** Worth knowing, no rule broken. */
  readonly notes: string[];
  readonly about: (segment: string) => Complain;
};

/** Starts an empty list of findings. */
export function createFindings(): Findings {
  const violations: Violation[] = [];
  return {
    violations,
    notes: [],
    about: (segment) => (rule, offset, message) => {
      violations.push({ rule, segment, offset, message });
    },
  };
}

export type SegmentDigest = {
  readonly segment: string;
  readonly n: number | null;
  readonly sha256: string;
};

/** What was looked at, in counts; `digests` let a later run prove that nothing changed. */
export type Summary = {
  readonly input: string;
  readonly kind: 'playlist' | 'segment' | 'clip';
  readonly segments: number;
  readonly gaps: number;
  readonly pictures: number;
  readonly audioFrames: number;
  readonly bytes: number;
  readonly fps: number | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly ptsOrigin: number | null;
  readonly decoded: boolean;
  readonly notes: readonly string[];
  readonly digests: readonly SegmentDigest[];
};

export type Report = { readonly violations: readonly Violation[]; readonly summary: Summary };
