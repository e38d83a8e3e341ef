import { attempt } from '../attempt.ts';
import type { Complain } from '../findings.ts';
import type { Pes } from '../transport/pes.ts';
import { BitReader } from './bits.ts';
import { NAL, rbspOf, readNalUnit, splitByteStream, type NalUnit } from './nal.ts';
import { createOrderCheck, type OrderCheck } from './order.ts';
import { parsePps, type Pps } from './pps.ts';
import { SLICE_B, parseSlice, type Slice } from './slice.ts';
import { parseSps, type Sps } from './sps.ts';

/** More than the longest slice header of a frame with one reference; slices are read no further. */
const SLICE_HEADER_BYTES = 256;
/** Slice types (mod 5) that each primary_pic_type allows (table 7-5). */
const PRIMARY_PIC_TYPES = [
  [2],
  [0, 2],
  [0, 1, 2],
  [4],
  [3, 4],
  [2, 4],
  [0, 2, 3, 4],
  [0, 1, 2, 3, 4],
];

/** One access unit; times in 90 kHz ticks. */
export type Picture = {
  readonly offset: number;
  readonly pts: number;
  readonly dts: number | undefined;
  readonly isIdr: boolean;
};

/** The pictures of a segment, and its parameter sets: `key` is equal where all of them are. */
export type Pictures = {
  readonly list: readonly Picture[];
  readonly sps: readonly Sps[];
  readonly key: string;
};

type Reading = {
  readonly sps: Map<number, Sps>;
  readonly pps: Map<number, Pps>;
  /** Parameter sets by NAL type and id, in hex. */
  readonly sources: Map<string, string>;
  readonly order: OrderCheck;
  readonly complain: Complain;
};

/** Reads the access units of one segment and checks each (ISO/IEC 14496-10 §7.4.1.2). */
export function readPictures(units: readonly Pes[], complain: Complain): Pictures {
  const reading: Reading = {
    sps: new Map(),
    pps: new Map(),
    sources: new Map(),
    order: createOrderCheck(),
    complain,
  };
  const list = units.map((unit, at) => readPicture(unit, at === 0, reading));
  const sources = [...reading.sources].sort(([a], [b]) => a.localeCompare(b));
  return { list, sps: [...reading.sps.values()], key: sources.flat().join(' ') };
}

function readPicture(unit: Pes, isFirst: boolean, reading: Reading): Picture {
  const complain: Complain = (rule, _, message) => {
    reading.complain(rule, unit.offset, message);
  };
  const refuse = (message: string): void => {
    complain('nal-syntax', null, message);
  };
  const units = attempt(() => splitByteStream(unit.payload), refuse) ?? [];
  const nals = units.flatMap((bytes) => attempt(() => readNalUnit(bytes), refuse) ?? []);
  for (const nal of nals) {
    attempt(() => {
      readParameterSet(nal, reading, complain);
    }, refuse);
  }
  const slices = nals
    .filter((nal) => nal.type === NAL.slice || nal.type === NAL.idr)
    .flatMap((nal) => attempt(() => readSlice(nal, reading), refuse) ?? []);
  checkDelimiter(nals, slices, complain);
  checkSlices(nals, slices, complain);
  const [first] = slices;
  if (first)
    attempt(
      () => {
        reading.order(first, reading);
      },
      (message) => {
        complain('frame-num', null, message);
      },
    );
  if (isFirst) checkFirst(nals, complain);
  return { offset: unit.offset, pts: unit.pts, dts: unit.dts, isIdr: first?.isIdr ?? false };
}

function readParameterSet(nal: NalUnit, reading: Reading, complain: Complain): void {
  if (nal.type !== NAL.sps && nal.type !== NAL.pps) return;
  const reader = new BitReader(rbspOf(nal));
  const set = nal.type === NAL.sps ? parseSps(reader) : parsePps(reader);
  const [name, source] = [`${nal.type}:${set.id}`, Buffer.from(nal.bytes).toString('hex')];
  const known = reading.sources.get(name);
  if (known !== undefined && known !== source) {
    complain('parameter-sets', null, `parameter set ${name} changes inside the segment`);
  }
  reading.sources.set(name, known ?? source);
  if ('profile' in set) reading.sps.set(set.id, set);
  else reading.pps.set(set.id, set);
}

function readSlice(nal: NalUnit, reading: Reading): Slice {
  const head = { ...nal, bytes: nal.bytes.subarray(0, SLICE_HEADER_BYTES) };
  return parseSlice(nal, new BitReader(rbspOf(head)), reading);
}

function checkDelimiter(nals: readonly NalUnit[], slices: Slice[], complain: Complain): void {
  const [first] = nals;
  if (first?.type !== NAL.aud) {
    complain('aud', null, `the access unit starts with NAL unit type ${first?.type}`);
    return;
  }
  const content = first.bytes[1] ?? 0;
  if (first.bytes.length !== 2 || (content & 0x1f) !== 0x10) {
    complain('nal-syntax', null, 'the access unit delimiter is malformed');
  }
  const allowed = PRIMARY_PIC_TYPES[content >> 5] ?? [];
  const alien = slices.find((slice) => !allowed.includes(slice.type));
  if (alien) complain('aud', null, `primary_pic_type ${content >> 5}, slice type ${alien.type}`);
  if (nals.filter((nal) => nal.type === NAL.aud).length > 1) {
    complain('access-unit', null, 'a second access unit starts in the same PES packet');
  }
}

function checkSlices(nals: readonly NalUnit[], slices: readonly Slice[], complain: Complain): void {
  const [first] = slices;
  const firstSliceAt = nals.findIndex((nal) => nal.type === NAL.slice || nal.type === NAL.idr);
  if (!first) {
    if (firstSliceAt < 0) complain('access-unit', null, 'the access unit has no slice');
    return;
  }
  if (first.firstMb !== 0) complain('access-unit', null, `starts at macroblock ${first.firstMb}`);
  for (const [at, slice] of slices.entries()) {
    const before = slices[at - 1];
    if (slice.type === SLICE_B) complain('no-b-frames', null, 'a B slice');
    if (!before) continue;
    const isSamePicture = before.frameNum === slice.frameNum && before.isIdr === slice.isIdr;
    if (slice.firstMb <= before.firstMb || !isSamePicture || before.pocLsb !== slice.pocLsb) {
      complain('access-unit', null, 'slices of two pictures, or out of order');
    }
  }
  const lateSet = nals
    .slice(firstSliceAt)
    .find((nal) => nal.type === NAL.sps || nal.type === NAL.pps);
  if (lateSet) complain('access-unit', null, 'a parameter set comes after a slice');
}

function checkFirst(nals: readonly NalUnit[], complain: Complain): void {
  const types = nals.map((nal) => nal.type);
  const missing = [NAL.sps, NAL.pps, NAL.idr].filter((type) => !types.includes(type));
  if (missing.length > 0) {
    complain('idr-first', null, `the first picture lacks NAL unit type ${missing.join(', ')}`);
  }
}
