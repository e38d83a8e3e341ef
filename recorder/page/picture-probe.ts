import { SpanWatch, type SpanEvents } from '../../src/model/spans.ts';

/**
 * A picture is looked at this often, at most: it costs about 1 ms at 720p (measured), so 4 ms of CPU a second. A still page
 * is looked at once.
 */
const LOOK_EVERY_MS = 250;
/** Black as ffmpeg's blackdetect has it: 98 % of the picture's luma at or below a tenth of limited range (16 to 235). */
const BLACK_LUMA = 16 + 0.1 * (235 - 16);
const BLACK_SHARE = 0.98;
/** Luma is read at every eighth pixel of every eighth line. */
const SCALE = 8;

/** What of a VideoFrame is needed to look at it. */
export type Picture = {
  readonly visibleRect: { readonly width: number; readonly height: number } | null;
  allocationSize(): number;
  copyTo(bytes: Uint8Array): Promise<unknown>;
  close(): void;
};

/** Looks at the pictures that are recorded, now and then: nearly black, or the same as before. */
export class PictureProbe {
  readonly #black: SpanWatch;
  readonly #still: SpanWatch;
  #newestMs: number | undefined;
  #isUnread = false;
  #isReading = false;
  #readAtMs = -Infinity;
  #hash: number | undefined;
  #bytes = new Uint8Array(0);

  constructor(events: { readonly black: SpanEvents; readonly still: SpanEvents }) {
    this.#black = new SpanWatch(events.black);
    this.#still = new SpanWatch(events.still);
  }

  /** A picture lies at `atMs`: a captured one (`isNew`) or the held one again. `take` gives a copy to be closed here. */
  see(atMs: number, isNew: boolean, take: () => Picture): void {
    if (isNew) {
      this.#newestMs = atMs;
      this.#isUnread = true;
    }
    if (!this.#isUnread) {
      this.#black.advance(atMs);
      this.#still.advance(atMs);
    } else if (!this.#isReading && atMs - this.#readAtMs >= LOOK_EVERY_MS) {
      this.#isUnread = false;
      this.#readAtMs = atMs;
      void this.#read(take(), this.#newestMs ?? atMs);
    }
  }

  /** Ends the spans that go on. */
  end(endMs: number): void {
    this.#black.stop(endMs);
    this.#still.stop(endMs);
  }

  async #read(picture: Picture, atMs: number): Promise<void> {
    this.#isReading = true;
    try {
      const size = picture.allocationSize();
      if (this.#bytes.length !== size) this.#bytes = new Uint8Array(size);
      await picture.copyTo(this.#bytes);
      const { width = 0, height = 0 } = picture.visibleRect ?? {};
      this.#judge(this.#bytes, { atMs, width, height });
    } catch {
      // A picture that cannot be read says nothing.
    } finally {
      picture.close();
      this.#isReading = false;
    }
  }

  /** I420 or NV12: luma comes first, line after line. */
  #judge(
    bytes: Uint8Array,
    picture: { readonly atMs: number; readonly width: number; readonly height: number },
  ): void {
    const hash = hashOf(bytes);
    if (hash !== this.#hash) this.#still.sign(picture.atMs);
    this.#hash = hash;
    if (isBlack(bytes, picture)) {
      this.#black.begin(picture.atMs);
      this.#black.advance(picture.atMs);
    } else this.#black.stop(picture.atMs);
  }
}

/** Nearly black; `luma` is the first plane, tightly packed, limited range. */
function isBlack(
  luma: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
): boolean {
  let dark = 0;
  let all = 0;
  for (let y = SCALE / 2; y < height; y += SCALE) {
    for (let x = SCALE / 2; x < width; x += SCALE) {
      all += 1;
      if ((luma[y * width + x] as number) <= BLACK_LUMA) dark += 1;
    }
  }
  return all > 0 && dark >= BLACK_SHARE * all;
}

/** FNV-1a over words of four bytes: two pictures that differ in one pixel differ in it. */
function hashOf(bytes: Uint8Array): number {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  let hash = 0x811c9dc5;
  // A while loop: for-of over a typed array of this length takes ten times as long (5 ms at 720p, measured).
  let i = 0;
  while (i < words.length) {
    hash = Math.imul(hash ^ (words[i] as number), 0x01000193);
    i += 1;
  }
  return hash;
}
