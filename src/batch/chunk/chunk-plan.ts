import type { Chunk, ChunkSegment, ReencodeProfile } from '../../model/reencode.ts';

/**
 * Segments a chunk has, about: 32 s. Starting an encoder and filling its lookahead costs some 0.2 s, 1 % of encoding so much; and
 * ten minutes still make 19 chunks, enough to keep several workers busy to the end.
 */
const TARGET_SEGMENTS = 20;

/**
 * Segments behind a chunk that its encoder is shown, 8 s: 40 pictures, as far as x264 looks ahead, even where only one is shown in 200 ms.
 * Without them pictures at a chunk's end would be worse, since nothing seems to be built on them: by up to 2 dB, where little moves.
 */
const LEAD_OUT_SEGMENTS = 5;

/**
 * Cuts a recording, all its entries by number, into chunks: runs of whole segments of about 32 s, each of whole GOPs but the last before a
 * hole or change of codec. Depends on nothing but the entries and the profile. Of a profile of sound alone there are none.
 */
export function planChunks(
  segments: readonly ChunkSegment[],
  { video }: Pick<ReencodeProfile, 'video'>,
): Chunk[] {
  if (video === null) return [];
  const runs = findRuns(segments);
  const parts = runs.flatMap((run) => splitRun(run, video.gopSegments));
  return parts.map(({ segments, leadOut }, index) => ({
    index,
    segments: segments.map(toChunkSegment),
    ...(leadOut.length === 0 ? {} : { leadOut: leadOut.map(toChunkSegment) }),
  }));
}

function toChunkSegment({ n, place, codecHash }: ChunkSegment): ChunkSegment {
  return { n, place, codecHash };
}

/** Stretches without hole or change of parameter sets. */
function findRuns(segments: readonly ChunkSegment[]): ChunkSegment[][] {
  const runs: ChunkSegment[][] = [];
  let before: ChunkSegment | undefined;
  for (const segment of segments) {
    const goesOn = before?.n === segment.n - 1 && before.codecHash === segment.codecHash;
    if (goesOn) runs.at(-1)?.push(segment);
    else runs.push([segment]);
    before = segment;
  }
  return runs;
}

/** Parts of nearly equal length, multiples of the GOP. */
function splitRun(run: readonly ChunkSegment[], gopSegments: number): Part[] {
  const gops = Math.ceil(run.length / gopSegments);
  const parts = Math.min(gops, Math.max(1, Math.round(run.length / TARGET_SEGMENTS)));
  const startOf = (part: number): number => Math.round((part * gops) / parts) * gopSegments;
  return Array.from({ length: parts }, (_, part) => {
    const end = startOf(part + 1);
    return {
      segments: run.slice(startOf(part), end),
      leadOut: run.slice(end, end + LEAD_OUT_SEGMENTS),
    };
  });
}

type Part = Required<Pick<Chunk, 'segments'>> & { readonly leadOut: readonly ChunkSegment[] };
