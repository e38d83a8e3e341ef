import {
  AAC_FRAME_TICKS,
  AAC_FRAMES_PER_SEGMENT,
  PTS_MODULUS,
  SEGMENT_TICKS,
  TICKS_PER_SECOND,
} from '../../model/grid.ts';
import { createHeldPictures } from '../h264-held-picture.ts';
import { PACKET_BYTES, PID } from './format.ts';
import { readPackets } from './packet-reader.ts';
import { readSegment, type ReadPicture, type SegmentMedia } from './segment-reader.ts';
import { createSegmentWriter, type SegmentSummary } from './segment-writer.ts';

/** Players stretch or move frames across longer times without a picture (lab: hls.js). */
const FILL_TICKS = TICKS_PER_SECOND / 5;
/**
 * A raw AAC-LC frame of stereo silence (ISO/IEC 14496-3 §4.4.2): one channel pair element, max_sfb 0, nothing coded, and the end.
 * Decoded behind sound it lets that fade out within half a frame, which is what its overlap does.
 */
const SILENT_FRAME = Uint8Array.of(0x21, 0x00, 0x03, 0x20, 0x64, 0x1c);

export type CompletedSegment = {
  readonly bytes: Buffer;
  readonly summary: SegmentSummary;
  /** How far, from the segment's start, there is captured picture and sound; the rest is held and silent. */
  readonly pictureTicks: number;
  readonly soundTicks: number;
};

/**
 * Makes a whole segment of the grid from the beginning of one, as a maker that died left it: the last picture is held, the sound goes
 * silent. `slotTicks` is undefined for sound alone. Undefined when the beginning has no key picture, or is not ours.
 */
export function completeSegment(
  beginning: Buffer,
  { pts90k, slotTicks }: { readonly pts90k: number; readonly slotTicks: number | undefined },
): CompletedSegment | undefined {
  const media = readBeginning(beginning);
  if (media === undefined) return undefined;
  const offsetOf = (unit: { readonly pts90k: number }): number =>
    (unit.pts90k - pts90k + PTS_MODULUS) % PTS_MODULUS;
  const pictures = media.pictures.filter((picture) => offsetOf(picture) < SEGMENT_TICKS);
  const sounds = media.audioFrames.slice(0, AAC_FRAMES_PER_SEGMENT);
  const lastPicture = pictures.at(-1);
  const fillers =
    slotTicks === undefined ? [] : planFillers(pictures, lastPicture, { slotTicks, offsetOf });
  if (fillers === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  const writer = createSegmentWriter({ pts90k, slotTicks, write: (chunk) => chunks.push(chunk) });
  if (slotTicks !== undefined) {
    for (const picture of pictures) {
      writer.writeVideo({ ...picture, offset90k: offsetOf(picture) });
    }
  }
  for (const filler of fillers) writer.writeVideo(filler);
  for (let frame = 0; frame < AAC_FRAMES_PER_SEGMENT; frame++) {
    writer.writeAudio(sounds[frame]?.data ?? SILENT_FRAME);
  }
  const summary = writer.finish();
  return {
    bytes: Buffer.concat(chunks),
    summary,
    pictureTicks: lastPicture === undefined ? 0 : offsetOf(lastPicture) + (slotTicks ?? 0),
    soundTicks: sounds.length * AAC_FRAME_TICKS,
  };
}

type Filler = { readonly offset90k: number; readonly isKey: false; readonly data: Uint8Array };

/** The held picture in one slot of each 200 ms and in the last two; undefined where it cannot be made. */
function planFillers(
  pictures: readonly ReadPicture[],
  last: ReadPicture | undefined,
  grid: { readonly slotTicks: number; readonly offsetOf: (picture: ReadPicture) => number },
): readonly Filler[] | undefined {
  const { slotTicks, offsetOf } = grid;
  const [key] = pictures;
  if (key?.isKey !== true || last === undefined || offsetOf(key) !== 0) return undefined;
  const hold = createHeldPictures(key.data, last.data);
  if (hold === undefined) return undefined;
  const fillers: Filler[] = [];
  let filledTicks = offsetOf(last);
  for (let at = filledTicks + slotTicks; at < SEGMENT_TICKS; at += slotTicks) {
    const isDue = at - filledTicks >= FILL_TICKS || at >= SEGMENT_TICKS - 2 * slotTicks;
    if (!isDue) continue;
    fillers.push({ offset90k: at, isKey: false, data: hold() });
    filledTicks = at;
  }
  return fillers;
}

/** What is whole in it: the last PES of picture and of sound may be cut off anywhere. Undefined when there is nothing. */
function readBeginning(beginning: Buffer): SegmentMedia | undefined {
  const whole = beginning.subarray(0, beginning.length - (beginning.length % PACKET_BYTES));
  const cut = new Map<number, number>();
  const packets: { readonly at: number; readonly pid: number }[] = [];
  try {
    for (const { at, pid, isUnitStart } of readPackets(whole)) {
      packets.push({ at, pid });
      if (isUnitStart) cut.set(pid, at);
    }
    const kept = packets.filter(({ at, pid }) => {
      const isMedia = pid === PID.video || pid === PID.audio;
      return !isMedia || at < (cut.get(pid) ?? 0);
    });
    return readSegment(Buffer.concat(kept.map(({ at }) => whole.subarray(at, at + PACKET_BYTES))));
  } catch {
    return undefined;
  }
}
