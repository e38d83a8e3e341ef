import { attempt } from '../attempt.ts';
import type { Complain } from '../findings.ts';
import { crc32Mpeg } from './crc32.ts';
import { NULL_PID, isStuffing, type TsPacket } from './packet.ts';

/** Where the PAT always is (ISO/IEC 13818-1 table 2-3). */
export const PAT_PID = 0;
const PAT_TABLE_ID = 0;
const PMT_TABLE_ID = 2;
const STREAM_TYPE_H264 = 0x1b;
const STREAM_TYPE_ADTS = 0x0f;
/** 1.6 s / 100 ms. */
const TABLES_PER_SEGMENT = 16;

export type TablePacket = { readonly name: 'PAT' | 'PMT'; readonly packet: TsPacket };

/** Which PID is what; `key` is equal where both tables are. */
export type Programme = {
  readonly pmtPid: number;
  readonly videoPid: number | undefined;
  readonly audioPid: number | undefined;
  readonly pcrPid: number;
  readonly key: string;
  readonly tables: readonly TablePacket[];
};

/** Reads PAT and PMT of a segment and checks all of them; undefined when none can be read. */
export function readProgramme(
  packets: readonly TsPacket[],
  complain: Complain,
): Programme | undefined {
  const pats = readTable(packets, { pid: PAT_PID, tableId: PAT_TABLE_ID, name: 'PAT' }, complain);
  const pmtPid = pats.body && findPmtPid(pats.body);
  if (pmtPid === undefined) {
    complain('psi-first', 0, 'there is no PAT that names one PMT');
    return undefined;
  }
  const pmts = readTable(packets, { pid: pmtPid, tableId: PMT_TABLE_ID, name: 'PMT' }, complain);
  if (!pmts.body) {
    complain('psi-first', 0, `there is no readable PMT on PID ${pmtPid}`);
    return undefined;
  }
  checkFirst(packets, pmtPid, complain);
  const streams = readStreams(pmts.body, complain);
  const tables = [...pats.tables, ...pmts.tables];
  checkListed(packets, [PAT_PID, pmtPid, NULL_PID, ...streams.listed], complain);
  return { pmtPid, ...streams, key: `${pats.key}/${pmts.key}`, tables };
}

function checkFirst(packets: readonly TsPacket[], pmtPid: number, complain: Complain): void {
  const [first, second] = packets;
  if (first?.pid !== PAT_PID || first.offset !== 0) {
    complain('psi-first', 0, `the first packet has PID ${first?.pid}, expected the PAT`);
  } else if (second?.pid !== pmtPid) {
    complain('psi-first', second?.offset ?? null, `PID ${second?.pid} comes second, not the PMT`);
  }
}

function checkListed(packets: readonly TsPacket[], listed: number[], complain: Complain): void {
  for (const packet of packets) {
    if (!listed.includes(packet.pid)) {
      complain('unlisted-pid', packet.offset, `PID ${packet.pid} is in no table`);
    }
  }
}

type TableKind = { readonly pid: number; readonly tableId: number; readonly name: 'PAT' | 'PMT' };
type Table = { body: Uint8Array | undefined; key: string; tables: TablePacket[] };

function readTable(packets: readonly TsPacket[], kind: TableKind, complain: Complain): Table {
  const carriers = packets.filter((packet) => packet.pid === kind.pid && packet.hasPayload);
  if (carriers.length !== TABLES_PER_SEGMENT) {
    complain('psi-interval', null, `${carriers.length} ${kind.name}s, expected 16`);
  }
  const table: Table = { body: undefined, key: '', tables: [] };
  for (const packet of carriers) {
    table.tables.push({ name: kind.name, packet });
    const refuse = (message: string): void => {
      complain('psi-syntax', packet.offset, `${kind.name}: ${message}`);
    };
    const section = attempt(() => readSection(packet, kind, complain), refuse);
    if (!section) continue;
    const key = Buffer.from(section).toString('hex');
    if (table.body && key !== table.key) {
      complain('psi-constant', packet.offset, `${kind.name} differs from the segment's first`);
    }
    table.body ??= section.subarray(8, -4);
    table.key ||= key;
  }
  return table;
}

/** The whole section of §2.4.4; undefined when its CRC is wrong; throws RangeError. */
function readSection(
  packet: TsPacket,
  kind: TableKind,
  complain: Complain,
): Uint8Array | undefined {
  const { payload, offset } = packet;
  if (!packet.unitStart) throw new RangeError('does not start in this packet');
  if (payload[0] !== 0) throw new RangeError(`pointer_field is ${payload[0]}, expected 0`);
  const length = (((payload[2] ?? 0) & 0x0f) << 8) | (payload[3] ?? 0);
  const section = payload.subarray(1, 4 + length);
  if (length < 9 || section.length !== 3 + length)
    throw new RangeError(`section_length is ${length}`);
  if (crc32Mpeg(section) !== 0) {
    complain('psi-crc', offset, `${kind.name} has a wrong CRC-32`);
    return undefined;
  }
  if (section[0] !== kind.tableId) throw new RangeError(`table_id is ${section[0]}`);
  if (((section[1] ?? 0) & 0xc0) !== 0x80)
    throw new RangeError('section_syntax_indicator is wrong');
  if (((section[5] ?? 0) & 1) === 0) throw new RangeError('current_next_indicator is 0');
  if (section[6] !== 0 || section[7] !== 0) throw new RangeError('there is more than one section');
  if (!isStuffing(payload, 4 + length)) {
    complain('psi-syntax', offset, `${kind.name}: stuffing is not 0xFF`);
  }
  return section;
}

function findPmtPid(body: Uint8Array): number | undefined {
  const pids: number[] = [];
  for (let at = 0; at + 4 <= body.length; at += 4) {
    const programNumber = uint16(body, at);
    if (programNumber !== 0) pids.push(uint16(body, at + 2) & 0x1fff);
  }
  return pids.length === 1 ? pids[0] : undefined;
}

type Streams = Pick<Programme, 'videoPid' | 'audioPid' | 'pcrPid'> & { listed: number[] };

function readStreams(body: Uint8Array, complain: Complain): Streams {
  const pcrPid = uint16(body, 0) & 0x1fff;
  const types = new Map<number, number>();
  let at = 4 + (uint16(body, 2) & 0x0fff);
  while (at + 5 <= body.length) {
    types.set(uint16(body, at + 1) & 0x1fff, body[at] ?? 0);
    at += 5 + (uint16(body, at + 3) & 0x0fff);
  }
  if (at !== body.length) complain('psi-syntax', 0, 'PMT: the stream loop does not end exactly');
  const ofType = (type: number) => [...types].filter(([, t]) => t === type).map(([pid]) => pid);
  const [videos, audios] = [ofType(STREAM_TYPE_H264), ofType(STREAM_TYPE_ADTS)];
  const [videoPid, audioPid] = [videos[0], audios[0]];
  if (audios.length !== 1 || videos.length > 1 || types.size !== audios.length + videos.length) {
    const list = [...types].map(([pid, type]) => `${pid}: 0x${type.toString(16)}`).join(', ');
    complain('stream-types', 0, `PMT lists ${list || 'nothing'}`);
  }
  if (pcrPid !== (videoPid ?? audioPid)) complain('stream-types', 0, `PCR_PID is ${pcrPid}`);
  return { videoPid, audioPid, pcrPid, listed: [...types.keys()] };
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
