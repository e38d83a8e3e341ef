import { COUNTER_MODULUS, PACKET_BYTES, PAYLOAD_BYTES, SYNC_BYTE } from './format.ts';
import { PCR_BYTES, PTS_BYTES, writePcr, writePts } from './timestamps.ts';

/** Bytes of a PES header with a PTS and nothing else. */
export const PES_HEADER_BYTES = 9 + PTS_BYTES;
const PACKET_HEADER_BYTES = PACKET_BYTES - PAYLOAD_BYTES;
/** Largest PES_packet_length; a longer video PES says 0 (ISO/IEC 13818-1 §2.4.3.7). */
const MAX_PES_PACKET_LENGTH = 0xffff;
/** payload_unit_start_indicator, in the 16 bits that hold the PID. */
const UNIT_START = 0x4000;
/** adaptation_field_control, in the byte that holds the counter. */
const CONTROL = { payload: 0x10, adaptation: 0x20 } as const;

/** What stands in the adaptation field of a PES's first packet. */
export type FirstPacket = {
  readonly isRandomAccess: boolean;
  readonly pcr90k: number | undefined;
};

/** Writes a PES header with data_alignment_indicator and PTS only (DTS equals it), 14 bytes at `out`'s start. */
export function writePesHeader(
  out: Buffer,
  pes: { readonly streamId: number; readonly pts90k: number; readonly elementaryBytes: number },
): void {
  // PES_packet_length counts from the byte after itself.
  const length = PES_HEADER_BYTES - 6 + pes.elementaryBytes;
  out.writeUInt32BE(0x00000100 | pes.streamId, 0);
  out.writeUInt16BE(length > MAX_PES_PACKET_LENGTH ? 0 : length, 4);
  out[6] = 0x84;
  out[7] = 0x80;
  out[8] = PTS_BYTES;
  writePts(out, 9, pes.pts90k);
}

/** Bytes of a PES header with PTS and DTS. */
export const PES_HEADER_WITH_DTS_BYTES = PES_HEADER_BYTES + PTS_BYTES;

/** Writes a PES header with data_alignment_indicator, PTS and DTS, 19 bytes at `out`'s start. */
export function writePesHeaderWithDts(
  out: Buffer,
  pes: {
    readonly streamId: number;
    readonly pts90k: number;
    readonly dts90k: number;
    readonly elementaryBytes: number;
  },
): void {
  writePesHeader(out, { ...pes, elementaryBytes: pes.elementaryBytes + PTS_BYTES });
  out[7] = 0xc0;
  out[8] = 2 * PTS_BYTES;
  writePts(out, 9, pes.pts90k);
  writePts(out, 9 + PTS_BYTES, pes.dts90k);
  // The prefixes of a pair (ISO/IEC 13818-1 §2.4.3.7): `0011` and `0001`.
  out[9] = (out[9] ?? 0) | 0x30;
  out[9 + PTS_BYTES] = ((out[9 + PTS_BYTES] ?? 0) & 0x0f) | 0x10;
}

/** Packets a PES of so many bytes fills when nothing is stuffed but the last. */
export function packetsNeeded(pesBytes: number, first: FirstPacket): number {
  const beyondFirst = pesBytes - (PAYLOAD_BYTES - adaptationBytes(first));
  return 1 + Math.max(0, Math.ceil(beyondFirst / PAYLOAD_BYTES));
}

/** Lays a whole PES into `packets` packets (at least the needed, at most the possible); the surplus is stuffing. */
export function packetise(
  pes: Buffer,
  options: {
    readonly pid: number;
    readonly counter: number;
    readonly packets: number;
    readonly first: FirstPacket;
  },
): Buffer {
  const { pid, counter, packets, first } = options;
  const out = Buffer.allocUnsafe(packets * PACKET_BYTES);
  let from = 0;
  for (let index = 0; index < packets; index++) {
    const at = index * PACKET_BYTES;
    const isFirst = index === 0;
    // One byte is kept for each packet that follows.
    const spare = pes.length - from - (packets - 1 - index);
    const payload = Math.min(PAYLOAD_BYTES - (isFirst ? adaptationBytes(first) : 0), spare);
    const adaptation = PAYLOAD_BYTES - payload;
    const control = CONTROL.payload | (adaptation > 0 ? CONTROL.adaptation : 0);
    writePacketHeader(out, at, isFirst ? UNIT_START | pid : pid, control, counter + index);
    writeAdaptation(out, at + PACKET_HEADER_BYTES, adaptation, isFirst ? first : undefined);
    pes.copy(out, at + PACKET_BYTES - payload, from, from + payload);
    from += payload;
  }
  return out;
}

/** A packet that carries a PCR and no payload; its counter repeats the last one's (ISO/IEC 13818-1 §2.4.3.3). */
export function pcrPacket(pid: number, lastCounter: number, pcr90k: number): Buffer {
  const out = Buffer.allocUnsafe(PACKET_BYTES);
  writePacketHeader(out, 0, pid, CONTROL.adaptation, lastCounter);
  writeAdaptation(out, PACKET_HEADER_BYTES, PAYLOAD_BYTES, { isRandomAccess: false, pcr90k });
  return out;
}

function writePacketHeader(
  out: Buffer,
  at: number,
  startAndPid: number,
  control: number,
  counter: number,
): void {
  out[at] = SYNC_BYTE;
  out.writeUInt16BE(startAndPid, at + 1);
  out[at + 3] = control | (counter % COUNTER_MODULUS);
}

/** Bytes the adaptation field takes before any stuffing. */
function adaptationBytes(first: FirstPacket): number {
  if (first.pcr90k !== undefined) return 2 + PCR_BYTES;
  return first.isRandomAccess ? 2 : 0;
}

/** Writes an adaptation field of exactly `bytes` bytes (ISO/IEC 13818-1 §2.4.3.4), stuffed with 0xFF. */
function writeAdaptation(
  out: Buffer,
  at: number,
  bytes: number,
  first: FirstPacket | undefined,
): void {
  if (bytes === 0) return;
  out[at] = bytes - 1;
  if (bytes === 1) return;
  out.fill(0xff, at + 2, at + bytes);
  const pcr90k = first?.pcr90k;
  out[at + 1] = (first?.isRandomAccess ? 0x40 : 0) | (pcr90k === undefined ? 0 : 0x10);
  if (pcr90k !== undefined) writePcr(out, at + 2, pcr90k);
}
