import { ADTS_HEADER_BYTES, findAdtsHeader } from '../../../src/media/aac.ts';
import { runFfmpeg } from '../../../src/media/ffmpeg.ts';
import { NAL_TYPE, nalType, nalUnits } from '../../../src/media/h264.ts';
import { createSegmentWriter } from '../../../src/media/mpegts/segment-writer.ts';
import {
  SAMPLES_PER_SEGMENT,
  segmentPts90k,
  slotsPerSegment,
  slotTicks,
} from '../../../src/model/grid.ts';

/** A recording made without a browser: each picture says the number of its slot, the sound is never twice the same. */
export type CounterSource = {
  readonly originMs: number;
  readonly segments: readonly { readonly n: number; readonly bytes: Buffer }[];
  /** Slots (from the origin) that hold a picture, in order. */
  readonly slots: readonly number[];
  /** Picture NAL units (types 1 and 5) of each slot, as they went in. */
  readonly slices: ReadonlyMap<number, readonly Uint8Array[]>;
  /** What the recording's sound decodes to from the origin: 48 kHz stereo, interleaved, 32-bit float. */
  readonly pcm: Float32Array;
};

export type CounterSourceOptions = {
  readonly segments: number;
  /** Which of the 48 slots of a segment hold a picture; the first and the last must. */
  readonly slotsOf: (n: number) => readonly number[];
  readonly profile: 'baseline' | 'main' | 'high';
  readonly ptsOrigin90k?: number;
  /** Further settings of x264, for a recording by another encoder. */
  readonly x264?: string;
};

export const FPS = 30;
export const WIDTH = 160;
export const HEIGHT = 96;
/** Bits of the counter, each a column of the upper half. */
const BITS = 16;
const BLACK = 16;
const WHITE = 235;
const ORIGIN_MS = 1_760_000_000_000;

/** Draws, encodes and lays a recording on the grid; as many pictures as asked, one key picture a segment. */
export async function makeCounterSource(options: CounterSourceOptions): Promise<CounterSource> {
  const perSegment = slotsPerSegment(FPS);
  const numbers = Array.from({ length: options.segments }, (_, n) => n);
  const slots = numbers.flatMap((n) => options.slotsOf(n).map((slot) => n * perSegment + slot));
  const keys = numbers.map((n) => slots.findIndex((slot) => slot >= n * perSegment));
  const [units, sound] = await Promise.all([
    encodePictures(slots, keys, options),
    encodeSound(options.segments),
  ]);
  const segments = numbers.map((n) => ({
    n,
    bytes: writeSegment(n, { units, slots, frames: sound.frames, options }),
  }));
  return {
    originMs: ORIGIN_MS,
    segments,
    slots,
    slices: new Map(slots.map((slot, i) => [slot, slicesOf(units[i]!)])),
    pcm: sound.pcm,
  };
}

/** Slice NAL units of an Annex B access unit. */
export function slicesOf(unit: Uint8Array): Uint8Array[] {
  return [...nalUnits(unit)].filter((nal) => [1, 5].includes(nalType(nal)));
}

/** Reads the counter back from a decoded luma plane. */
export function readCounter(luma: Uint8Array): number {
  const columnWidth = WIDTH / BITS;
  let value = 0;
  for (let bit = 0; bit < BITS; bit++) {
    const x = Math.floor((bit + 0.5) * columnWidth);
    const isSet = luma[Math.floor(HEIGHT / 4) * WIDTH + x]! > (BLACK + WHITE) / 2;
    value = value * 2 + Number(isSet);
  }
  return value;
}

/** The counter above, a moving texture below, so that pictures depend on each other. */
function drawPicture(slot: number): Buffer {
  const picture = Buffer.alloc((WIDTH * HEIGHT * 3) / 2, 128);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const bit = (slot >> (BITS - 1 - Math.floor((x * BITS) / WIDTH))) & 1;
      const texture = BLACK + ((x * x + y * 7 + slot * 5) % (WHITE - BLACK));
      picture[y * WIDTH + x] = y < HEIGHT / 2 ? (bit ? WHITE : BLACK) : texture;
    }
  }
  return picture;
}

