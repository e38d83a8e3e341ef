import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findAdtsHeader } from '../../src/media/aac.ts';
import { joinAnnexB, NAL_TYPE, nalType, splitAnnexB } from '../../src/media/h264.ts';
import { createSegmentWriter } from '../../src/media/mpegts/segment-writer.ts';
import { writeMediaPlaylist, type PlaylistOptions } from '../../src/media/playlist.ts';
import {
  AAC_FRAMES_PER_SEGMENT,
  segmentPts90k,
  segmentStartMs,
  SEGMENT_MS,
  slotsPerSegment,
  slotTicks,
  type GridFps,
} from '../../src/model/grid.ts';
import { runProgram } from './programs.ts';
import { SAMPLE_ORIGIN_MS } from './sample-records.ts';

const DEFAULT_FPS = 30;
const SLOTS = slotsPerSegment(DEFAULT_FPS);
/** Frames the encoder needs before the first one that is published (design: at least 3). */
const PRIMING_FRAMES = 3;

/** What a synthetic recording has that another has not. */
export type SyntheticRecordingOptions = {
  readonly segments: number;
  /** The filled slots of every segment; none at all makes a recording of sound alone. */
  readonly slots: readonly number[];
  /** Default 30. */
  readonly fps?: GridFps;
  /** Numbers of segments that could not be made: `EXT-X-GAP`. */
  readonly holes?: readonly number[];
  readonly ptsOrigin90k?: number;
  /** `pc` is a defect: the grid's pictures are in limited range. */
  readonly colourRange?: 'tv' | 'pc';
};

/** Slot lists at 30 fps worth trying: all of them, the fewest that the grid allows, and uneven gaps between. */
export const SLOT_PATTERNS = {
  full: Array.from({ length: SLOTS }, (_, slot) => slot),
  sparse: slotsWhere((slot) => slot % 6 === 0),
  uneven: slotsWhere((slot) => [0, 1, 2].includes(slot % 5)),
  none: [],
} as const;

function slotsWhere(isFilled: (slot: number) => boolean): number[] {
  const all = Array.from({ length: SLOTS }, (_, slot) => slot);
  return all.filter((slot) => isFilled(slot) || slot >= SLOTS - 2);
}

/** The playlist a synthetic recording's segments make from number `first` on; ended by default. */
export function syntheticPlaylist(
  { segments, holes = [] }: Pick<SyntheticRecordingOptions, 'segments' | 'holes'>,
  {
    first = 0,
    ...change
  }: Partial<Pick<PlaylistOptions, 'type' | 'ended'>> & { readonly first?: number } = {},
): string {
  const all = Array.from({ length: segments }, (_, n) => ({
    uri: segmentName(n),
    startMs: segmentStartMs(n, SAMPLE_ORIGIN_MS),
    durationMs: SEGMENT_MS,
    gap: holes.includes(n),
  }));
  return writeMediaPlaylist({
    type: 'EVENT',
    ended: true,
    ...change,
    mediaSequence: first,
    segments: all.slice(first),
  });
}

/**
 * Writes a recording of a test pattern (640×360) and a tone with the product's own segment writer; returns its playlist's path.
 * Pictures and sound are encoded once, by ffmpeg, and laid on the grid as the recorder lays them.
 */
export async function writeSyntheticRecording(
  folder: string,
  options: SyntheticRecordingOptions,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const [pictures, sound] = await Promise.all([
    encodePictures(folder, options),
    encodeTone(folder, options.segments),
  ]);
  for (let n = 0; n < options.segments; n += 1) {
    if (options.holes?.includes(n)) continue;
    const { length } = options.slots;
    await writeFile(
      path.join(folder, segmentName(n)),
      laySegment(n, options, {
        pictures: pictures.slice(n * length, (n + 1) * length),
        sound: sound.slice(n * AAC_FRAMES_PER_SEGMENT, (n + 1) * AAC_FRAMES_PER_SEGMENT),
      }),
    );
  }
  const playlist = path.join(folder, 'index.m3u8');
  await writeFile(playlist, syntheticPlaylist(options));
  return playlist;
}

/** The name of segment `n` in a synthetic recording. */
function segmentName(n: number): string {
  return `${String(n).padStart(5, '0')}.ts`;
}

type Encoded = { readonly isKey: boolean; readonly data: Uint8Array };

function laySegment(
  n: number,
  { slots, ptsOrigin90k, fps = DEFAULT_FPS }: SyntheticRecordingOptions,
  media: { readonly pictures: readonly Encoded[]; readonly sound: readonly Uint8Array[] },
): Buffer {
  const chunks: Uint8Array[] = [];
  const writer = createSegmentWriter({
    pts90k: segmentPts90k(n, ptsOrigin90k),
    slotTicks: slots.length > 0 ? slotTicks(fps) : undefined,
    write: (packets) => chunks.push(packets),
  });
  for (const [at, picture] of media.pictures.entries()) {
    writer.writeVideo({ ...picture, offset90k: (slots[at] ?? 0) * slotTicks(fps) });
  }
  for (const frame of media.sound) writer.writeAudio(frame);
  writer.finish();
  return Buffer.concat(chunks);
}

/** Access units of the pattern at the filled slots, an IDR picture at each segment's start. */
async function encodePictures(
  folder: string,
  { slots, segments, fps = DEFAULT_FPS, colourRange = 'tv' }: SyntheticRecordingOptions,
): Promise<Encoded[]> {
  if (slots.length === 0) return [];
  const file = path.join(folder, 'pictures.h264');
  const wanted = slots.map((slot) => `eq(mod(n,${slotsPerSegment(fps)}),${slot})`).join('+');
  const seconds = (segments * SEGMENT_MS) / 1000;
  await runProgram('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', `testsrc2=s=640x360:r=${fps}:d=${seconds}`],
    ...['-vf', `select='${wanted}'`, '-fps_mode', 'vfr', '-pix_fmt', 'yuv420p'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-profile:v', 'baseline', '-threads', '1'],
    ...['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709'],
    ...['-color_range', colourRange, '-sc_threshold', '0', '-refs', '1'],
    ...['-g', `${slots.length}`, '-keyint_min', `${slots.length}`, '-level', '3.1'],
    ...['-x264-params', 'aud=1', '-bsf:v', 'filter_units=remove_types=6', '-f', 'h264', file],
  ]);
  const nals = splitAnnexB(await readFile(file));
  await rm(file);
  const starts = nals.flatMap((nal, index) => (nalType(nal) === NAL_TYPE.aud ? [index] : []));
  return starts.map((start, index) => {
    const unit = nals.slice(start + 1, starts[index + 1]);
    const isKey = unit.some((nal) => nalType(nal) === NAL_TYPE.idrSlice);
    return { isKey, data: joinAnnexB(unit) };
  });
}

/** Raw AAC frames of a tone, those of the encoder's start left out. */
async function encodeTone(folder: string, segments: number): Promise<Uint8Array[]> {
  const file = path.join(folder, 'tone.aac');
  const seconds = (segments * SEGMENT_MS) / 1000 + 1;
  await runProgram('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', `sine=f=440:r=48000:d=${seconds}`],
    ...['-ac', '2', '-c:a', 'aac', '-b:a', '128k', '-f', 'adts', file],
  ]);
  const bytes = await readFile(file);
  await rm(file);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const header = findAdtsHeader(bytes, at);
    if (header === undefined) throw new Error(`${file}: expected an ADTS header at ${at}`);
    frames.push(bytes.subarray(at + header.headerBytes, at + header.frameBytes));
    at += header.frameBytes;
  }
  return frames.slice(PRIMING_FRAMES);
}
