import { readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * A second, slow and simple writer of the stream design.md describes, for the checker's tests: it shares no
 * line with the product's writer, so that an error would have to be made twice.
 */

export const PMT_PID = 0x1000;
export const VIDEO_PID = 0x100;
export const AUDIO_PID = 0x101;
export const SEGMENT_TICKS = 144_000;
export const DEFAULT_ORIGIN = 900_000;
const LEAD_TICKS = 63_000;
const TICK = 9_000;
const WRAP = 2 ** 33;
const AUDIO_FRAMES_PER_PES = 3;
/** With PTS and DTS: kept in one TS packet. */
const PES_HEADER_BYTES = 19;

/** One access unit as planned; `slot` says when it is decoded, `pts` and `dts` (ticks from the segment's start) override. */
export type PlannedPicture = {
  slot: number;
  nals: Buffer[];
  pts?: number;
  dts?: number;
};

/** All that makes a segment; a defect is one changed field. */
export type SegmentPlan = {
  n: number;
  fps: number;
  ptsOrigin: number;
  pictures: PlannedPicture[];
  sound: Buffer[];
  hasVideo: boolean;
  leadTicks: number;
  /** Added to each time stamp of the sound. */
  soundShift: number;
  /** Ticks of 100 ms at which a table is left out. */
  withoutTables: number[];
  /** Ticks of 100 ms at which no PCR is sent. */
  withoutPcr: number[];
  videoType: number;
  audioType: number;
};

const FIXTURES = path.join(import.meta.dirname, '../../fixtures/verify');
export const AUD = Buffer.from([9, 0xf0]);

/** Access units of the fixture, each a list of NAL units without start codes. */
export const fixturePictures: readonly Buffer[][] = readAccessUnits(
  readFileSync(path.join(FIXTURES, 'pictures.h264')),
);
/** AAC frames of the fixture with their ADTS headers. */
export const fixtureSound: readonly Buffer[] = readAdtsFrames(
  readFileSync(path.join(FIXTURES, 'sound.aac')),
);

/** Cuts a byte stream with four-byte or three-byte start codes into access units of one slice each. */
export function readAccessUnits(stream: Buffer): Buffer[][] {
  const nals: Buffer[] = [];
  let start = stream.indexOf(Buffer.from([0, 0, 1]));
  while (start >= 0) {
    const next = stream.indexOf(Buffer.from([0, 0, 1]), start + 3);
    let end = next < 0 ? stream.length : next;
    while (stream[end - 1] === 0) end -= 1;
    nals.push(stream.subarray(start + 3, end));
    start = next;
  }
  const units: Buffer[][] = [[]];
  for (const nal of nals) {
    units.at(-1)?.push(nal);
    if ([1, 5].includes((nal[0] ?? 0) & 31)) units.push([]);
  }
  return units.slice(0, -1);
}

/** Cuts an ADTS stream into frames. */
export function readAdtsFrames(stream: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < stream.length;) {
    const length = (stream.readUIntBE(at + 3, 3) >> 5) & 0x1fff;
    frames.push(stream.subarray(at, at + length));
    at += length;
  }
  return frames;
}

/** The plan of a conforming segment: segment `n` shows the `part`-th 1.6 s of the fixture. */
export function planSegment(
  n: number,
  part: number,
  source = { fixturePictures, fixtureSound },
): SegmentPlan {
  const pictures = source.fixturePictures.slice(part * 48, part * 48 + 48);
  return {
    n,
    fps: 30,
    ptsOrigin: DEFAULT_ORIGIN,
    pictures: pictures.map((nals, slot) => ({ slot, nals: [AUD, ...nals] })),
    sound: source.fixtureSound.slice(part * 75 + 3, part * 75 + 78),
    hasVideo: true,
    leadTicks: LEAD_TICKS,
    soundShift: 0,
    withoutTables: [],
    withoutPcr: [],
    videoType: 0x1b,
    audioType: 0x0f,
  };
}

/** One PES packet, or a packet with a PCR only, on its way out. */
type Piece = { pid: number; at: number; bytes: Buffer; pcr?: number };

