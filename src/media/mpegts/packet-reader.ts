import { PACKET_BYTES, PAYLOAD_BYTES, PID, SYNC_BYTE } from './format.ts';
import { invalid } from './invalid.ts';

/** One transport packet, read back. Offsets are from the start of the stream. */
export type Packet = {
  readonly at: number;
  readonly pid: number;
  /** payload_unit_start_indicator: a PES or section starts here. */
  readonly isUnitStart: boolean;
  /** What it carries, a view; undefined for a packet of adaptation field alone. */
  readonly payload: Buffer | undefined;
  readonly counter: number;
};

const PACKET_HEADER_BYTES = PACKET_BYTES - PAYLOAD_BYTES;

/**
 * The packets of a transport stream in order, without null packets. Throws `media-invalid` at the first that is cut off, out of sync,
 * flagged as broken, scrambled, or out of order (ISO/IEC 13818-1 §2.4.3.2 to §2.4.3.5).
 */
export function* readPackets(stream: Buffer): Generator<Packet, void, undefined> {
  const counters = new Map<number, number>();
  for (let at = 0; at < stream.length; at += PACKET_BYTES) {
    if (at + PACKET_BYTES > stream.length) {
      invalid(at, `${PACKET_BYTES} bytes of packet`, stream.length - at);
    }
    const packet = readPacket(stream, at);
    if (packet.pid === PID.null) continue;
    checkCounter(packet, counters);
    yield packet;
  }
}

function readPacket(stream: Buffer, at: number): Packet {
  const word = stream.readUInt32BE(at);
  const sync = word >>> 24;
  if (sync !== SYNC_BYTE) invalid(at, 'sync byte 71', sync);
  if (word & 0x800000) invalid(at, 'no transport error', 'transport_error_indicator 1');
  const scrambling = (word >> 6) & 3;
  if (scrambling !== 0) invalid(at, 'an unscrambled packet', `scrambling control ${scrambling}`);
  const hasPayload = (word & 0x10) !== 0;
  const hasAdaptation = (word & 0x20) !== 0;
  if (!hasPayload && !hasAdaptation) invalid(at, 'payload or adaptation field', 'neither');
  const adaptation = hasAdaptation ? 1 + readAdaptationLength(stream, at, hasPayload) : 0;
  const payload = stream.subarray(at + PACKET_HEADER_BYTES + adaptation, at + PACKET_BYTES);
  return {
    at,
    pid: (word >> 8) & 0x1fff,
    isUnitStart: (word & 0x400000) !== 0,
    payload: hasPayload ? payload : undefined,
    counter: word & 15,
  };
}

function readAdaptationLength(stream: Buffer, at: number, hasPayload: boolean): number {
  const length = stream.readUInt8(at + PACKET_HEADER_BYTES);
  // With a payload at least one byte of it remains; without, the field fills the packet.
  const fits = hasPayload ? length <= PAYLOAD_BYTES - 2 : length === PAYLOAD_BYTES - 1;
  if (!fits) {
    const expected = hasPayload ? `at most ${PAYLOAD_BYTES - 2}` : `${PAYLOAD_BYTES - 1}`;
    invalid(at, `an adaptation field of ${expected} bytes`, length);
  }
  return length;
}

/** The counter goes up by one with each packet of its PID that has a payload, and stands still without. */
function checkCounter(packet: Packet, counters: Map<number, number>): void {
  const { at, pid, counter } = packet;
  const last = counters.get(pid);
  counters.set(pid, counter);
  if (last === undefined) return;
  const expected = packet.payload === undefined ? last : (last + 1) % 16;
  if (counter !== expected) invalid(at, `continuity counter ${expected} on PID ${pid}`, counter);
}
