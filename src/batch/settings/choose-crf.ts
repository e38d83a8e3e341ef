import type { QualityTarget, ReencodeCodec } from '../../model/reencode.ts';
import { searchCrf, type CrfChoice, type CrfProbe, type CrfRange } from './crf-search.ts';
import { mapLimited } from '../../map-limited.ts';
import { toDb } from '../proof/quality-summary.ts';
import type { Sample } from './samples.ts';

/** What one sample gave at one CRF. Small and lasting: it is stored, so that trying it again is free. */
export type SampleProbe = {
  readonly pictures: number;
  /** Mean SSIM of luma, 0 to 1. */
  readonly ssimY: number;
  readonly worstFrameDb: number;
  /** Of the coded pictures. */
  readonly bytes: number;
};

export type ChooseCrfOptions = {
  readonly codec: ReencodeCodec;
  readonly target: QualityTarget;
  readonly samples: readonly Sample[];
  /** Encodes a sample and compares it with its source; the same for the same, whoever asks. */
  readonly probeSample: (sample: Sample, crf: number) => Promise<SampleProbe>;
  /** Samples tried at once. */
  readonly concurrency: number;
  /** How often a whole has turned out worse than its samples: then they must be so much better. Default 0. */
  readonly misses?: number | undefined;
};

/**
 * Below the lowest bits go into noise that nobody sees. Above the highest rings show around text, which SSIM of a slide, nearly all of it plain, does
 * not tell.
 */
const CRF_RANGE: Readonly<Record<ReencodeCodec, CrfRange>> = {
  avc: { min: 14, max: 34 },
  hevc: { min: 14, max: 36 },
  av1: { min: 16, max: 50 },
};
/** Tried first: about where the default target is met on a whiteboard with cameras. */
const START_CRF: Readonly<Record<ReencodeCodec, number>> = { avc: 25, hevc: 27, av1: 38 };
/** Samples stand for a whole that differs from them a little: they must be better by so much, dB. */
const MARGIN_DB = 0.3;
const MARGIN_DB_PER_MISS = 0.7;

/**
 * Chooses the highest CRF that meets a quality target, by encoding samples of the recording: the mean is that of the typical ones, each picture counting once, the worst picture that of
 * all. The same samples give the same choice. Where the target is out of reach it is the lowest CRF, and `isMet` is false. Throws what `probeSample` throws.
 */
export async function chooseCrf(options: ChooseCrfOptions): Promise<CrfChoice> {
  const { codec, target, samples, probeSample, concurrency, misses = 0 } = options;
  const marginDb = MARGIN_DB + misses * MARGIN_DB_PER_MISS;
  return searchCrf({
    target: {
      ssimDb: target.ssimDb + marginDb,
      worstFrameDb: target.worstFrameDb + marginDb,
    },
    range: CRF_RANGE[codec],
    startCrf: START_CRF[codec],
    probe: async (crf) => {
      const tried = await mapLimited(samples, concurrency, async (sample) => ({
        sample,
        probe: await probeSample(sample, crf),
      }));
      return sumUp(crf, tried);
    },
  });
}

function sumUp(
  crf: number,
  probes: readonly { readonly sample: Sample; readonly probe: SampleProbe }[],
): CrfProbe {
  const typical = probes.flatMap(({ sample, probe }) => (sample.kind === 'typical' ? [probe] : []));
  const pictures = typical.reduce((sum, probe) => sum + probe.pictures, 0);
  const ssimY = typical.reduce((sum, probe) => sum + probe.ssimY * probe.pictures, 0);
  return {
    crf,
    ssimDb: toDb(ssimY / Math.max(1, pictures)),
    worstFrameDb: Math.min(...probes.map(({ probe }) => probe.worstFrameDb)),
    bytes: typical.reduce((sum, probe) => sum + probe.bytes, 0),
  };
}
