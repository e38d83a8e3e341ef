import { AAC_FRAME_TICKS } from '../../model/grid.ts';
import type { AccessUnit, AccessUnitIndex } from '../../model/segment.ts';
import { COUNTER_MODULUS, PACKET_BYTES, PAYLOAD_BYTES, PID, SYNC_BYTE } from './format.ts';
import { crc32Mpeg } from './psi.ts';
import { readVarints, writeVarints } from './varint.ts';

/**
 * A segment's access-unit index is in the segment itself: the null packets at its end carry it, which players pass over (a null
 * packet's payload may be anything, ISO/IEC 13818-1 §2.4.3.3). So it costs no object, no request and no memory of Redis, and
 * wherever the bytes go it goes with them. All payloads one after the other are:
 *
 * | bytes | what |
 * |---|---|
 * | 5 | `ckAU`, version 2 |
 * | varint | bytes of the body |
 * | body | varints: PTS of the start; ticks of `offset90k`'s unit; number of pictures, and for each: packets since the picture before it (or the start), packets, slack, 2 × units since the picture before it + 1 if it is an IDR; number of AAC frames, and for each: packets since the frame before it, packets, slack |
 * | 4 | CRC-32 as of MPEG sections, over all before it |
 * | rest | 0xFF |
 *
 * Slack is what a unit's packets can carry less its bytes as a sample of an MP4, doubled, + 1 where it is negative. About 480 bytes for 30
 * pictures a second: three packets.
 */
const MAGIC = Buffer.from('ckAU\x02', 'latin1');
const CRC_BYTES = 4;
const HEADER_BYTES = PACKET_BYTES - PAYLOAD_BYTES;
/** More than any segment needs: 96 pictures and 75 frames, four varints of three bytes each. */
const MAX_INDEX_PACKETS = 16;
/** The end of a segment that holds its index, whatever its size: bytes to ask a store for. */
export const MAX_INDEX_BYTES = MAX_INDEX_PACKETS * PACKET_BYTES;

/** The null packets that carry an index. */
export function indexPackets(index: AccessUnitIndex): Uint8Array {
  const body = writeVarints(toNumbers(index));
  const covered = Buffer.concat([MAGIC, writeVarints([body.length]), body]);
  const packets = Math.ceil((covered.length + CRC_BYTES) / PAYLOAD_BYTES);
  const payload = Buffer.alloc(packets * PAYLOAD_BYTES, 0xff);
  payload.set(covered);
  payload.writeUInt32BE(crc32Mpeg(covered), covered.length);
  const out = Buffer.allocUnsafe(packets * PACKET_BYTES);
  for (let i = 0; i < packets; i++) {
    const at = i * PACKET_BYTES;
    out[at] = SYNC_BYTE;
    out.writeUInt16BE(PID.null, at + 1);
    // Payload only; the counter of null packets means nothing.
    out[at + 3] = 0x10 | (i % COUNTER_MODULUS);
    payload.copy(out, at + HEADER_BYTES, i * PAYLOAD_BYTES, (i + 1) * PAYLOAD_BYTES);
  }
  return out;
}

/**
 * The index at the end of a segment's bytes, or of its last bytes (whole packets) when `segmentBytes` says how many it has; undefined when there
 * is none, or it is damaged.
 */
export function findAccessUnitIndex(
  end: Uint8Array,
  segmentBytes = end.length,
): AccessUnitIndex | undefined {
  const payload = nullPayloadsAtEnd(end);
  if (!payload.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const length = readVarints(payload.subarray(MAGIC.length), 1);
  if (length === undefined) return undefined;
  const start = MAGIC.length + length.bytes;
  const bodyEnd = start + (length.numbers[0] ?? 0);
  if (bodyEnd + CRC_BYTES > payload.length) return undefined;
  // With its CRC nothing is left over.
  if (crc32Mpeg(payload.subarray(0, bodyEnd + CRC_BYTES)) !== 0) return undefined;
  const index = fromNumbers(readVarints(payload.subarray(start, bodyEnd))?.numbers ?? []);
  return index !== undefined && fitsInto(index, segmentBytes) ? index : undefined;
}

/** What the null packets that end a stream carry, in order. */
function nullPayloadsAtEnd(bytes: Uint8Array): Buffer {
  const stream = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const payloads: Buffer[] = [];
  for (let at = stream.length - PACKET_BYTES; at >= 0; at -= PACKET_BYTES) {
    const isNull = stream[at] === SYNC_BYTE && stream.readUInt16BE(at + 1) === PID.null;
    if (!isNull || payloads.length === MAX_INDEX_PACKETS) break;
    payloads.unshift(stream.subarray(at + HEADER_BYTES, at + PACKET_BYTES));
  }
  return Buffer.concat(payloads);
}

function toNumbers({ pts90k, pictures, frames }: AccessUnitIndex): number[] {
  const unit90k = pictures.reduce((unit, { offset90k }) => divisor(unit, offset90k), 0);
  const units = (ticks: number): number => (unit90k === 0 ? 0 : ticks / unit90k);
  return [
    ...[pts90k, unit90k, pictures.length],
    ...pictures.flatMap((picture, i) => {
      const steps = units(picture.offset90k - (pictures[i - 1]?.offset90k ?? 0));
      return [...placeOf(picture, pictures[i - 1]), 2 * steps + Number(picture.isKey)];
    }),
    frames.length,
    ...frames.flatMap((frame, i) => placeOf(frame, frames[i - 1])),
  ];
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

function placeOf(unit: AccessUnit, before: AccessUnit | undefined): number[] {
  const end = before === undefined ? 0 : before.offset + before.length;
  const packets = unit.length / PACKET_BYTES;
  const slack = packets * PAYLOAD_BYTES - unit.sampleBytes;
  const signed = slack < 0 ? -2 * slack + 1 : 2 * slack;
  return [(unit.offset - end) / PACKET_BYTES, packets, signed];
}

function fromNumbers(numbers: readonly number[]): AccessUnitIndex | undefined {
  let at = 0;
  const next = (): number => numbers[at++] ?? 0;
  const [pts90k, unit90k] = [next(), next()];
  const readUnits = (readTime: (i: number) => Pick<AccessUnit, 'offset90k' | 'isKey'>) => {
    let end = 0;
    // A count that is not true must not run on for ever.
    return Array.from({ length: Math.min(next(), numbers.length) }, (_, i): AccessUnit => {
      const offset = end + next() * PACKET_BYTES;
      const packets = next();
      const signed = next();
      const slack = signed % 2 === 1 ? -(signed - 1) / 2 : signed / 2;
      const length = packets * PACKET_BYTES;
      const sampleBytes = packets * PAYLOAD_BYTES - slack;
      end = offset + length;
      return { offset, length, ...readTime(i), sampleBytes };
    });
  };
  let offset90k = 0;
  const pictures = readUnits(() => {
    const step = next();
    offset90k += Math.floor(step / 2) * unit90k;
    return { offset90k, isKey: step % 2 === 1 };
  });
  const frames = readUnits((i) => ({ offset90k: i * AAC_FRAME_TICKS, isKey: true }));
  return at === numbers.length ? { pts90k, pictures, frames } : undefined;
}

function fitsInto({ pictures, frames }: AccessUnitIndex, bytes: number): boolean {
  return [...pictures, ...frames].every(
    ({ offset, length, sampleBytes }) => length > 0 && offset + length <= bytes && sampleBytes >= 0,
  );
}
