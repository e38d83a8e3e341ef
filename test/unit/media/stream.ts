import {
  createSegmentWriter,
  type SegmentSummary,
} from '../../../src/media/mpegts/segment-writer.ts';

/** What is handed to the writer, and in which order: true takes the next picture, false the next AAC frame. */
export type Script = {
  readonly pts90k: number;
  readonly slotTicks: number | undefined;
  readonly pictures: readonly {
    readonly offset90k: number;
    readonly isKey: boolean;
    readonly data: Uint8Array;
  }[];
  readonly frames: readonly Uint8Array[];
  readonly order: (pictures: number, frames: number) => boolean;
};

export type Written = {
  readonly bytes: Buffer;
  readonly summary: SegmentSummary;
  /** Lengths of the single writes. */
  readonly writes: readonly number[];
};

export const SPS = Uint8Array.of(0x67, 66, 0xc0, 31, 0xda, 0x01, 0x40, 0x16, 0xe8);
export const PPS = Uint8Array.of(0x68, 0xce, 0x3c, 0x80);

/** Hands a script to a writer; the chunks are put together at the end only, to show that they stay valid. */
export function writeSegment(script: Script): Written {
  const chunks: Uint8Array[] = [];
  const { pts90k, slotTicks, pictures, frames } = script;
  const writer = createSegmentWriter({
    pts90k,
    slotTicks,
    write: (packets) => chunks.push(packets),
  });
  let picturesIn = 0;
  let framesIn = 0;
  while (picturesIn < pictures.length || framesIn < frames.length) {
    const picture = pictures[picturesIn];
    const frame = frames[framesIn];
    const takesPicture = frame === undefined || script.order(picturesIn, framesIn);
    if (picture !== undefined && takesPicture) {
      writer.writeVideo(picture);
      picturesIn += 1;
    } else if (frame !== undefined) {
      writer.writeAudio(frame);
      framesIn += 1;
    }
  }
  const summary = writer.finish();
  return { bytes: Buffer.concat(chunks), summary, writes: chunks.map((chunk) => chunk.length) };
}

/** An access unit of about `bytes` bytes, whose slice is filled with bytes that imitate no start code. */
export function accessUnit(options: {
  readonly isKey: boolean;
  readonly bytes: number;
  readonly hasDelimiter?: boolean;
  readonly sps?: Uint8Array;
}): Uint8Array {
  const { isKey, bytes, hasDelimiter = false, sps = SPS } = options;
  const slice = Buffer.alloc(Math.max(1, bytes));
  for (let index = 1; index < slice.length; index++) slice[index] = 1 + ((index * 7) % 255);
  slice[0] = isKey ? 0x65 : 0x41;
  const delimiter = hasDelimiter ? [startCode(4), Uint8Array.of(9, 0xf0)] : [];
  const sets = isKey ? [startCode(4), sps, startCode(4), PPS] : [];
  return Buffer.concat([...delimiter, ...sets, startCode(isKey ? 3 : 4), slice]);
}

/** A raw AAC frame: its first byte starts a channel pair, the rest is anything. */
export function aacFrame(bytes: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) =>
    index === 0 ? 0x21 : (index * 31 + seed) % 256,
  );
}

export function startCode(bytes: 3 | 4): Uint8Array {
  return bytes === 3 ? Uint8Array.of(0, 0, 1) : Uint8Array.of(0, 0, 0, 1);
}
