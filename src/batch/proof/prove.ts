import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { ChalkreelError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import {
  PTS_MODULUS,
  SAMPLES_PER_SEGMENT,
  SEGMENT_MS,
  SEGMENT_TICKS,
  segmentPts90k,
} from '../../model/grid.ts';
import type { Recording } from '../../model/recording.ts';
import type {
  ChunkSegment,
  QualityTarget,
  ReencodeProfile,
  ReencodeProof,
  ReencodeQuality,
} from '../../model/reencode.ts';
import type { ObjectStore } from '../../storage/objects/object-store.ts';
import { prepareInput } from '../chunk/encode-input.ts';
import { BATCH_NICENESS } from '../chunk/encode-pictures.ts';
import type { JoinedOutput, JoinedReencode } from '../join/join.ts';
import type { JoinPlan } from '../join/join-plan.ts';
import {
  decodeOutput,
  hashPictureBytes,
  hashSound,
  mediaFiles,
  type DecodedOutput,
  type ProofRun,
} from './read-output.ts';
import { LEAD_FRAMES, openSound, type Sound } from '../join/sound.ts';
import { readContents } from '../chunk/source-pictures.ts';

/** Compares two files picture by picture: `measureQuality`. */
export type MeasureQuality = (
  reference: string,
  distorted: string,
  options: ProofRun & { readonly seamsMs: readonly number[] },
) => Promise<ReencodeQuality>;

export type ProveOptions = {
  readonly profile: ReencodeProfile;
  readonly recording: Pick<Recording, 'id' | 'originMs'>;
  readonly store: ObjectStore;
  /** For files that are gone when the promise settles: as large as the recording. */
  readonly folder: string;
  readonly measure: MeasureQuality;
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log | undefined;
};

/**
 * Proves that a re-encode is the same lesson as its source: every output decodes whole without a complaint, into pictures at exactly the source's
 * times, all outputs into the same; coded pictures and sound are byte for byte what encoders and recorder made; quality is what was asked for. Throws `reencode-unproved` with
 * what differs, `quality-below-target`, and what reading throws.
 */
export async function proveOutput(
  source: readonly ChunkSegment[],
  joined: JoinedReencode,
  options: ProveOptions,
): Promise<ReencodeProof> {
  const { profile, recording, signal, log } = options;
  const startedAt = performance.now();
  const run = { program: profile.ffmpeg, niceness: BATCH_NICENESS, signal, log };
  const { plan } = joined;
  const pts = plan.pictures === null ? [] : await sourceTimes(source, plan.firstN, options.store);
  const opened = await openSound(plan.grid, { ...options, recordingId: recording.id });
  const sound = await hashExpectedSound(plan, opened);
  let first: DecodedOutput | undefined;
  for (const output of joined.outputs) {
    const decoded = await prove(output, { plan, pts, sound, run });
    first ??= decoded;
    checkChecksums(output, decoded, first);
  }
  const quality = await measureWhole(joined, source, { ...options, run });
  return {
    pictures: pts.length,
    ptsHash: hashTimes(pts, plan.firstN),
    soundFrames: sound.file.frames,
    sound: profile.audio.mode === 'copy' ? 'copied' : 'counted',
    quality,
    tookMs: Math.round(performance.now() - startedAt),
  };
}

/** Ticks from the first segment's start, as the recording's own segments say. */
async function sourceTimes(
  source: readonly ChunkSegment[],
  firstN: number,
  store: ObjectStore,
): Promise<number[]> {
  const times: number[] = [];
  for await (const { n, pictures } of readContents(store, source)) {
    for (const offset of pictures) times.push((n - firstN) * SEGMENT_TICKS + offset);
  }
  return times;
}

type Expected = {
  readonly plan: JoinPlan;
  readonly pts: readonly number[];
  readonly sound: ExpectedSound;
  readonly run: ProofRun;
};

async function prove(output: JoinedOutput, expected: Expected): Promise<DecodedOutput> {
  const { plan, pts, run } = expected;
  await checkSound(output, expected);
  if (plan.pictures !== null) await checkPictureBytes(output, plan, run);
  const decoded = await decode(output, plan, run);
  checkTimes(output, decoded.pts, { pts, startPts: startPtsOf(output, plan) });
  const segments = heard(output, plan).length;
  expect(output, 'decoded samples of sound', segments * SAMPLES_PER_SEGMENT, decoded.samples);
  return decoded;
}

async function decode(output: JoinedOutput, plan: JoinPlan, run: ProofRun): Promise<DecodedOutput> {
  try {
    return await decodeOutput(output, plan.pictures !== null, run);
  } catch (error) {
    run.signal?.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    return unproved(output, `it does not decode: ${message}`, error);
  }
}

/** MPEG-TS has the recording's own PTS, the others begin at 0. */
function startPtsOf({ kind }: JoinedOutput, { firstN }: JoinPlan): number {
  return kind === 'hls-ts' ? segmentPts90k(firstN) : 0;
}

function checkTimes(
  output: JoinedOutput,
  found: readonly number[],
  { pts, startPts }: { readonly pts: readonly number[]; readonly startPts: number },
): void {
  // MPEG-TS counts modulo 2^33; readers go on beyond, or begin below 0.
  const wrap = (ticks: number): number => ((ticks % PTS_MODULUS) + PTS_MODULUS) % PTS_MODULUS;
  const isAt = (i: number, at: number): boolean => {
    const there = found[i];
    return there !== undefined && wrap(there) === wrap(startPts + at);
  };
  const wrong = pts.findIndex((at, i) => !isAt(i, at));
  if (wrong !== -1) {
    const expected = startPts + (pts[wrong] ?? 0);
    unproved(
      output,
      `picture ${wrong} is at ${found[wrong] ?? 'none'} ticks, expected ${expected}`,
    );
  }
  expect(output, 'pictures', pts.length, found.length);
}

/** Numbers from the first whose sound is in an output: HLS leaves holes out, a file is silent in them. */
function heard({ kind }: Pick<JoinedOutput, 'kind'>, { grid }: JoinPlan): number[] {
  return [...grid.keys()].filter((i) => kind === 'mp4' || grid[i] !== undefined);
}

/** What must be heard in a file, and in HLS. */
type ExpectedSound = Readonly<
  Record<'file' | 'hls', { readonly frames: number; readonly sha256: string }>
>;

async function hashExpectedSound(plan: JoinPlan, sound: Sound): Promise<ExpectedSound> {
  const [file, hls] = [createHash('sha256').update(sound.lead), createHash('sha256')];
  const frames = { file: LEAD_FRAMES, hls: 0 };
  for (const [index, segment] of plan.grid.entries()) {
    const block = await sound.read(index);
    for (const frame of block) {
      file.update(frame);
      if (segment !== undefined) hls.update(frame);
    }
    frames.file += block.length;
    if (segment !== undefined) frames.hls += block.length;
  }
  return {
    file: { frames: frames.file, sha256: file.digest('hex') },
    hls: { frames: frames.hls, sha256: hls.digest('hex') },
  };
}

async function checkSound(output: JoinedOutput, { sound, run }: Expected): Promise<void> {
  const { frames, sha256 } = output.kind === 'mp4' ? sound.file : sound.hls;
  const found = await hashSound(mediaFiles(output).sound, run);
  expect(output, 'AAC frames', frames, found.frames);
  expect(output, 'SHA-256 of all AAC frames', sha256, found.sha256);
}

async function checkPictureBytes(
  output: JoinedOutput,
  { chunks }: JoinPlan,
  run: ProofRun,
): Promise<void> {
  const lengths = chunks.map(({ sizes }) => sizes.reduce((sum, bytes) => sum + bytes, 0));
  const found = await hashPictureBytes(output, lengths, run);
  for (const [i, { sha256, firstN }] of chunks.entries()) {
    expect(output, `SHA-256 of the coded pictures from segment ${firstN}`, sha256, found[i]);
  }
  expect(output, 'chunks of coded pictures', chunks.length, found.length);
}

function checkChecksums(output: JoinedOutput, decoded: DecodedOutput, first: DecodedOutput): void {
  const wrong = first.checksums.findIndex((checksum, i) => decoded.checksums[i] !== checksum);
  if (wrong !== -1)
    unproved(output, `picture ${wrong} decodes to another than in the first output`);
}

async function measureWhole(
  { outputs, plan }: JoinedReencode,
  source: readonly ChunkSegment[],
  options: ProveOptions & { readonly run: ProofRun },
): Promise<ReencodeQuality | null> {
  const { profile, recording, store, folder, signal, measure, run } = options;
  const distorted = outputs[0] === undefined ? undefined : mediaFiles(outputs[0]).pictures;
  if (profile.video === null || distorted === undefined) return null;
  const reference = path.join(folder, 'reference.mp4');
  try {
    const originMs = recording.originMs ?? 0;
    await prepareInput(source, { store, originMs, file: reference, signal });
    const seams = plan.chunks.slice(1).map(({ firstN }) => (firstN - plan.firstN) * SEGMENT_MS);
    const measured = await measure(reference, distorted, { ...run, seamsMs: seams });
    const quality = {
      ssimDb: measured.ssimDb,
      worstFrameDb: measured.worstFrameDb,
      worstFrameAtMs: plan.firstN * SEGMENT_MS + measured.worstFrameAtMs,
      seamSsimDb: measured.seamSsimDb,
    };
    checkQuality(quality, profile.video.quality);
    return quality;
  } finally {
    await rm(reference, { force: true });
  }
}

/** Also seams: the mean of the pictures around them must not be below what is asked of the worst of all. */
function checkQuality(quality: ReencodeQuality, target: QualityTarget): void {
  const { ssimDb, worstFrameDb, worstFrameAtMs, seamSsimDb } = quality;
  const say = (db: number): string => `${db.toFixed(2)} dB`;
  const lacks = [
    ...(ssimDb < target.ssimDb ? [`SSIM-Y ${say(ssimDb)}, target ${say(target.ssimDb)}`] : []),
    ...(worstFrameDb < target.worstFrameDb
      ? [
          `the worst picture, at ${worstFrameAtMs} ms, ${say(worstFrameDb)}, target ${say(target.worstFrameDb)}`,
        ]
      : []),
    ...(seamSsimDb !== null && seamSsimDb < target.worstFrameDb
      ? [`the seams ${say(seamSsimDb)}, target ${say(target.worstFrameDb)}`]
      : []),
  ];
  if (lacks.length === 0) return;
  throw new ChalkreelError(
    'quality-below-target',
    `The re-encode lacks quality: ${lacks.join('; ')}.`,
    {
      details: { quality, target },
    },
  );
}

/** Ticks from the recording's origin. */
function hashTimes(pts: readonly number[], firstN: number): string {
  const hash = createHash('sha256');
  for (const at of pts) hash.update(`${firstN * SEGMENT_TICKS + at}\n`);
  return hash.digest('hex');
}

function expect(output: JoinedOutput, what: string, expected: unknown, found: unknown): void {
  if (expected === found) return;
  unproved(output, `${what}: expected ${String(expected)}, got ${String(found)}`);
}

function unproved({ kind }: JoinedOutput, what: string, cause?: unknown): never {
  throw new ChalkreelError('reencode-unproved', `Output ${kind} is not its source: ${what}.`, {
    cause,
    details: { output: kind, what },
  });
}
