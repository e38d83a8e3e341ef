import type { QualityTarget, ReencodeQuality } from '../../model/reencode.ts';

/** What a CRF gave. */
export type CrfProbe = Pick<ReencodeQuality, 'ssimDb' | 'worstFrameDb'> & {
  readonly crf: number;
  readonly bytes: number;
};

/** The CRFs that may be chosen, whole numbers, both ends inclusive. */
export type CrfRange = { readonly min: number; readonly max: number };

export type CrfChoice = {
  readonly crf: number;
  /** False: the target is out of reach, or was not reached with the probes allowed; the best that was seen is chosen. */
  readonly isMet: boolean;
  /** In the order they were made. */
  readonly probes: readonly CrfProbe[];
};

export type CrfSearchOptions = {
  readonly target: QualityTarget;
  readonly range: CrfRange;
  /** Tried first. */
  readonly startCrf: number;
  /** Default 6. */
  readonly maxProbes?: number;
  readonly probe: (crf: number) => Promise<CrfProbe>;
};

const MAX_PROBES = 6;
/** What one step of CRF costs at first sight; x264, x265 and SVT-AV1 lose 0.2 to 0.6 dB on screens and faces. */
const DB_PER_CRF = 0.4;

/**
 * Finds the highest CRF that meets a target, taking it that quality falls as CRF rises: jumps by what is missing, then narrows between what met
 * it and what did not, by where a straight line would cross. The same probes give the same choice.
 */
export async function searchCrf(options: CrfSearchOptions): Promise<CrfChoice> {
  const { target, range, probe, maxProbes = MAX_PROBES } = options;
  const probes: CrfProbe[] = [];
  let next: number | undefined = clamp(options.startCrf, range);
  while (next !== undefined && probes.length < maxProbes) {
    probes.push(await probe(next));
    next = nextCrf(probes, target, range);
  }
  const best = highestMet(probes, target) ?? lowest(probes);
  return { crf: best.crf, isMet: marginDb(best, target) >= 0, probes };
}

/** The CRF to try next; undefined when the highest that meets the target is known, or none does. */
function nextCrf(
  probes: readonly CrfProbe[],
  target: QualityTarget,
  range: CrfRange,
): number | undefined {
  const met = highestMet(probes, target);
  const missed = lowestMissed(probes, target);
  if (met !== undefined && missed !== undefined) return between(met, missed, target);
  const last = met ?? missed ?? lowest(probes);
  const steps = Math.floor(marginDb(last, target) / slopeDb(probes, target));
  const next = clamp(
    last.crf + (met === undefined ? Math.min(-1, steps) : Math.max(1, steps)),
    range,
  );
  return next === last.crf ? undefined : next;
}

/** By how much a probe is better than asked, dB; negative when it is worse. Whichever is nearer to missing counts. */
function marginDb(
  { ssimDb, worstFrameDb }: Pick<CrfProbe, 'ssimDb' | 'worstFrameDb'>,
  target: QualityTarget,
): number {
  return Math.min(ssimDb - target.ssimDb, worstFrameDb - target.worstFrameDb);
}

function between(met: CrfProbe, missed: CrfProbe, target: QualityTarget): number | undefined {
  // Quality need not fall quite evenly: what met the target may lie above what did not.
  const width = missed.crf - met.crf;
  if (width <= 1) return undefined;
  const [above, below] = [marginDb(met, target), marginDb(missed, target)];
  const crossing = met.crf + Math.floor((width * above) / (above - below));
  return clamp(crossing, { min: met.crf + 1, max: missed.crf - 1 });
}

/** What a step of CRF costs, dB, by the two nearest probes on one side of the target; never so little that a jump goes astray. */
function slopeDb(probes: readonly CrfProbe[], target: QualityTarget): number {
  const [near, next] = [...probes].sort(
    (a, b) => Math.abs(marginDb(a, target)) - Math.abs(marginDb(b, target)),
  );
  if (near === undefined || next === undefined) return DB_PER_CRF;
  const slope = (marginDb(near, target) - marginDb(next, target)) / (next.crf - near.crf);
  return Math.max(DB_PER_CRF / 4, slope);
}

function highestMet(probes: readonly CrfProbe[], target: QualityTarget): CrfProbe | undefined {
  const met = probes.filter((probe) => marginDb(probe, target) >= 0);
  return met.reduce<CrfProbe | undefined>(
    (best, probe) => (best === undefined || probe.crf > best.crf ? probe : best),
    undefined,
  );
}

function lowestMissed(probes: readonly CrfProbe[], target: QualityTarget): CrfProbe | undefined {
  const missed = probes.filter((probe) => marginDb(probe, target) < 0);
  return missed.length === 0 ? undefined : lowest(missed);
}

function lowest(probes: readonly CrfProbe[]): CrfProbe {
  const [first] = probes;
  if (first === undefined) throw new RangeError('Expected a probe, got none.');
  return probes.reduce((best, probe) => (probe.crf < best.crf ? probe : best), first);
}

function clamp(value: number, { min, max }: CrfRange): number {
  return Math.min(max, Math.max(min, Math.round(value)));
}
