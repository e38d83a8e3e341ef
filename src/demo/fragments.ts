import { ChalkreelError } from '../errors.ts';

/** One moof and mdat pair of a fragmented MP4 (ISO/IEC 14496-12 §8.8), as a camera makes it. */
export type Fragment = {
  readonly data: Buffer;
  /** Of the video track, in its ticks. */
  readonly videoTicks: number;
  readonly startsWithKey: boolean;
};

/** Boxes larger than this are not ours: a camera's fragment is about 20 kB. */
const MAX_BOX_BYTES = 8 * 1024 * 1024;
const VIDEO_TRACK = 1;
/** ISO/IEC 14496-12 §8.8.3.1: sample_is_non_sync_sample. */
const NON_SYNC = 0x0001_0000;

/**
 * Splits a camera's byte stream into its initialisation segment (ftyp and moov) and its fragments. Bytes may
 * come in pieces of any size; `push` returns what they completed, and throws on bytes that are no MP4.
 */
export class FragmentReader {
  #pending: Buffer = Buffer.alloc(0);
  #head: Buffer[] = [];
  #moof: Buffer | undefined;
  #init: Buffer | undefined;

  /** ftyp and moov; undefined until they have come. */
  get init(): Buffer | undefined {
    return this.#init;
  }

  push(chunk: Buffer): Fragment[] {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    const fragments: Fragment[] = [];
    for (let box = this.#takeBox(); box !== undefined; box = this.#takeBox()) {
      const fragment = this.#onBox(box);
      if (fragment !== undefined) fragments.push(fragment);
    }
    return fragments;
  }

  #takeBox(): Buffer | undefined {
    if (this.#pending.length < 8) return undefined;
    const size = this.#pending.readUInt32BE(0);
    if (size < 8 || size > MAX_BOX_BYTES) {
      throw new ChalkreelError('bad-media', `Camera sent a box of ${size} bytes, expected MP4.`);
    }
    if (this.#pending.length < size) return undefined;
    const box = this.#pending.subarray(0, size);
    this.#pending = this.#pending.subarray(size);
    return box;
  }

  #onBox(box: Buffer): Fragment | undefined {
    switch (typeOf(box)) {
      case 'ftyp':
        this.#head = [box];
        return undefined;
      case 'moov':
        this.#init = Buffer.concat([...this.#head, box]);
        return undefined;
      case 'moof':
        this.#moof = box;
        return undefined;
      case 'mdat': {
        if (this.#moof === undefined) return undefined;
        const fragment = { data: Buffer.concat([this.#moof, box]), ...readVideo(this.#moof) };
        this.#moof = undefined;
        return fragment;
      }
      default:
        return undefined;
    }
  }
}

const typeOf = (box: Buffer): string => box.toString('latin1', 4, 8);

function* children(box: Buffer): Generator<Buffer> {
  for (let at = 8; at + 8 <= box.length;) {
    const size = box.readUInt32BE(at);
    if (size < 8) return;
    yield box.subarray(at, at + size);
    at += size;
  }
}

function readVideo(moof: Buffer): { videoTicks: number; startsWithKey: boolean } {
  for (const traf of children(moof)) {
    if (typeOf(traf) !== 'traf') continue;
    const boxes = [...children(traf)];
    const tfhd = boxes.find((box) => typeOf(box) === 'tfhd');
    const trun = boxes.find((box) => typeOf(box) === 'trun');
    if (tfhd === undefined || trun === undefined) continue;
    if (tfhd.readUInt32BE(12) === VIDEO_TRACK) return readRun(trun, readDefaults(tfhd));
  }
  return { videoTicks: 0, startsWithKey: false };
}

type SampleDefaults = { duration: number; flags: number };

/** ISO/IEC 14496-12 §8.8.7: optional fields in order, each announced by a flag. */
function readDefaults(tfhd: Buffer): SampleDefaults {
  const flags = tfhd.readUIntBE(9, 3);
  let at = 16;
  if (flags & 0x01) at += 8; // base_data_offset
  if (flags & 0x02) at += 4; // sample_description_index
  const duration = flags & 0x08 ? tfhd.readUInt32BE(at) : 0;
  if (flags & 0x08) at += 4;
  if (flags & 0x10) at += 4; // default_sample_size
  return { duration, flags: flags & 0x20 ? tfhd.readUInt32BE(at) : 0 };
}

/** ISO/IEC 14496-12 §8.8.8. */
function readRun(
  trun: Buffer,
  defaults: SampleDefaults,
): { videoTicks: number; startsWithKey: boolean } {
  const flags = trun.readUIntBE(9, 3);
  const samples = trun.readUInt32BE(12);
  let at = 16;
  if (flags & 0x001) at += 4; // data_offset
  let firstFlags = defaults.flags;
  if (flags & 0x004) {
    firstFlags = trun.readUInt32BE(at);
    at += 4;
  }
  let ticks = 0;
  for (let i = 0; i < samples; i++) {
    ticks += flags & 0x100 ? trun.readUInt32BE(at) : defaults.duration;
    if (flags & 0x100) at += 4;
    if (flags & 0x200) at += 4; // sample_size
    if (flags & 0x400) {
      if (i === 0) firstFlags = trun.readUInt32BE(at);
      at += 4;
    }
    if (flags & 0x800) at += 4; // sample_composition_time_offset
  }
  return { videoTicks: ticks, startsWithKey: samples > 0 && (firstFlags & NON_SYNC) === 0 };
}
