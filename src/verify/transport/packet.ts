import { attempt } from '../attempt.ts';
import type { Complain } from '../findings.ts';

/** Bytes of a transport stream packet (ISO/IEC 13818-1 §2.4.3.2). */
export const PACKET_BYTES = 188;
export const NULL_PID = 0x1fff;

const SYNC_BYTE = 0x47;
const HEADER_BYTES = 4;

/** One packet; `offset` in bytes from the start of the segment, `pcr27` on the 27 MHz clock. */
export type TsPacket = {
  readonly index: number;
  readonly offset: number;
  readonly pid: number;
  readonly unitStart: boolean;
  readonly counter: number;
  /** Empty where the packet has an adaptation field only. */
  readonly payload: Uint8Array;
  readonly hasPayload: boolean;
  readonly pcr27: number | undefined;
};

/** Reads all packets of a segment; what is malformed is reported and left out. */
export function readPackets(bytes: Uint8Array, complain: Complain): TsPacket[] {
  if (bytes.length === 0 || bytes.length % PACKET_BYTES !== 0) {
    complain('packet-size', bytes.length, `${bytes.length} bytes are not whole 188-byte packets`);
  }
  const packets: TsPacket[] = [];
  for (let offset = 0; offset + PACKET_BYTES <= bytes.length; offset += PACKET_BYTES) {
    const packet = bytes.subarray(offset, offset + PACKET_BYTES);
    if (packet[0] !== SYNC_BYTE) {
      complain('packet-sync', offset, `packet starts with ${packet[0]}, expected 0x47`);
      continue;
    }
    const read = attempt(
      () => readPacket(packet, offset, complain),
      (message) => {
        complain('packet-header', offset, message);
      },
    );
    if (read) packets.push(read);
  }
  return packets;
}

function readPacket(bytes: Uint8Array, offset: number, complain: Complain): TsPacket {
  const [, second = 0, third = 0, fourth = 0] = bytes;
  if (second & 0x80) throw new RangeError('transport_error_indicator is set');
  if (fourth & 0xc0) throw new RangeError('transport_scrambling_control is not 0');
  const fieldControl = (fourth >> 4) & 3;
  if (fieldControl === 0) throw new RangeError('adaptation_field_control is 0, which is reserved');
  const hasPayload = (fieldControl & 1) === 1;
  let payloadStart = HEADER_BYTES;
  let pcr27: number | undefined;
  if (fieldControl & 2) {
    const length = bytes[HEADER_BYTES] ?? 0;
    if (hasPayload ? length > 182 : length !== 183) {
      throw new RangeError(
        `adaptation_field_length is ${length}, payload ${hasPayload ? 'present' : 'absent'}`,
      );
    }
    payloadStart += 1 + length;
    const field = bytes.subarray(HEADER_BYTES + 1, payloadStart);
    pcr27 = readAdaptationField(field, offset, complain);
  }
  return {
    index: offset / PACKET_BYTES,
    offset,
    pid: ((second & 0x1f) << 8) | third,
    unitStart: (second & 0x40) !== 0,
    counter: fourth & 0x0f,
    payload: bytes.subarray(payloadStart),
    hasPayload,
    pcr27,
  };
}

/** Whether all bytes from `start` on are 0xFF. */
export function isStuffing(bytes: Uint8Array, start: number): boolean {
  for (let at = start; at < bytes.length; at += 1) if (bytes[at] !== 0xff) return false;
  return true;
}

/** Checks the field of §2.4.3.4 and returns its PCR. */
function readAdaptationField(
  field: Uint8Array,
  offset: number,
  complain: Complain,
): number | undefined {
  if (field.length === 0) return undefined;
  const flags = field[0] ?? 0;
  if (flags & 0x80) complain('packet-header', offset, 'discontinuity_indicator is set');
  if (flags & 0x0f) {
    complain('packet-header', offset, 'adaptation field carries more than a PCR and stuffing');
    return undefined;
  }
  const stuffingStart = flags & 0x10 ? 7 : 1;
  if (stuffingStart > field.length) {
    complain('packet-header', offset, 'adaptation field is too short for its PCR');
    return undefined;
  }
  if (!isStuffing(field, stuffingStart)) {
    complain('packet-header', offset, 'adaptation stuffing is not 0xFF');
  }
  return flags & 0x10 ? readPcr(field.subarray(1, 7), offset, complain) : undefined;
}

function readPcr(bytes: Uint8Array, offset: number, complain: Complain): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = bytes;
  const base = (a * 2 ** 24 + (b << 16) + (c << 8) + d) * 2 + (e >> 7);
  const extension = ((e & 1) << 8) | f;
  if (extension >= 300 || (e & 0x7e) !== 0x7e) {
    complain('pcr-value', offset, `PCR extension ${extension}, reserved bits ${(e >> 1) & 0x3f}`);
  }
  return base * 300 + extension;
}
