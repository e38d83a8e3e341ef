/** Ticks of the worker after which a held frame is copied out: three slots at 30 fps. */
const REST_TICKS = 10;

/**
 * The picture encoded last, kept for fillers. A capture frame is only borrowed for moments, since holding it starves
 * the capture's pool; one that stays is copied into memory of our own.
 */
export class HeldPicture {
  readonly #size: { readonly width: number; readonly height: number };
  #current: VideoFrame;
  #isBorrowed = false;
  #ticks = 0;

  /** Holds black until a frame is taken. */
  constructor(size: { readonly width: number; readonly height: number }) {
    this.#size = size;
    this.#current = blackFrame(size);
  }

  /** Holds this frame from now on and closes the one before. */
  take(frame: VideoFrame): void {
    this.#current.close();
    this.#current = frame;
    this.#isBorrowed = true;
    this.#ticks = 0;
  }

  /** The held picture under another timestamp; the caller closes it. */
  at(timestampUs: number): VideoFrame {
    return new VideoFrame(this.#current, { timestamp: timestampUs });
  }

  /** To be called on every tick: copies a frame that has been held for long. */
  rest(): void {
    if (!this.#isBorrowed) return;
    this.#ticks += 1;
    if (this.#ticks === REST_TICKS) void this.#copyOut(this.#current);
  }

  async #copyOut(frame: VideoFrame): Promise<void> {
    const bytes = new Uint8Array(frame.allocationSize());
    const layout = await frame.copyTo(bytes).catch(() => undefined);
    if (layout === undefined || this.#current !== frame || frame.format === null) return;
    this.#current = new VideoFrame(bytes, {
      format: frame.format,
      codedWidth: this.#size.width,
      codedHeight: this.#size.height,
      timestamp: frame.timestamp,
      colorSpace: frame.colorSpace,
      layout,
    });
    this.#isBorrowed = false;
    frame.close();
  }
}

/** Limited-range BT.709 black (Y 16, U and V 128), as the captured frames are coded. */
function blackFrame(size: { readonly width: number; readonly height: number }): VideoFrame {
  const luma = size.width * size.height;
  const bytes = new Uint8Array(luma * 1.5);
  bytes.fill(16, 0, luma);
  bytes.fill(128, luma);
  return new VideoFrame(bytes, {
    format: 'I420',
    codedWidth: size.width,
    codedHeight: size.height,
    timestamp: 0,
    colorSpace: { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', fullRange: false },
  });
}
