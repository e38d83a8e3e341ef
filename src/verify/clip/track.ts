import { findBox, getBox, parseBoxes, type Box } from './boxes.ts';

/** One edit of `elst`: `duration` in the movie's timescale, `mediaTime` in the track's. */
export type Edit = { readonly duration: number; readonly mediaTime: number; readonly rate: number };

/** One sample: its place in the file and in time, in bytes and in units of the track's timescale. */
export type Sample = {
  readonly offset: number;
  readonly size: number;
  readonly time: number;
  readonly duration: number;
};

/** A track of an MP4 (ISO/IEC 14496-12 §8), its tables as they stand. */
export type Track = {
  readonly kind: 'video' | 'audio';
  readonly timescale: number;
  readonly mediaDuration: number;
  readonly trackDuration: number;
  readonly edits: readonly Edit[] | undefined;
  readonly format: string;
  /** The sample entry's boxes, and its own fields. */
  readonly entry: Buffer;
  readonly entryBoxes: readonly Box[];
  readonly samples: readonly Sample[];
  /** Numbers of sync samples from 1, undefined when all are. */
  readonly syncSamples: readonly number[] | undefined;
  readonly hasReordering: boolean;
  readonly counts: { readonly times: number; readonly sizes: number; readonly chunked: number };
};

const ENTRY_FIELDS = { video: 78, audio: 28 } as const;

/** Reads a `trak`; undefined for what is neither picture nor sound; throws RangeError. */
export function readTrack(trak: Box): Track | undefined {
  const handler = getBox(trak.children, 'mdia', 'hdlr').body.toString('latin1', 8, 12);
  const kind = handler === 'vide' ? 'video' : handler === 'soun' ? 'audio' : undefined;
  if (!kind) return undefined;
  const stbl = getBox(trak.children, 'mdia', 'minf', 'stbl').children;
  const header = readHeader(getBox(trak.children, 'mdia', 'mdhd').body);
  const tkhd = getBox(trak.children, 'tkhd').body;
  const elst = findBox(trak.children, 'edts', 'elst');
  const [description, ...others] = parseBoxes(getBox(stbl, 'stsd').body.subarray(8));
  if (!description || others.length > 0) throw new RangeError('stsd has not one entry');
  const ctts = findBox(stbl, 'ctts');
  return {
    kind,
    ...header,
    trackDuration: tkhd[0] === 1 ? readUint64(tkhd, 28) : tkhd.readUInt32BE(20),
    edits: elst && readEdits(elst.body),
    format: description.type,
    entry: description.body,
    entryBoxes: parseBoxes(description.body.subarray(ENTRY_FIELDS[kind])),
    ...readSamples(stbl),
    syncSamples: readSyncSamples(stbl),
    hasReordering: ctts ? readRows(ctts.body, 2).some(([, offset]) => offset !== 0) : false,
  };
}

/** Timescale and duration of `mvhd` or `mdhd`. */
export function readHeader(body: Buffer): { timescale: number; mediaDuration: number } {
  const isLong = body[0] === 1;
  return {
    timescale: body.readUInt32BE(isLong ? 20 : 12),
    mediaDuration: isLong ? readUint64(body, 24) : body.readUInt32BE(16),
  };
}

function readEdits(body: Buffer): Edit[] {
  const isLong = body[0] === 1;
  const size = isLong ? 20 : 12;
  return Array.from({ length: body.readUInt32BE(4) }, (_, index) => {
    const at = 8 + index * size;
    return {
      duration: isLong ? readUint64(body, at) : body.readUInt32BE(at),
      mediaTime: isLong ? Number(body.readBigInt64BE(at + 8)) : body.readInt32BE(at + 4),
      rate: body.readInt32BE(at + size - 4) / 65_536,
    };
  });
}

function readSyncSamples(stbl: readonly Box[]): number[] | undefined {
  const stss = findBox(stbl, 'stss');
  return stss && readRows(stss.body, 1).map(([number = 0]) => number);
}

type Samples = Pick<Track, 'samples' | 'counts'>;

function readSamples(stbl: readonly Box[]): Samples {
  const sizes = readSizes(getBox(stbl, 'stsz').body);
  const durations = readRows(getBox(stbl, 'stts').body, 2).flatMap(([count = 0, delta = 0]) =>
    Array.from({ length: Math.min(count, sizes.length + 1) }, () => delta),
  );
  const offsets = readOffsets(stbl, sizes);
  let time = 0;
  const samples = sizes.map((size, index) => {
    const duration = durations[index] ?? 0;
    const sample = { offset: offsets[index] ?? -1, size, time, duration };
    time += duration;
    return sample;
  });
  const counts = { times: durations.length, sizes: sizes.length, chunked: offsets.length };
  return { samples, counts };
}

function readSizes(body: Buffer): number[] {
  const [same, count] = [body.readUInt32BE(4), body.readUInt32BE(8)];
  if (same === 0 && body.length !== 12 + 4 * count) throw new RangeError('stsz has a wrong count');
  return Array.from({ length: count }, (_, at) => same || body.readUInt32BE(12 + 4 * at));
}

/** The place of each sample from `stsc` and `stco`, as many as they tell. */
function readOffsets(stbl: readonly Box[], sizes: readonly number[]): number[] {
  const stco = findBox(stbl, 'stco');
  const chunks = stco
    ? readRows(stco.body, 1).map(([offset = 0]) => offset)
    : readRows(getBox(stbl, 'co64').body, 2).map(([high = 0, low = 0]) => high * 2 ** 32 + low);
  const runs = readRows(getBox(stbl, 'stsc').body, 3);
  const offsets: number[] = [];
  for (const [index, start] of chunks.entries()) {
    const run = runs.findLast(([first = 0]) => first <= index + 1);
    let at = start;
    for (let sample = 0; sample < Math.min(run?.[1] ?? 0, sizes.length + 1); sample += 1) {
      offsets.push(at);
      at += sizes[offsets.length - 1] ?? 0;
    }
  }
  return offsets;
}

/** Rows of 32-bit numbers after a full box header and a count; throws RangeError when they do not fill the box. */
function readRows(body: Buffer, columns: number): number[][] {
  const count = body.readUInt32BE(4);
  if (body.length !== 8 + count * columns * 4) {
    throw new RangeError(`a table of ${count} rows has ${body.length} bytes`);
  }
  return Array.from({ length: count }, (_, row) =>
    Array.from({ length: columns }, (__, column) =>
      body.readUInt32BE(8 + (row * columns + column) * 4),
    ),
  );
}

function readUint64(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64BE(at));
}
