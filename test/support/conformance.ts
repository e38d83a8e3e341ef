import { readFile } from 'node:fs/promises';
import { findParameterSets } from '../../src/media/h264.ts';
import { parseSps, type Sps } from '../../src/media/h264-parameter-sets.ts';
import { readSegment } from '../../src/media/mpegts/segment-reader.ts';
import type { Report } from '../../src/verify/findings.ts';
import { verifyTarget } from '../../src/verify/verify.ts';
import { readBarcodes } from './barcode-reader.ts';
import { recordPage, type RecordedPage } from './record-page.ts';

/** A size and rate that a recording can have, and the level_idc that ITU-T H.264 table A-1 asks for. */
export type Format = {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly levelIdc: number;
};

/** The level of each size by rate, worked out by hand from table A-1: macroblocks a picture, and a second. */
const LEVELS: readonly (readonly [number, number, Readonly<Record<number, number>>])[] = [
  [640, 360, { 15: 22, 25: 30, 30: 30, 50: 31, 60: 31 }],
  [1280, 720, { 15: 31, 25: 31, 30: 31, 50: 32, 60: 32 }],
  [720, 1280, { 15: 31, 25: 31, 30: 31, 50: 32, 60: 32 }],
  [1920, 1080, { 15: 40, 25: 40, 30: 40, 50: 42, 60: 42 }],
];

export const FORMATS: readonly Format[] = LEVELS.flatMap(([width, height, levels]) =>
  Object.entries(levels).map(([fps, levelIdc]) => ({ width, height, fps: Number(fps), levelIdc })),
);

export function formatName({ width, height, fps }: Format): string {
  return `${width}x${height}@${fps}`;
}

/** Where the first segment's PTS lies, s. */
const PTS_ORIGIN_S = 10;
/** A picture lies up to a slot from its own time: half by snapping, half by phase control; twice that is safe. */
const SNAP_SLOTS = 2;

export type Conformance = {
  readonly recorded: RecordedPage;
  readonly verified: Report;
  /** Of the first segment. */
  readonly sps: Sps;
  /** Pictures after the lead-in whose bars cannot be read. */
  readonly illegible: number;
  /** Pictures of the page that come after a later one. */
  readonly outOfOrder: number;
  /** Slots after the lead-in that show a new picture of the page, of all slots there. */
  readonly freshShare: number;
  /** Ms between the page's clock in neighbouring slots that both show a new picture. */
  readonly clockSteps: readonly number[];
};

/** Records the barcode page in a format and reads it back. */
export async function recordFormat(
  { width, height, fps }: Format,
  options: { readonly url: string; readonly folder: string; readonly seconds: number },
): Promise<Conformance> {
  const args = [`--width=${width}`, `--height=${height}`, `--fps=${fps}`];
  const recorded = await recordPage({ ...options, args });
  const verified = await verifyTarget(recorded.playlist, { decode: true, fps });
  return { recorded, verified, sps: await readSps(recorded), ...(await readBack(recorded, fps)) };
}

async function readSps({ segments }: RecordedPage): Promise<Sps> {
  const { pictures } = readSegment(await readFile(segments[0] ?? ''));
  const [sps] = findParameterSets(pictures[0]?.data ?? new Uint8Array()).sps;
  return parseSps(sps ?? new Uint8Array());
}

async function readBack(
  { playlist, originMs, report, segments }: RecordedPage,
  fps: number,
): Promise<Pick<Conformance, 'illegible' | 'outOfOrder' | 'freshShare' | 'clockSteps'>> {
  const { firstFrameMs } = report as { readonly firstFrameMs: number };
  const firstSlot = Math.ceil(((firstFrameMs - originMs) * fps) / 1000) + SNAP_SLOTS;
  const clockSteps: number[] = [];
  let [illegible, outOfOrder, fresh] = [0, 0, 0];
  let before = { slot: -1, frameNumber: -1, clockMs: 0 };
  for (const code of await readBarcodes(playlist)) {
    const slot = Math.round((code.ptsS - PTS_ORIGIN_S) * fps);
    if (slot < firstSlot) continue;
    if (!code.valid) illegible += 1;
    else if (code.frameNumber < before.frameNumber) outOfOrder += 1;
    else if (code.frameNumber > before.frameNumber) {
      fresh += 1;
      if (slot === before.slot + 1) clockSteps.push(code.clockMs - before.clockMs);
      before = { slot, frameNumber: code.frameNumber, clockMs: code.clockMs };
    }
  }
  const slots = segments.length * fps * 1.6 - firstSlot;
  return { illegible, outOfOrder, freshShare: fresh / slots, clockSteps };
}
