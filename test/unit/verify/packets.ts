import { AUDIO_PID, VIDEO_PID } from './fixture-stream.ts';
import type { Recording } from './fixture-recording.ts';

/** Bytes of a transport stream packet. */
export const PACKET = 188;

/** A copy of a recording with one segment's packets changed by `edit`. */
export function editPackets(
  recording: Recording,
  uri: string,
  edit: (packets: Buffer[]) => Buffer[] | undefined,
): Recording {
  const bytes = Buffer.from(recording.segments.get(uri) ?? []);
  const packets = Array.from({ length: bytes.length / PACKET }, (_, at) =>
    bytes.subarray(at * PACKET, (at + 1) * PACKET),
  );
  const segments = new Map(recording.segments);
  segments.set(uri, Buffer.concat(edit(packets) ?? packets));
  return { playlist: recording.playlist, segments };
}

export function pidOf(packet: Buffer): number {
  return packet.readUInt16BE(1) & 0x1fff;
}

export function startsUnit(packet: Buffer): boolean {
  return (packet.readUInt8(1) & 0x40) !== 0;
}

/** Where the payload of a packet starts. */
export function payloadStart(packet: Buffer): number {
  return 4 + (packet.readUInt8(3) & 0x20 ? 1 + packet.readUInt8(4) : 0);
}

/** The `nth` packet (from 0) in which a PES packet of the PID starts. */
export function unitStart(packets: Buffer[], pid: number, nth: number): Buffer {
  const found = packets.filter((packet) => pidOf(packet) === pid && startsUnit(packet))[nth];
  if (!found) throw new Error(`PID ${pid} has no unit ${nth}`);
  return found;
}

export const video = (packets: Buffer[], nth: number) => unitStart(packets, VIDEO_PID, nth);
export const audio = (packets: Buffer[], nth: number) => unitStart(packets, AUDIO_PID, nth);
