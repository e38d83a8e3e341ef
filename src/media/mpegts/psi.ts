import { PACKET_BYTES, PAYLOAD_BYTES, PID, STREAM_TYPE, SYNC_BYTE } from './format.ts';

const PROGRAM_NUMBER = 1;
const TRANSPORT_STREAM_ID = 1;
const CRC_BYTES = 4;

/** PAT and PMT packets of one place in the stream, `counter` in both; made once, never written to again. */
export function tablesAt(counter: number, hasVideo: boolean): Uint8Array {
  const tables = hasVideo ? TABLES_WITH_VIDEO : TABLES_SOUND_ONLY;
  const at = (counter % 16) * TABLES_BYTES;
  return tables.subarray(at, at + TABLES_BYTES);
}

/** Bytes of one PAT and one PMT packet. */
export const TABLES_BYTES = 2 * PACKET_BYTES;

/** CRC-32 of MPEG sections: polynomial 0x04C11DB7, not reflected, nothing inverted (ISO/IEC 13818-1 annex A). */
export function crc32Mpeg(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = ((crc << 8) ^ (CRC_TABLE[(crc >>> 24) ^ byte] ?? 0)) >>> 0;
  return crc;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc >>> 0;
});

const TABLES_WITH_VIDEO = sixteenTables(true);
const TABLES_SOUND_ONLY = sixteenTables(false);

/** The 16 values of the continuity counter, so that a segment's tables are copied and never built. */
function sixteenTables(hasVideo: boolean): Buffer {
  const packets = Array.from({ length: 16 }, (_, counter) => [
    sectionPacket(PID.pat, counter, programAssociation()),
    sectionPacket(PID.pmt, counter, programMap(hasVideo)),
  ]);
  return Buffer.concat(packets.flat());
}

/** Program association section (ISO/IEC 13818-1 §2.4.4.3): one program. */
function programAssociation(): Buffer {
  return section(0x00, TRANSPORT_STREAM_ID, [
    ...uint16(PROGRAM_NUMBER),
    ...uint16(0xe000 | PID.pmt),
  ]);
}

/** Program map section (ISO/IEC 13818-1 §2.4.4.8): no descriptors. */
function programMap(hasVideo: boolean): Buffer {
  const streams = hasVideo
    ? [...stream(STREAM_TYPE.h264, PID.video), ...stream(STREAM_TYPE.adtsAac, PID.audio)]
    : stream(STREAM_TYPE.adtsAac, PID.audio);
  const pcrPid = hasVideo ? PID.video : PID.audio;
  return section(0x02, PROGRAM_NUMBER, [...uint16(0xe000 | pcrPid), ...uint16(0xf000), ...streams]);
}

function stream(streamType: number, pid: number): number[] {
  return [streamType, ...uint16(0xe000 | pid), ...uint16(0xf000)];
}

/** A section with syntax, version 0, current, the first and only one, with its CRC. */
function section(tableId: number, tableIdExtension: number, body: readonly number[]): Buffer {
  // section_length counts from the byte after itself: 5 bytes of header, the body, the CRC.
  const sectionLength = 5 + body.length + CRC_BYTES;
  const head = [
    tableId,
    ...uint16(0xb000 | sectionLength),
    ...uint16(tableIdExtension),
    0xc1,
    0,
    0,
  ];
  const bytes = Buffer.from([...head, ...body, 0, 0, 0, 0]);
  const crcAt = bytes.length - CRC_BYTES;
  bytes.writeUInt32BE(crc32Mpeg(bytes.subarray(0, crcAt)), crcAt);
  return bytes;
}

function sectionPacket(pid: number, counter: number, bytes: Buffer): Buffer {
  const packet = Buffer.alloc(PACKET_BYTES, 0xff);
  packet[0] = SYNC_BYTE;
  packet.writeUInt16BE(0x4000 | pid, 1);
  packet[3] = 0x10 | counter;
  // pointer_field: the section starts at once.
  packet[PACKET_BYTES - PAYLOAD_BYTES] = 0;
  bytes.copy(packet, PACKET_BYTES - PAYLOAD_BYTES + 1);
  return packet;
}

function uint16(value: number): [number, number] {
  return [value >> 8, value & 0xff];
}
