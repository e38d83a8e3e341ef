import { invalid } from './invalid.ts';
import type { Packet } from './packet-reader.ts';
import { PTS_BYTES, readPts } from './timestamps.ts';

/** One PES, read back. */
export type Pes = {
  /** Byte offset, in the stream, of its first transport packet. */
  readonly at: number;
  readonly pts90k: number;
  /** What follows its header. */
  readonly data: Buffer;
};

const FIXED_HEADER_BYTES = 9;
const STREAM_ID_MASK = { video: 0xf0, audio: 0xe0 } as const;
const STREAM_ID_BASE = { video: 0xe0, audio: 0xc0 } as const;

/** Puts one PID's PES together again; hands each to `onPes` when the next begins, the last on `end()`. */
export class PesAssembler {
  readonly #kind: 'video' | 'audio';
  readonly #onPes: (pes: Pes) => void;
  #at = 0;
  #payloads: Buffer[] = [];

  constructor(kind: 'video' | 'audio', onPes: (pes: Pes) => void) {
    this.#kind = kind;
    this.#onPes = onPes;
  }

  /** Takes the PID's next packet. Throws `media-invalid`. */
  add({ at, isUnitStart, payload }: Packet): void {
    if (payload === undefined) return;
    if (isUnitStart) {
      this.end();
      this.#at = at;
    } else if (this.#payloads.length === 0)
      invalid(at, `a ${this.#kind} PES to start`, 'its middle');
    this.#payloads.push(payload);
  }

  /** Hands out the PES that is open, if any. Throws `media-invalid`. */
  end(): void {
    if (this.#payloads.length === 0) return;
    const pes = readPes(Buffer.concat(this.#payloads), this.#at, this.#kind);
    this.#payloads = [];
    this.#onPes(pes);
  }
}

/** Reads a whole PES; DTS, where there is one, must equal PTS: there are no B pictures (ISO/IEC 13818-1 §2.4.3.6). */
function readPes(bytes: Buffer, at: number, kind: 'video' | 'audio'): Pes {
  if (bytes.length < FIXED_HEADER_BYTES + PTS_BYTES) {
    invalid(at, `at least ${FIXED_HEADER_BYTES + PTS_BYTES} bytes of PES`, bytes.length);
  }
  const startCode = bytes.readUIntBE(0, 3);
  if (startCode !== 1) invalid(at, 'packet_start_code_prefix 1', startCode);
  const streamId = bytes.readUInt8(3);
  if ((streamId & STREAM_ID_MASK[kind]) !== STREAM_ID_BASE[kind]) {
    invalid(at, `a PES of ${kind}`, `stream id ${streamId}`);
  }
  checkLength(bytes, at, kind);
  const headerBytes = bytes.readUInt8(8);
  if (FIXED_HEADER_BYTES + headerBytes > bytes.length) {
    invalid(at, `a PES header of ${headerBytes} bytes`, bytes.length - FIXED_HEADER_BYTES);
  }
  const pts90k = readTimes(bytes, at, headerBytes);
  return { at, pts90k, data: bytes.subarray(FIXED_HEADER_BYTES + headerBytes) };
}

/** PES_packet_length 0 is allowed for video, and means: up to the next. */
function checkLength(bytes: Buffer, at: number, kind: 'video' | 'audio'): void {
  const length = bytes.readUInt16BE(4);
  if (length === 0 && kind === 'video') return;
  if (length !== bytes.length - 6)
    invalid(at, `a PES with ${length} bytes to follow`, bytes.length - 6);
}

function readTimes(bytes: Buffer, at: number, headerBytes: number): number {
  const flags = bytes.readUInt8(7) >> 6;
  const isHeader = bytes.readUInt8(6) >> 6 === 2;
  const needed = flags === 3 ? 2 * PTS_BYTES : PTS_BYTES;
  const pts90k = readPts(bytes, FIXED_HEADER_BYTES);
  if (!isHeader || flags < 2 || headerBytes < needed || pts90k === undefined) {
    return invalid(at, 'a PES header with PTS', 'none');
  }
  if (flags === 3) {
    const isWhole = bytes.length >= FIXED_HEADER_BYTES + needed;
    const dts90k = isWhole ? readPts(bytes, FIXED_HEADER_BYTES + PTS_BYTES) : undefined;
    if (dts90k !== pts90k) invalid(at, `DTS ${pts90k}, as PTS`, dts90k ?? 'none');
  }
  return pts90k;
}