/** Writes a segment as planned. */
export function buildSegment(plan: SegmentPlan): Buffer {
  const start = plan.ptsOrigin + SEGMENT_TICKS * plan.n;
  const pieces = [...picturePieces(plan, start), ...soundPieces(plan, start)];
  const ordered: Piece[] = [];
  for (let tick = 0; tick < 16; tick += 1) {
    const due = pieces.filter(({ at }) => Math.min(15, Math.floor(at / TICK)) === tick);
    due.sort((a, b) => a.at - b.at || a.pid - b.pid);
    if (!plan.withoutTables.includes(tick)) {
      ordered.push({ pid: 0, at: 0, bytes: patSection() });
      ordered.push({ pid: PMT_PID, at: 0, bytes: pmtSection(plan) });
    }
    const hasPcr = due.some(({ at, pcr }) => at === tick * TICK && pcr !== undefined);
    if (!hasPcr && !plan.withoutPcr.includes(tick)) {
      const pid = plan.hasVideo ? VIDEO_PID : AUDIO_PID;
      ordered.push({
        pid,
        at: 0,
        bytes: Buffer.alloc(0),
        pcr: start + tick * TICK - plan.leadTicks,
      });
    }
    ordered.push(...due);
  }
  return writePackets(ordered);
}

function picturePieces(plan: SegmentPlan, start: number): Piece[] {
  if (!plan.hasVideo) return [];
  return plan.pictures.map((picture) => {
    const at = (picture.slot * 90_000) / plan.fps;
    const stream = Buffer.concat(picture.nals.flatMap((nal) => [Buffer.from([0, 0, 0, 1]), nal]));
    const dts = picture.dts === undefined ? undefined : start + picture.dts;
    const bytes = pesPacket(0xe0, { pts: start + (picture.pts ?? at), dts, payload: stream });
    const hasPcr = !plan.withoutPcr.includes(Math.floor(at / TICK));
    return { pid: VIDEO_PID, at, bytes, ...(hasPcr ? { pcr: start + at - plan.leadTicks } : {}) };
  });
}

function soundPieces(plan: SegmentPlan, start: number): Piece[] {
  const pieces: Piece[] = [];
  for (let frame = 0; frame < plan.sound.length; frame += AUDIO_FRAMES_PER_PES) {
    const at = frame * 1920;
    const payload = Buffer.concat(plan.sound.slice(frame, frame + AUDIO_FRAMES_PER_PES));
    const pts = start + at + plan.soundShift;
    const bytes = pesPacket(0xc0, { pts, dts: undefined, payload });
    pieces.push({ pid: AUDIO_PID, at, bytes });
  }
  return pieces;
}

/** ISO/IEC 13818-1 §2.4.3.6; video has no length, as is usual. */
function pesPacket(
  id: number,
  { pts, dts, payload }: { pts: number; dts: number | undefined; payload: Buffer },
): Buffer {
  const times = dts === undefined ? [timeField(2, pts)] : [timeField(3, pts), timeField(1, dts)];
  const fields = Buffer.concat(times);
  const length = id === 0xe0 ? 0 : 3 + fields.length + payload.length;
  const header = [0, 0, 1, id, length >> 8, length & 255, 0x80, dts === undefined ? 0x80 : 0xc0];
  return Buffer.concat([Buffer.from([...header, fields.length]), fields, payload]);
}

function timeField(prefix: number, ticks: number): Buffer {
  const time = BigInt(((ticks % WRAP) + WRAP) % WRAP);
  const part = (shift: bigint, mask: bigint) => Number((time >> shift) & mask);
  const middle = (part(15n, 0x7fffn) << 1) | 1;
  const low = (part(0n, 0x7fffn) << 1) | 1;
  const first = (prefix << 4) | (part(30n, 7n) << 1) | 1;
  return Buffer.from([first, middle >> 8, middle & 255, low >> 8, low & 255]);
}

function patSection(): Buffer {
  return section([0x00, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xe0 | (PMT_PID >> 8), PMT_PID & 255]);
}

