import { attempt } from '../attempt.ts';
import type { Complain } from '../findings.ts';
import type { TsPacket } from './packet.ts';

/** One PES packet put together; times in 90 kHz ticks, `offset` that of its first TS packet. */
export type Pes = {
  readonly streamId: number;
  readonly offset: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly pts: number;
  readonly dts: number | undefined;
  /** The PCR in the packet it starts in. */
  readonly pcr27: number | undefined;
  readonly payload: Uint8Array;
};

export type StreamKind = 'video' | 'audio';

/** Puts together the PES packets of one PID of a segment; the malformed are reported and left out. */
export function readPesPackets(
  packets: readonly TsPacket[],
  kind: StreamKind,
  complain: Complain,
): Pes[] {
  const groups: TsPacket[][] = [];
  for (const packet of packets) {
    if (!packet.hasPayload) continue;
    if (packet.unitStart) groups.push([packet]);
    else if (groups.length > 0) groups.at(-1)?.push(packet);
    else complain('pes-whole', packet.offset, 'the segment starts in the middle of a PES packet');
  }
  const units = groups.flatMap((group) => {
    const refuse = (message: string): void => {
      complain('pes-header', group[0]?.offset ?? null, message);
    };
    return attempt(() => readPes(group, kind, complain), refuse) ?? [];
  });
  for (const { streamId, offset } of units) {
    if (streamId === units[0]?.streamId) continue;
    complain('pes-header', offset, `stream_id changes to 0x${streamId.toString(16)}`);
  }
  return units;
}

function readPes(group: TsPacket[], kind: StreamKind, complain: Complain): Pes | undefined {
  const [first, last] = [group[0], group.at(-1)];
  if (!first || !last) return undefined;
  const bytes = joinPayloads(group, first);
  if (bytes.length < 9 || bytes.readUIntBE(0, 3) !== 1)
    throw new RangeError('no packet_start_code_prefix');
  const streamId = bytes.readUInt8(3);
  const isOfKind = kind === 'video' ? streamId >> 4 === 0xe : streamId >> 5 === 6;
  if (!isOfKind) throw new RangeError(`stream_id is 0x${streamId.toString(16)} on the ${kind} PID`);
  const times = readTimes(bytes);
  checkLength(bytes, kind, (rule, message) => {
    complain(rule, first.offset, message);
  });
  return {
    streamId,
    offset: first.offset,
    firstIndex: first.index,
    lastIndex: last.index,
    pts: times.pts,
    dts: times.dts,
    pcr27: first.pcr27,
    payload: bytes.subarray(9 + bytes.readUInt8(8)),
  };
}

function joinPayloads(group: readonly TsPacket[], first: TsPacket): Buffer {
  if (group.length > 1) return Buffer.concat(group.map((packet) => packet.payload));
  return Buffer.from(first.payload.buffer, first.payload.byteOffset, first.payload.length);
}

type Times = { pts: number; dts: number | undefined };

/** The optional fields of §2.4.3.6: time stamps and stuffing, nothing else. */
function readTimes(bytes: Buffer): Times {
  if (bytes.readUInt8(6) >> 6 !== 2) throw new RangeError("the marker '10' is missing");
  if (bytes.readUInt8(6) & 0x30) throw new RangeError('PES_scrambling_control is not 0');
  const flags = bytes.readUInt8(7);
  if (flags & 0x3f) throw new RangeError('optional fields other than PTS and DTS are flagged');
  if (flags < 0x80) throw new RangeError('there is no PTS');
  const hasDts = flags === 0xc0;
  const headerLength = bytes.readUInt8(8);
  const stuffingStart = 9 + (hasDts ? 10 : 5);
  if (9 + headerLength < stuffingStart || 9 + headerLength > bytes.length) {
    throw new RangeError(`PES_header_data_length is ${headerLength}`);
  }
  if (bytes.subarray(stuffingStart, 9 + headerLength).some((byte) => byte !== 0xff)) {
    throw new RangeError('header stuffing is not 0xFF');
  }
  const pts = readTime(bytes.subarray(9, 14), hasDts ? 3 : 2);
  const dts = hasDts ? readTime(bytes.subarray(14, 19), 1) : undefined;
  if (pts === undefined || (hasDts && dts === undefined))
    throw new RangeError('marker bits of PTS or DTS');
  return { pts, dts };
}

function readTime(bytes: Buffer, prefix: number): number | undefined {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = bytes;
  if (a >> 4 !== prefix || (a & c & e & 1) === 0) return undefined;
  return ((a >> 1) & 7) * 2 ** 30 + ((b << 22) | ((c >> 1) << 15) | (d << 7) | (e >> 1));
}

function checkLength(
  bytes: Buffer,
  kind: StreamKind,
  complain: (rule: 'pes-length' | 'pes-whole', message: string) => void,
): void {
  const declared = bytes.readUInt16BE(4);
  const actual = bytes.length - 6;
  if (declared === 0 && kind === 'audio') complain('pes-length', 'sound without a PES length');
  if (declared === 0 || declared === actual) return;
  if (actual < declared) complain('pes-whole', `${actual} bytes of ${declared} are there`);
  else complain('pes-length', `PES_packet_length is ${declared}, ${actual} bytes follow`);
}
