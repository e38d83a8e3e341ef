import { STREAM_TYPE } from './format.ts';
import { invalid } from './invalid.ts';
import type { Packet } from './packet-reader.ts';
import { crc32Mpeg } from './psi.ts';

/** Which PIDs carry what; undefined where there is no such stream. */
export type StreamPids = { readonly video: number | undefined; readonly audio: number | undefined };

const SECTION_HEADER_BYTES = 8;
const CRC_BYTES = 4;

/** The PID of the program map a PAT packet names: the only program's. Throws `media-invalid`. */
export function readProgramAssociation(packet: Packet): number {
  const { at, body } = readSection(packet, 0x00);
  const pids: number[] = [];
  for (let from = 0; from + 4 <= body.length; from += 4) {
    // Program 0 would be the network information.
    if (body.readUInt16BE(from) !== 0) pids.push(body.readUInt16BE(from + 2) & 0x1fff);
  }
  const [pid] = pids;
  if (pid === undefined || pids.length > 1) return invalid(at, 'one program', pids.length);
  return pid;
}

/** The streams a PMT packet names: at most one H.264 and one ADTS AAC stream, no others. Throws `media-invalid`. */
export function readProgramMap(packet: Packet): StreamPids {
  const { at, body } = readSection(packet, 0x02);
  const pids: { video: number | undefined; audio: number | undefined } = {
    video: undefined,
    audio: undefined,
  };
  let from = 4 + lengthAt(body, 2, at);
  while (from < body.length) {
    const kind = streamKind(body[from]);
    if (kind === undefined) invalid(at, 'stream type 27 or 15', body[from] ?? 'none');
    if (pids[kind] !== undefined) invalid(at, `one ${kind} stream`, 'two');
    if (from + 5 > body.length) invalid(at, '5 bytes for each stream', body.length - from);
    pids[kind] = body.readUInt16BE(from + 1) & 0x1fff;
    from += 5 + lengthAt(body, from + 3, at);
  }
  if (from !== body.length) invalid(at, `a program map of ${from} bytes`, body.length);
  return pids;
}

function streamKind(streamType: number | undefined): 'video' | 'audio' | undefined {
  if (streamType === STREAM_TYPE.h264) return 'video';
  return streamType === STREAM_TYPE.adtsAac ? 'audio' : undefined;
}

function lengthAt(body: Buffer, at: number, packetAt: number): number {
  if (at + 2 > body.length) return invalid(packetAt, 'a length of 2 bytes', body.length - at);
  return body.readUInt16BE(at) & 0x0fff;
}

/** What is in the one section of a packet, between header and CRC (ISO/IEC 13818-1 §2.4.4). */
function readSection(packet: Packet, tableId: number): { at: number; body: Buffer } {
  const { at, payload, isUnitStart } = packet;
  if (payload === undefined || !isUnitStart) return invalid(at, 'a whole section', 'none');
  const section = payload.subarray(1 + (payload[0] ?? 0));
  if (section.length < SECTION_HEADER_BYTES + CRC_BYTES) {
    return invalid(at, 'a whole section', `${section.length} bytes`);
  }
  if (section[0] !== tableId) invalid(at, `table ${tableId}`, section[0] ?? 'none');
  const end = 3 + (section.readUInt16BE(1) & 0x0fff);
  if (end > section.length || end < SECTION_HEADER_BYTES + CRC_BYTES) {
    invalid(at, `a section of at most ${section.length} bytes`, end);
  }
  // A section with its CRC leaves nothing over.
  if (crc32Mpeg(section.subarray(0, end)) !== 0)
    invalid(at, 'a section with the right CRC', 'a wrong one');
  return { at, body: section.subarray(SECTION_HEADER_BYTES, end - CRC_BYTES) };
}
