import { box, fullBox, u16, u32, u32List, u64List } from './box.ts';
import type { Mp4Sample } from './movie.ts';

/** A run of one track's samples that lie together in the file. */
export type Chunk = {
  readonly track: 'video' | 'audio';
  /** Index of the first sample, from 0. */
  readonly first: number;
  readonly count: number;
  /** Bytes from the first byte of media data. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
};

export type SampleTableOptions = {
  readonly entry: Buffer;
  readonly samples: readonly Mp4Sample[];
  /** Indices of key pictures, from 0; undefined where every sample is one. */
  readonly keys: readonly number[] | undefined;
  readonly chunks: readonly Chunk[];
  /** Bytes of the file before the media data. */
  readonly dataStart: number;
  readonly wideOffsets: boolean;
  /** Further boxes: sample groups. */
  readonly groups?: readonly Buffer[];
};

/** The sample table `stbl` of one track (ISO/IEC 14496-12 §8.5.1). */
export function stbl(options: SampleTableOptions): Buffer {
  const { samples, chunks, dataStart, keys } = options;
  const offsets = chunks.map((chunk) => dataStart + chunk.offset);
  return box(
    'stbl',
    fullBox('stsd', {}, u32(1), options.entry),
    stts(samples),
    ...(keys === undefined
      ? []
      : [fullBox('stss', {}, u32(keys.length), u32List(keys.map((index) => index + 1)))]),
    stsc(chunks),
    fullBox('stsz', {}, u32(0, samples.length), u32List(samples.map((sample) => sample.size))),
    options.wideOffsets
      ? fullBox('co64', {}, u32(offsets.length), u64List(offsets))
      : fullBox('stco', {}, u32(offsets.length), u32List(offsets)),
    ...(options.groups ?? []),
  );
}

/** Durations, run-length coded (§8.6.1.2). */
function stts(samples: readonly Mp4Sample[]): Buffer {
  const runs = runLengths(samples.map((sample) => sample.duration));
  return fullBox(
    'stts',
    {},
    u32(runs.length),
    u32List(runs.flatMap((run) => [run.count, run.value])),
  );
}

/** Samples per chunk, written where it changes (§8.7.4). */
function stsc(chunks: readonly Chunk[]): Buffer {
  const rows: number[] = [];
  let entries = 0;
  let previous = -1;
  chunks.forEach((chunk, index) => {
    if (chunk.count === previous) return;
    previous = chunk.count;
    entries++;
    rows.push(index + 1, chunk.count, 1);
  });
  return fullBox('stsc', {}, u32(entries), u32List(rows));
}

/** Says that each AAC frame needs the one before it to sound right (§10.1, `roll`), which is what the edit entry skips. */
export function aacRollGroups(sampleCount: number): readonly Buffer[] {
  const roll = Buffer.from('roll', 'latin1');
  return [
    fullBox('sgpd', { version: 1 }, roll, u32(2, 1), u16(0xffff)), // roll_distance −1
    fullBox('sbgp', {}, roll, u32(1, sampleCount, 1)),
  ];
}

function runLengths(values: readonly number[]): { count: number; value: number }[] {
  const runs: { count: number; value: number }[] = [];
  for (const value of values) {
    const last = runs.at(-1);
    if (last?.value === value) last.count++;
    else runs.push({ count: 1, value });
  }
  return runs;
}
