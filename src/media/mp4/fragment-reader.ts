import { ChalkreelError } from '../../errors.ts';
import type { CodedDescription } from './movie.ts';

/** One coded picture of a fragmented MP4, in decoding order. */
export type CodedPicture = {
  /** Presentation time, ticks of 90 kHz, from wherever the file counts. */
  readonly pts90k: number;
  readonly isKey: boolean;
  readonly data: Buffer;
};

export type CodedTrack = CodedDescription & {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
};

const BOX_HEADER_BYTES = 8;
/** Fields of a visual sample entry ahead of its boxes (ISO/IEC 14496-12 §12.1.3). */
const VISUAL_FIELDS_BYTES = 78;
const CONFIG_BOX = { avc1: 'avcC', hvc1: 'hvcC', av01: 'av1C' } as const;
const TICKS_PER_SECOND = 90_000;
/** sample_is_non_sync_sample (§8.8.3.1). */
const NON_SYNC = 0x1_0000;

type Box = { readonly type: string; readonly body: Buffer };
type Run = {
  readonly pts90k: number;
  readonly isKey: boolean;
  /** From the first byte of `moof`. */
  readonly offset: number;
  readonly bytes: number;
};

/**
 * Reads the fragmented MP4 that an encoder writes to a pipe (one video track, `default_base_moof`, 90 000 ticks a second) as it comes: hands out
 * each picture as soon as its fragment is whole. Throws `encoder-output` for anything else.
 */
export class FragmentReader {
  readonly #onPicture: (picture: CodedPicture) => void;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #neededBytes = BOX_HEADER_BYTES;
  #runs: { readonly moofBytes: number; readonly samples: readonly Run[] } | undefined;
  #track: CodedTrack | undefined;

  constructor(onPicture: (picture: CodedPicture) => void) {
    this.#onPicture = onPicture;
  }

