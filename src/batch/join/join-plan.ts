import { createHash } from 'node:crypto';
import { ChalkreelError } from '../../errors.ts';
import type { CodedTrack } from '../../media/mp4/fragment-reader.ts';
import { SEGMENT_TICKS } from '../../model/grid.ts';
import type { ChunkResult, ChunkSegment } from '../../model/reencode.ts';
import type { ChunkTables } from '../chunk/chunk-objects.ts';

/** A coded picture's place in the whole, all in decoding order; times are ticks from the first segment's start. */
export type JoinPictures = {
  readonly track: CodedTrack;
  readonly bytes: readonly number[];
  readonly pts: readonly number[];
  /** How long each is shown; the last one before a hole, to the hole. */
  readonly durations: readonly number[];
  /** When each is decoded, but for the delay: rising. */
  readonly decodeAt: readonly number[];
  readonly isKey: readonly boolean[];
  /** Most ticks by which a picture is decoded before it is shown. */
  readonly delay: number;
};

/** What is joined, and that it fits. */
export type JoinPlan = {
  readonly chunks: readonly (ChunkTables & Pick<ChunkResult, 'name' | 'media'>)[];
  readonly pictures: JoinPictures | null;
  readonly firstN: number;
  /** For each number from the first to the last: its segment, undefined for a hole. */
  readonly grid: readonly (ChunkSegment | undefined)[];
};

type Chunk = JoinPlan['chunks'][number];

/**
 * Orders chunks and makes sure that they are all of the source, once, and alike. Throws `join-incomplete` and `join-parameter-sets-differ`, with the
 * chunk at fault.
 */
export function planJoin(
  chunks: readonly Chunk[],
  source: readonly ChunkSegment[],
  { hasPictures }: { readonly hasPictures: boolean },
): JoinPlan {
  const [first, last] = [source[0], source.at(-1)];
  if (first === undefined || last === undefined) {
    throw new ChalkreelError('join-incomplete', 'Expected segments to join, got none.');
  }
  const byNumber = new Map(source.map((segment) => [segment.n, segment]));
  const grid = Array.from({ length: last.n - first.n + 1 }, (_, i) => byNumber.get(first.n + i));
  const ordered = [...chunks].sort((a, b) => a.firstN - b.firstN);
  if (!hasPictures) return { chunks: [], pictures: null, firstN: first.n, grid };
  checkComplete(ordered, source);
  checkAlike(ordered);
  return { chunks: ordered, pictures: placePictures(ordered, first.n), firstN: first.n, grid };
}

function checkComplete(chunks: readonly Chunk[], source: readonly ChunkSegment[]): void {
  const covered = chunks.flatMap(({ firstN, segments }) =>
    Array.from({ length: segments }, (_, i) => firstN + i),
  );
  const wrong = source.findIndex(({ n }, i) => covered[i] !== n);
  if (wrong === -1 && covered.length === source.length) return;
  const at = wrong === -1 ? source.length : wrong;
  throw new ChalkreelError(
    'join-incomplete',
    `Expected chunks of all ${source.length} segments, number ${source[at]?.n ?? 'none'} next; got ${covered[at] ?? 'none'}.`,
    { details: { segment: source[at]?.n ?? null } },
  );
}

/** One sample entry describes them all. */
function checkAlike(chunks: readonly Chunk[]): void {
  const describe = ({ format, width, height, config }: Chunk): string =>
    `${format} ${width}×${height}, configuration ${createHash('sha256').update(config).digest('hex').slice(0, 12)}`;
  const [first] = chunks;
  const other = chunks.find((chunk) => first !== undefined && describe(chunk) !== describe(first));
  if (first === undefined || other === undefined) return;
  throw new ChalkreelError(
    'join-parameter-sets-differ',
    `Chunk ${other.name} (from segment ${other.firstN}) is ${describe(other)}; expected what chunk ${first.name} ` +
      `(from segment ${first.firstN}) is: ${describe(first)}. Equal settings give equal parameter sets: was the encoder changed meanwhile?`,
    { details: { chunk: other.name, encoders: [first.encoder, other.encoder] } },
  );
}

/**
 * A picture lasts until the next one is shown, and is decoded when those decoded before it have lasted: so durations are those of
 * the presentation, in whatever order pictures are decoded, and a player knows when the last one ends.
 */
function placePictures(chunks: readonly Chunk[], firstN: number): JoinPictures {
  const pictures = {
    ...{ bytes: [] as number[], pts: [] as number[], durations: [] as number[] },
    ...{ decodeAt: [] as number[], isKey: [] as boolean[] },
  };
  let delay = 0;
  for (const chunk of chunks) {
    const lasts = lastingOf(chunk);
    const keys = new Set(chunk.keys);
    const start = (chunk.firstN - firstN) * SEGMENT_TICKS;
    let due = start;
    for (const [i, at] of chunk.pts.entries()) {
      const duration = lasts.get(at) ?? 0;
      pictures.bytes.push(chunk.sizes[i] ?? 0);
      pictures.pts.push(start + at);
      pictures.durations.push(duration);
      pictures.decodeAt.push(due);
      pictures.isKey.push(keys.has(i));
      delay = Math.max(delay, due - start - at);
      due += duration;
    }
  }
  const [{ format, config, width, height }] = chunks as [Chunk];
  const track = { format, config: Buffer.from(config, 'base64'), width, height };
  return { track, ...pictures, delay };
}

/** How long the picture at each time is shown, ticks; the last one to the chunk's end. */
function lastingOf({ pts, segments }: Chunk): ReadonlyMap<number, number> {
  const shown = [...pts].sort((a, b) => a - b);
  const end = segments * SEGMENT_TICKS;
  return new Map(shown.map((at, i) => [at, (shown[i + 1] ?? end) - at]));
}
