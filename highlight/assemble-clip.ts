import { ChalkreelError } from '../src/errors.ts';
import type { Log } from '../src/log.ts';
import { AUDIO_SPECIFIC_CONFIG } from '../src/media/aac.ts';
import { parseSps } from '../src/media/h264-parameter-sets.ts';
import { joinLengthPrefixed, NAL_TYPE, nalType, splitAnnexB } from '../src/media/h264.ts';
import type { VideoTrack } from '../src/media/mp4/movie.ts';
import { writeMp4 } from '../src/media/mp4/writer.ts';
import { AAC_FRAME_SAMPLES } from '../src/model/grid.ts';
import type { ClipWindow } from '../src/model/highlight.ts';
import { planCut, type ClipPicture, type CutPlan, type PictureRef } from './cut-plan.ts';
import { encodeHead } from './head-encoder.ts';
import { collectParameterSets, findFreeId, type ParameterSetList } from './parameter-sets.ts';
import { drawPoster } from './poster.ts';
import { takeApart, toCutSegment, type SegmentMedia } from './segment-media.ts';
import { SILENT_AAC_FRAME } from './silence.ts';

export type ClipSegment = {
  /** Number on the recording's grid. */
  readonly n: number;
  /** The segment's bytes. */
  read(): Promise<Uint8Array>;
};

export type AssembleClipOptions = {
  /**
   * In order of `n`: the ones that overlap the window, the one before (for the sound's first frame, where there is one), and
   * where the window starts in a hole the last one before it. `selectSegments` picks them.
   */
  readonly segments: readonly ClipSegment[];
  /** The recording's origin, Unix ms. */
  readonly originMs: number;
  /** Unix ms, whole. Must lie within the recording: see `clampWindow`. */
  readonly window: ClipWindow;
  /** Unix ms; moved into the window. Default: the window's start. */
  readonly posterAtMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log | undefined;
};

export type AssembledClip = {
  /** A fast-start MP4, in pieces in order. */
  readonly mp4: readonly Uint8Array[];
  /** JPEG; null when there is only sound. */
  readonly poster: Buffer | null;
  readonly durationMs: number;
  readonly pictures: { readonly reencoded: number; readonly copied: number };
  /** How segments were taken apart: by their access-unit index, or by parsing for want of one. */
  readonly segments: { readonly indexed: number; readonly parsed: number };
  /** Sentences for people: holes, a full re-encode. */
  readonly warnings: readonly string[];
};

/**
 * Cuts a window out of a recording's segments, exact to the frame: pictures from the first key picture on are copied, what comes
 * before it is encoded anew, sound is copied with one exact edit. Equal input gives an equal file. Throws `clip-window-invalid`,
 * `clip-without-picture`, errors of `runFfmpeg`; the signal's reason when aborted.
 */
export async function assembleClip(options: AssembleClipOptions): Promise<AssembledClip> {
  const { originMs, window, signal, log } = options;
  const segments = await readSegments(options);
  const media = new MediaByRef(segments);
  const { plan, bodySets, isFullReencode } = planClip(options, segments, media);
  const [head, poster] = await Promise.all([
    makeHead(plan, { bodySets, media, signal, log }),
    plan.poster.length === 0
      ? null
      : drawPoster(
          plan.poster.map((ref) => media.picture(ref)),
          { signal, log },
        ),
  ]);
  const indexed = segments.filter(({ isIndexed }) => isIndexed).length;
  const mp4 = writeClip(plan, { head, bodySets, media, createdAtMs: window.startMs });
  return {
    mp4,
    poster,
    durationMs: window.endMs - window.startMs,
    pictures: { reencoded: head.samples.length, copied: plan.body.length },
    segments: { indexed, parsed: segments.length - indexed },
    warnings: describe(plan, originMs, isFullReencode),
  };
}

/** Looks media up by the plan's references. */
class MediaByRef {
  readonly #segments: ReadonlyMap<number, SegmentMedia>;

  constructor(segments: readonly SegmentMedia[]) {
    this.#segments = new Map(segments.map((segment) => [segment.n, segment]));
  }