  /** Takes the next bytes. */
  push(chunk: Buffer): void {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    while (this.#waitingBytes >= this.#neededBytes) {
      const bytes = Buffer.concat(this.#waiting);
      this.#waiting = [bytes];
      const size = boxSize(bytes);
      this.#neededBytes = size;
      if (bytes.length < size) return;
      this.#take(bytes.subarray(0, size));
      this.#waiting = [bytes.subarray(size)];
      this.#waitingBytes -= size;
      this.#neededBytes = BOX_HEADER_BYTES;
    }
  }

  /** What the pictures are, once that has come. */
  get track(): CodedTrack | undefined {
    return this.#track;
  }

  /** What the pictures are; to be called when all has come. Throws `encoder-output` where the file ends too early. */
  finish(): CodedTrack {
    if (this.#track === undefined) fail('a video track', 'none');
    if (this.#waitingBytes > 0)
      fail('whole boxes', `${this.#waitingBytes} bytes of one at the end`);
    if (this.#runs !== undefined) fail('mdat behind the last moof', 'none');
    return this.#track;
  }

  #take(bytes: Buffer): void {
    const type = bytes.toString('latin1', 4, BOX_HEADER_BYTES);
    const body = bytes.subarray(BOX_HEADER_BYTES);
    if (type === 'moov') this.#track = readTrack(body);
    if (type === 'moof') this.#runs = { moofBytes: bytes.length, samples: readRuns(body) };
    if (type === 'mdat') this.#handOut(bytes);
  }

  #handOut(mdat: Buffer): void {
    const { moofBytes, samples } = this.#runs ?? fail('moof ahead of mdat', 'none');
    this.#runs = undefined;
    for (const { pts90k, isKey, offset, bytes } of samples) {
      const start = offset - moofBytes;
      if (start < BOX_HEADER_BYTES || start + bytes > mdat.length) {
        fail(`a sample in the ${mdat.length} bytes of mdat`, `one at ${start} of ${bytes} bytes`);
      }
      // A copy: a view would hold the whole fragment.
      this.#onPicture({ pts90k, isKey, data: Buffer.from(mdat.subarray(start, start + bytes)) });
    }
  }
}

function boxSize(bytes: Buffer): number {
  const size = bytes.readUInt32BE(0);
  if (size >= BOX_HEADER_BYTES) return size;
  return fail('a box with a size of 32 bits', `${size}`);
}

function boxes(bytes: Buffer): Box[] {
  const found: Box[] = [];
  for (let at = 0; at + BOX_HEADER_BYTES <= bytes.length;) {
    const size = boxSize(bytes.subarray(at));
    const type = bytes.toString('latin1', at + 4, at + BOX_HEADER_BYTES);
    found.push({ type, body: bytes.subarray(at + BOX_HEADER_BYTES, at + size) });
    at += size;
  }
  return found;
}

function getBox(bytes: Buffer, ...path: readonly string[]): Buffer {
  return path.reduce((body, type) => {
    const found = boxes(body).find((candidate) => candidate.type === type);
    return found?.body ?? fail(`box ${path.join('/')}`, 'none');
  }, bytes);
}

function readTrack(moov: Buffer): CodedTrack {
  const media = getBox(moov, 'trak', 'mdia');
  const mdhd = getBox(media, 'mdhd');
  const timescale = mdhd.readUInt32BE(mdhd[0] === 1 ? 20 : 12);
  if (timescale !== TICKS_PER_SECOND) fail(`${TICKS_PER_SECOND} ticks a second`, `${timescale}`);
  const [entry] = boxes(getBox(media, 'minf', 'stbl', 'stsd').subarray(8));
  const format = entry?.type;
  if (entry === undefined || (format !== 'avc1' && format !== 'hvc1' && format !== 'av01')) {
    return fail('avc1, hvc1 or av01', format ?? 'no sample entry');
  }
  const config = getBox(entry.body.subarray(VISUAL_FIELDS_BYTES), CONFIG_BOX[format]);
  const head = Buffer.alloc(BOX_HEADER_BYTES);
  head.writeUInt32BE(BOX_HEADER_BYTES + config.length, 0);
  head.write(CONFIG_BOX[format], 4, 'latin1');
  return {
    format,
    config: Buffer.concat([head, config]),
    width: entry.body.readUInt16BE(24),
    height: entry.body.readUInt16BE(26),
  };
}

/** `tfhd`'s optional fields, in their order (§8.8.7.1): bytes each takes. */
const TFHD_FIELDS = [
  { flag: 0x1, bytes: 8, name: 'base' },
  { flag: 0x2, bytes: 4, name: 'description' },
  { flag: 0x8, bytes: 4, name: 'duration' },
  { flag: 0x10, bytes: 4, name: 'size' },
  { flag: 0x20, bytes: 4, name: 'flags' },
] as const;

function readRuns(moof: Buffer): Run[] {
  const traf = getBox(moof, 'traf');
  const tfhd = getBox(traf, 'tfhd');
  const defaults = { duration: 0, size: 0, flags: 0 };
  let at = 8;
  for (const { flag, bytes, name } of TFHD_FIELDS) {
    if ((tfhd.readUInt32BE(0) & flag) === 0) continue;
    if (name === 'base') fail('offsets from moof', 'base_data_offset');
    if (name !== 'description') defaults[name] = tfhd.readUInt32BE(at);
    at += bytes;
  }
  const tfdt = getBox(traf, 'tfdt');
  let dts = tfdt[0] === 1 ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4);
  const runs: Run[] = [];
  for (const { type, body } of boxes(traf)) {
    if (type !== 'trun') continue;
    const run = readRun(body, defaults, dts);
    runs.push(...run.samples);
    dts = run.endDts;
  }
  return runs;
}

function readRun(
  trun: Buffer,
  defaults: { readonly duration: number; readonly size: number; readonly flags: number },
  startDts: number,
): { readonly samples: readonly Run[]; readonly endDts: number } {
  const flags = trun.readUInt32BE(0) & 0xff_ffff;
  if ((flags & 0x1) === 0) fail('a data offset in trun', 'none');
  let offset = trun.readInt32BE(8);
  let at = 12;
  const next = (flag: number, otherwise: number): number => {
    if ((flags & flag) === 0) return otherwise;
    at += 4;
    return trun.readUInt32BE(at - 4);
  };
  const firstFlags = next(0x4, -1);
  let dts = startDts;
  const samples = Array.from({ length: trun.readUInt32BE(4) }, (_, i): Run => {
    const duration = next(0x100, defaults.duration);
    const bytes = next(0x200, defaults.size);
    const own = next(0x400, i === 0 && firstFlags !== -1 ? firstFlags : defaults.flags);
    // Signed in version 1, and never near 2^31 in version 0.
    const composition = next(0x800, 0) | 0;
    const run = { pts90k: dts + composition, isKey: (own & NON_SYNC) === 0, offset, bytes };
    dts += duration;
    offset += bytes;
    return run;
  });
  return { samples, endDts: dts };
}

function fail(expected: string, got: string): never {
  throw new ChalkreelError('encoder-output', `Expected ${expected} of the encoder, got ${got}.`, {
    fault: 'dependency',
  });
}
