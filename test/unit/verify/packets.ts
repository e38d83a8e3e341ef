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

/** The PID of a packet. */
export function pidOf(packet: Buffer): number {
  return packet.readUInt16BE(1) & 0x1fff;
}

/** Whether a PES packet or section starts in it. */
export function startsUnit(packet: Buffer): boolean {
  return (packet.readUInt8(1) & 0x40) !== 0;
}

/** Where the payload of a packet starts. */
export function payloadStart(packet: Buffer): number {
  return 4 + (packet.readUInt8(3) & 0x20 ? 1 + packet.readUInt8(4) : 0);
}

/** The `nth` packet (from 0) in which a PES packet of the PID starts. */
function unitStart(packets: Buffer[], pid: number, nth: number): Buffer {
  const found = packets.filter((packet) => pidOf(packet) === pid && startsUnit(packet))[nth];
  if (!found) throw new Error(`PID ${pid} has no unit ${nth}`);
  return found;
}

/** The packet in which the `nth` picture starts. */
export function video(packets: Buffer[], nth: number): Buffer {
  return unitStart(packets, VIDEO_PID, nth);
}

/** The packet in which the `nth` PES packet of sound starts. */
export function audio(packets: Buffer[], nth: number): Buffer {
  return unitStart(packets, AUDIO_PID, nth);
}