  picture({ n, index }: PictureRef): Uint8Array {
    return found(this.#segments.get(n)?.pictures[index]?.data, `picture ${index} of segment ${n}`);
  }

  audio({ n, index }: PictureRef): Uint8Array {
    return found(this.#segments.get(n)?.audio[index], `AAC frame ${index} of segment ${n}`);
  }
}

function found(data: Uint8Array | undefined, what: string): Uint8Array {
  if (data !== undefined) return data;
  throw new ChalkreelError('clip-plan-broken', `The plan names ${what}, which is not there.`);
}

async function readSegments(options: AssembleClipOptions): Promise<SegmentMedia[]> {
  const media: SegmentMedia[] = [];
  for (const segment of options.segments) {
    options.signal?.throwIfAborted();
    media.push(takeApart(segment.n, await segment.read()));
  }
  return media;
}

type PlannedClip = {
  readonly plan: CutPlan;
  readonly bodySets: ParameterSetList;
  readonly isFullReencode: boolean;
};

/** Plans the copy; where the copied pictures' parameter sets collide, plans again with every picture encoded anew. */
function planClip(
  { originMs, window, posterAtMs }: AssembleClipOptions,
  segments: readonly SegmentMedia[],
  media: MediaByRef,
): PlannedClip {
  const cut = {
    window: { startMs: window.startMs - originMs, endMs: window.endMs - originMs },
    segments: segments.map(toCutSegment),
    ...(posterAtMs === undefined ? {} : { posterAtMs: Math.floor(posterAtMs) - originMs }),
  };
  const plan = planCut(cut);
  const keys = plan.body.filter((picture) => picture.isKey);
  const bodySets = collectParameterSets(keys.map((picture) => media.picture(picture)));
  if (!bodySets.isColliding) return { plan, bodySets, isFullReencode: false };
  const none = { sps: [], pps: [], isColliding: false };
  return { plan: planCut({ ...cut, reencodeAll: true }), bodySets: none, isFullReencode: true };
}

type Sample = { readonly data: Uint8Array; readonly size: number; readonly duration: number };
type PictureSample = Sample & { readonly isKey: boolean };
type Head = {
  readonly samples: readonly PictureSample[];
  readonly sets: Pick<ParameterSetList, 'sps' | 'pps'>;
};

async function makeHead(
  plan: CutPlan,
  options: {
    bodySets: ParameterSetList;
    media: MediaByRef;
    signal: AbortSignal | undefined;
    log: Log | undefined;
  },
): Promise<Head> {
  const { bodySets, media, signal, log } = options;
  if (plan.head === null) return { samples: [], sets: { sps: [], pps: [] } };
  const decode = plan.head.decode.map((ref) => media.picture(ref));
  const model = bodySets.sps[0] ?? collectParameterSets(decode.slice(0, 1)).sps[0];
  const parameterSetId = findFreeId(bodySets);
  if (model === undefined || parameterSetId === undefined) {
    throw new ChalkreelError(
      'clip-plan-broken',
      `Expected a sequence parameter set to follow and a free id for the head, got ${bodySets.sps.length} sets.`,
    );
  }
  const { skip, pictures } = plan.head;
  const body = parseSps(model);
  const units = await encodeHead({ decode, skip, body, parameterSetId, signal, log });
  const keys = units.filter((unit) => splitAnnexB(unit).some(isIdr));
  return {
    samples: units.map((unit, i) => toSample(unit, pictures[i]?.duration90k ?? 0)),
    sets: collectParameterSets(keys),
  };
}

function isIdr(nal: Uint8Array): boolean {
  return nalType(nal) === NAL_TYPE.idrSlice;
}

/** NAL units that a sample does not repeat: parameter sets are in `avcC`, delimiters and filler are for streams (ISO/IEC 14496-15 §5.3.2). */
const FILLER = 12;
const LEFT_OUT: readonly number[] = [NAL_TYPE.sps, NAL_TYPE.pps, NAL_TYPE.aud, FILLER];

/** An access unit as a sample: its NAL units byte for byte, behind lengths instead of start codes. */
function toSample(accessUnit: Uint8Array, duration: number): PictureSample {
  const nals = splitAnnexB(accessUnit).filter((nal) => !LEFT_OUT.includes(nalType(nal)));
  const data = joinLengthPrefixed(nals);
  return { data, size: data.length, duration, isKey: nals.some(isIdr) };
}

function writeClip(
  plan: CutPlan,
  options: { head: Head; bodySets: ParameterSetList; media: MediaByRef; createdAtMs: number },
): Uint8Array[] {
  const { head, bodySets, media, createdAtMs } = options;
  return writeMp4({
    durationTicks: plan.durationTicks,
    createdAtMs,
    video: isSoundOnly(plan) ? undefined : videoTrack(plan, { head, bodySets, media }),
    audio: {
      audioSpecificConfig: AUDIO_SPECIFIC_CONFIG,
      channels: 2,
      skipSamples: plan.audio.skipSamples,
      samples: plan.audio.frames.map((frame): Sample => {
        const data = frame === 'silence' ? SILENT_AAC_FRAME : media.audio(frame);
        return { data, size: data.length, duration: AAC_FRAME_SAMPLES };
      }),
    },
  });
}

function isSoundOnly({ head, body }: CutPlan): boolean {
  return head === null && body.length === 0;
}

function videoTrack(
  plan: CutPlan,
  { head, bodySets, media }: { head: Head; bodySets: ParameterSetList; media: MediaByRef },
): VideoTrack<PictureSample> {
  const copy = (picture: ClipPicture): PictureSample =>
    toSample(media.picture(picture), picture.duration90k);
  // The body's sets come first: the record's profile and level are theirs.
  const sps = [...bodySets.sps, ...head.sets.sps];
  const { width, height } = parseSps(sps[0] ?? new Uint8Array());
  return {
    width,
    height,
    sps,
    pps: [...bodySets.pps, ...head.sets.pps],
    samples: [...head.samples, ...plan.body.map(copy)],
  };
}

function describe(plan: CutPlan, originMs: number, isFullReencode: boolean): string[] {
  const warnings = plan.holes.map(
    ({ startMs, endMs }) =>
      `Nothing was recorded from ${new Date(originMs + startMs).toISOString()} for ${endMs - startMs} ms: ` +
      (isSoundOnly(plan) ? 'silence there.' : 'the last picture stays, without sound.'),
  );
  if (isFullReencode) {
    warnings.push('The encoder changed within the window: every picture was encoded anew.');
  }
  return warnings;
}