async function encodePictures(
  slots: readonly number[],
  keys: readonly number[],
  { profile, x264 = '' }: CounterSourceOptions,
): Promise<Uint8Array[]> {
  const { stdout } = await runFfmpeg({
    args: [
      ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${WIDTH}x${HEIGHT}`, '-framerate', '30'],
      ['-i', 'pipe:0'],
      [
        '-c:v',
        'libx264',
        '-profile:v',
        profile,
        '-preset',
        'veryfast',
        '-crf',
        '20',
        '-threads',
        '1',
      ],
      ['-force_key_frames', `expr:${keys.map((key) => `eq(n,${key})`).join('+')}`],
      [
        '-x264-params',
        `aud=1:ref=1:bframes=0:keyint=9999:scenecut=0:colorprim=bt709:transfer=bt709:colormatrix=bt709${x264}`,
      ],
      ['-f', 'h264', 'pipe:1'],
    ],
    input: slots.map(drawPicture),
  });
  const starts = [...nalUnits(stdout)]
    .filter((nal) => nalType(nal) === NAL_TYPE.aud)
    .map((nal) => nal.byteOffset - stdout.byteOffset - 4);
  if (starts.length !== slots.length)
    throw new Error(`expected ${slots.length} pictures, got ${starts.length}`);
  return starts.map((start, i) => stdout.subarray(start, starts[i + 1]));
}

/** Clicks of changing height over a chirp: no two moments sound alike. Raw AAC frames without priming, and what they decode to. */
async function encodeSound(segments: number): Promise<{ frames: Uint8Array[]; pcm: Float32Array }> {
  const samples = (segments + 1) * SAMPLES_PER_SEGMENT;
  const input = new Float32Array(samples * 2);
  for (let i = 0; i < samples; i++) {
    const chirp = 0.2 * Math.sin((i / 48_000) ** 2 * 300 + i / 40);
    const click = i % 4800 < 24 ? 0.3 + ((i / 4800) % 7) * 0.08 : 0;
    input[2 * i] = chirp + click;
    input[2 * i + 1] = chirp - click;
  }
  const { stdout: adts } = await runFfmpeg({
    args: [
      ['-f', 'f32le', '-ar', '48000', '-ac', '2', '-i', 'pipe:0'],
      // no noise substitution: decoding must give the same samples each time
      ['-c:a', 'aac', '-b:a', '128k', '-aac_pns', '0'],
      ['-f', 'adts', 'pipe:1'],
    ],
    input: [new Uint8Array(input.buffer)],
  });
  const { stdout: decoded } = await runFfmpeg({
    args: [
      ['-f', 'aac', '-i', 'pipe:0'],
      ['-f', 'f32le', 'pipe:1'],
    ],
    input: [adts],
  });
  // The encoder's priming is exactly its first frame: it is never written to a recording.
  const pcm = new Float32Array(
    decoded.buffer.slice(decoded.byteOffset, decoded.byteOffset + decoded.length),
  );
  return { frames: rawFrames(adts).slice(1), pcm: pcm.subarray(1024 * 2) };
}

function rawFrames(adts: Buffer): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < adts.length;) {
    const header = findAdtsHeader(adts, at);
    if (header === undefined) throw new Error(`no ADTS header at byte ${at}`);
    frames.push(adts.subarray(at + ADTS_HEADER_BYTES, at + header.frameBytes));
    at += header.frameBytes;
  }
  return frames;
}

function writeSegment(
  n: number,
  source: {
    units: readonly Uint8Array[];
    slots: readonly number[];
    frames: readonly Uint8Array[];
    options: CounterSourceOptions;
  },
): Buffer {
  const packets: Uint8Array[] = [];
  const writer = createSegmentWriter({
    pts90k: segmentPts90k(n, source.options.ptsOrigin90k),
    slotTicks: slotTicks(FPS),
    write: (bytes) => packets.push(bytes),
  });
  const perSegment = slotsPerSegment(FPS);
  source.slots.forEach((slot, i) => {
    if (Math.floor(slot / perSegment) !== n) return;
    const offset90k = (slot - n * perSegment) * slotTicks(FPS);
    writer.writeVideo({ offset90k, isKey: offset90k === 0, data: source.units[i]! });
  });
  for (const frame of source.frames.slice(n * 75, (n + 1) * 75)) writer.writeAudio(frame);
  writer.finish();
  return Buffer.concat(packets);
}