function pmtSection({ hasVideo, videoType, audioType }: SegmentPlan): Buffer {
  const entry = (type: number, pid: number) => [type, 0xe0 | (pid >> 8), pid & 255, 0xf0, 0];
  const streams = [
    ...(hasVideo ? entry(videoType, VIDEO_PID) : []),
    ...entry(audioType, AUDIO_PID),
  ];
  const pcrPid = hasVideo ? VIDEO_PID : AUDIO_PID;
  const body = [0, 1, 0xc1, 0, 0, 0xe0 | (pcrPid >> 8), pcrPid & 255, 0xf0, 0, ...streams];
  return section([0x02, 0xb0, body.length + 4, ...body]);
}

/** A section with pointer field and CRC. */
export function section(bytes: readonly number[]): Buffer {
  let crc = 0xffffffffn;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      const feedback = (crc >> 31n) ^ BigInt((byte >> bit) & 1);
      crc = ((crc << 1n) & 0xffffffffn) ^ (feedback ? 0x04c11db7n : 0n);
    }
  }
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(Number(crc));
  return Buffer.concat([Buffer.from([0, ...bytes]), tail]);
}

/** Cuts the pieces into packets, the last of each PID into more of them, so that there is a multiple of 16. */
function writePackets(pieces: readonly Piece[]): Buffer {
  const counts = new Map(pieces.map((piece) => [piece, packetsNeeded(piece)]));
  for (const pid of [VIDEO_PID, AUDIO_PID]) {
    const own = pieces.filter((piece) => piece.pid === pid && piece.bytes.length > 0);
    const total = own.reduce((sum, piece) => sum + packetsNeeded(piece), 0);
    let missing = -total & 15;
    for (const piece of own.toReversed()) {
      const most = piece.bytes.length - PES_HEADER_BYTES - packetsNeeded(piece);
      const extra = Math.max(0, Math.min(missing, most));
      counts.set(piece, packetsNeeded(piece) + extra);
      missing -= extra;
    }
  }
  const counters = new Map<number, number>();
  return Buffer.concat(
    pieces.flatMap((piece) => writePiece(piece, counts.get(piece) ?? 0, counters)),
  );
}

function packetsNeeded({ bytes, pcr }: Piece): number {
  return Math.ceil((bytes.length + (pcr === undefined ? 0 : 8)) / 184);
}

function writePiece(piece: Piece, count: number, counters: Map<number, number>): Buffer[] {
  const counter = counters.get(piece.pid) ?? 0;
  if (piece.bytes.length === 0) {
    const field = adaptationField(184, piece.pcr);
    return [Buffer.concat([packetHeader(piece.pid, false, 0x20 | ((counter + 15) & 15)), field])];
  }
  const isTable = piece.pid === 0 || piece.pid === PMT_PID;
  const packets: Buffer[] = [];
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    const pcr = index === 0 ? piece.pcr : undefined;
    const share = Math.ceil((piece.bytes.length - at) / (count - index));
    const size = Math.min(
      index === 0 ? Math.max(share, PES_HEADER_BYTES) : share,
      pcr === undefined ? 184 : 176,
    );
    const payload = piece.bytes.subarray(at, at + size);
    const rest = 184 - payload.length;
    const field = isTable || rest === 0 ? Buffer.alloc(0) : adaptationField(rest, pcr);
    const control = (field.length > 0 ? 0x30 : 0x10) | ((counter + index) & 15);
    const stuffing = Buffer.alloc(isTable ? rest : 0, 0xff);
    packets.push(
      Buffer.concat([packetHeader(piece.pid, index === 0, control), field, payload, stuffing]),
    );
    at += size;
  }
  counters.set(piece.pid, counter + count);
  return packets;
}

function packetHeader(pid: number, isStart: boolean, control: number): Buffer {
  return Buffer.from([0x47, (isStart ? 0x40 : 0) | (pid >> 8), pid & 255, control]);
}

function adaptationField(size: number, pcr: number | undefined): Buffer {
  const field = Buffer.alloc(size, 0xff);
  field[0] = size - 1;
  if (size > 1) field[1] = pcr === undefined ? 0 : 0x10;
  if (pcr !== undefined) {
    const base = BigInt(((pcr % WRAP) + WRAP) % WRAP);
    field.writeUIntBE(Number(base >> 1n), 2, 4);
    field.writeUInt16BE(Number(base & 1n) * 0x8000 + 0x7e00, 6);
  }
  return field;
}
