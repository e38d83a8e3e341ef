/**
 * A second, naive reader of transport streams for the tests: written from ISO/IEC 13818-1 alone, it shares nothing with src/media.
 */
export type MiniPacket = {
  readonly index: number;
  readonly pid: number;
  readonly isStart: boolean;
  readonly counter: number;
  readonly payload: readonly number[];
  readonly pcr: bigint | undefined;
  readonly pcrExtension: number | undefined;
  readonly isRandomAccess: boolean;
};

export type MiniPes = {
  readonly pid: number;
  readonly firstPacket: number;
  readonly lastPacket: number;
  readonly streamId: number;
  readonly packetLength: number;
  readonly bytes: number;
  readonly isAligned: boolean;
  readonly ptsDtsFlags: number;
  readonly pts: bigint;
  readonly headerInFirstPacket: boolean;
  readonly data: Buffer;
};

export function miniPackets(stream: Uint8Array): MiniPacket[] {
  const packets: MiniPacket[] = [];
  for (let at = 0; at < stream.length; at += 188) {
    const packet = [...stream.subarray(at, at + 188)];
    packets.push(miniPacket(packet, at / 188));
  }
  return packets;
}

function miniPacket(packet: readonly number[], index: number): MiniPacket {
  const byte = (at: number): number => {
    const value = packet[at];
    if (value === undefined) throw new Error(`packet ${index} has no byte ${at}`);
    return value;
  };
  if (byte(0) !== 0x47 || packet.length !== 188) throw new Error(`packet ${index} is out of sync`);
  const control = (byte(3) >> 4) & 3;
  const fieldLength = control >= 2 ? byte(4) : -1;
  const flags = fieldLength > 0 ? byte(5) : 0;
  const hasPcr = (flags & 0x10) !== 0;
  const stuffingFrom = fieldLength > 0 ? (hasPcr ? 12 : 6) : 5;
  for (let at = stuffingFrom; at < 5 + fieldLength; at++) {
    if (byte(at) !== 0xff) throw new Error(`packet ${index}: stuffing byte ${at} is ${byte(at)}`);
  }
  const pcrBits = hasPcr ? BigInt(`0x${hex(packet.slice(6, 12))}`) : undefined;
  return {
    index,
    pid: ((byte(1) & 0x1f) << 8) | byte(2),
    isStart: (byte(1) & 0x40) !== 0,
    counter: byte(3) & 15,
    payload: control & 1 ? packet.slice(5 + fieldLength) : [],
    pcr: pcrBits === undefined ? undefined : pcrBits >> 15n,
    pcrExtension: pcrBits === undefined ? undefined : Number(pcrBits & 0x1ffn),
    isRandomAccess: (flags & 0x40) !== 0,
  };
}

/** All PES of a PID, and that nothing of another PID lies between their packets. */
export function miniPes(packets: readonly MiniPacket[], pid: number): MiniPes[] {
  const starts = packets.filter((packet) => packet.pid === pid && packet.isStart);
  return starts.map((first, index) => {
    const until = starts[index + 1]?.index ?? packets.length;
    const parts = packets
      .slice(first.index, until)
      .filter((packet) => packet.pid === pid && packet.payload.length > 0);
    const bytes = Buffer.from(parts.flatMap((packet) => packet.payload));
    if (bytes.readUIntBE(0, 3) !== 1) throw new Error(`packet ${first.index} starts no PES`);
    const time = BigInt(`0x${bytes.subarray(9, 14).toString('hex')}`);
    const markers = time & 1n & ((time >> 16n) & 1n) & ((time >> 32n) & 1n);
    if (markers !== 1n || time >> 36n !== 2n) throw new Error(`packet ${first.index}: no lone PTS`);
    return {
      pid,
      firstPacket: first.index,
      lastPacket: parts.at(-1)?.index ?? first.index,
      streamId: bytes.readUInt8(3),
      packetLength: bytes.readUInt16BE(4),
      bytes: bytes.length,
      isAligned: (bytes.readUInt8(6) & 4) !== 0,
      ptsDtsFlags: bytes.readUInt8(7) >> 6,
      pts:
        (((time >> 33n) & 7n) << 30n) |
        (((time >> 17n) & 0x7fffn) << 15n) |
        ((time >> 1n) & 0x7fffn),
      headerInFirstPacket: first.payload.length >= 9 + bytes.readUInt8(8),
      data: bytes.subarray(9 + bytes.readUInt8(8)),
    };
  });
}

function hex(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
