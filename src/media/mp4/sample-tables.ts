import { box, fullBox, u16, u32, u32Table, u64Table, type Piece } from './box.ts';
import { runsOf } from './columns.ts';
import type { Column, Runs } from './movie.ts';

/** One track's share of the blocks: a chunk for each that has samples of it. */
export type Chunks = {
  /** Samples of each chunk. */
  readonly counts: Column;
  /** Bytes of each chunk's place, from the first byte of media data. */
  readonly offsets: Column;
};

export type SampleTableOptions = {
  readonly entry: readonly Piece[];
  readonly sizes: Column;
  readonly durations: Runs;
  readonly compositionOffsets?: Runs | undefined;
  /** Indices of key pictures, from 0; undefined where every sample is one. */
  readonly keys: Column | undefined;
  readonly chunks: Chunks;
  /** Bytes of the file before the media data. */
  readonly dataStart: number;
  readonly wideOffsets: boolean;
  /** Further boxes: sample groups. */
  readonly groups?: readonly Piece[];
};

/** The sample table `stbl` of one track (ISO/IEC 14496-12 §8.5.1). */
export function stbl(options: SampleTableOptions): readonly Piece[] {
  const { entry, sizes, durations, compositionOffsets, keys, chunks } = options;
  return box(
    'stbl',
    fullBox('stsd', {}, u32(1), entry),
    stts(durations),
    compositionOffsets === undefined ? [] : ctts(compositionOffsets),
    keys === undefined ? [] : stss(keys),
    stsc(chunks),
    fullBox('stsz', {}, u32(0, sizes.length), column(sizes)),
    chunkOffsets(options),
    options.groups ?? [],
  );
}

/** Durations, run-length coded (§8.6.1.2). */
function stts(durations: Runs): readonly Piece[] {
  return fullBox('stts', {}, u32(durations.counts.length), runTable(durations));
}

/** Composition offsets, none of them negative, run-length coded (§8.6.1.3). */
function ctts(offsets: Runs): readonly Piece[] {
  return fullBox('ctts', {}, u32(offsets.counts.length), runTable(offsets));
}

function runTable({ counts, values }: Runs): Piece {
  return u32Table(2 * counts.length, (i) => (i % 2 === 0 ? counts : values)[i >> 1] ?? 0);
}

/** Key pictures, counted from 1 (§8.6.2). */
function stss(keys: Column): readonly Piece[] {
  return fullBox(
    'stss',
    {},
    u32(keys.length),
    u32Table(keys.length, (i) => (keys[i] ?? 0) + 1),
  );
}

/** Samples per chunk, written where it changes (§8.7.4). */
function stsc({ counts }: Chunks): readonly Piece[] {
  const rows: number[] = [];
  for (let i = 0; i < counts.length; i++) {
    if (counts[i] !== counts[i - 1]) rows.push(i + 1, counts[i] ?? 0, 1);
  }
  return fullBox('stsc', {}, u32(rows.length / 3), column(rows));
}

/** §8.7.5. */
function chunkOffsets({ chunks, dataStart, wideOffsets }: SampleTableOptions): readonly Piece[] {
  const { offsets } = chunks;
  const offsetAt = (index: number): number => dataStart + (offsets[index] ?? 0);
  return wideOffsets
    ? fullBox('co64', {}, u32(offsets.length), u64Table(offsets.length, offsetAt))
    : fullBox('stco', {}, u32(offsets.length), u32Table(offsets.length, offsetAt));
}

/** Says that each AAC frame needs the one before it to sound right (§10.1, `roll`), which is what the edit entry skips. */
export function aacRollGroups(sampleCount: number): readonly Piece[] {
  const roll = Buffer.from('roll', 'latin1');
  return [
    ...fullBox('sgpd', { version: 1 }, roll, u32(2, 1), u16(0xffff)), // roll_distance −1
    ...fullBox('sbgp', {}, roll, u32(1, sampleCount, 1)),
  ];
}

/** Samples of equal length. */
export function equalRuns(count: number, value: number): Runs {
  return count === 0 ? runsOf([]) : { counts: [count], values: [value] };
}

function column(values: Column): Piece {
  return u32Table(values.length, (i) => values[i] ?? 0);
}
