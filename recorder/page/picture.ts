import {
  boundaryAtOrBefore,
  SEGMENT_MS,
  slotsPerSegment,
  type GridFps,
} from '../../src/model/grid.ts';
import type { PictureStats } from '../../src/protocol/recorder-link.ts';
import { hasCornerMarks } from './corner-marks.ts';
import { HeldPicture } from './held-picture.ts';
import { LatenessMean } from './lateness.ts';
import type { Link } from './link.ts';
import { startPictureEncoder, type PictureEncoder } from './picture-encoder.ts';
import { PhaseControl } from './phase.ts';
import { PictureProbe } from './picture-probe.ts';
import { sendSpans } from './send-spans.ts';
import { SlotGrid, type DueSlot } from './slots.ts';

/** Beyond this many pictures waiting in the encoder, every other slot is left empty … */
const MAX_ENCODE_QUEUE = 4;
/** … and also when this many bytes wait in the socket: a key picture full of text at 720p has 300 000. */
const MAX_SOCKET_BYTES = 400_000;
/**
 * How much later than the page's own clock said a picture is captured, ms: 2 for a page that draws 30 times a second, 25 for one
 * that draws 60 times (docs/measurements.md). Taken off, so that a segment's time is the time of its content.
 */
const DISPLAY_LATENCY_MS = 10;

export type Picture = {
  /** Called once, with the fleet time of the first picture that is kept. */
  onBegun: (firstFrameMs: number) => void;
  /** Begins with the picture shown now; the origin is the boundary before it. Until it, the picture is black. */
  begin(): void;
  endAt(endMs: number): void;
  tick(nowMs: number): void;
  flush(): Promise<void>;
  readonly isDone: boolean;
  /** How much later than captured pictures lie on the grid just now, in the mean of a second or two, ms. */
  readonly latenessMs: number;
  stats(): PictureStats;
};

export type PictureOptions = {
  readonly width: number;
  readonly height: number;
  readonly fps: GridFps;
  readonly videoBitrate: number;
  readonly frames: ReadableStream<VideoFrame>;
  readonly link: Link;
  readonly onFailed: (error: unknown) => void;
};

/** Starts reading the tab's frames; resolves when the first one of the right size has come. */
export async function startPicture(options: PictureOptions): Promise<Picture> {
  const picture = new TabPicture(options);
  await picture.firstFrame;
  return picture;
}

class TabPicture implements Picture {
  onBegun: (firstFrameMs: number) => void = () => undefined;
  readonly firstFrame: Promise<void>;
  readonly #options: PictureOptions;
  readonly #perSegment: number;
  readonly #held: HeldPicture;
  readonly #encoder: PictureEncoder;
  readonly #probe: PictureProbe;
  readonly #lateness = new LatenessMean();
  readonly #phase = new PhaseControl();
  readonly #counts = { captured: 0, encoded: 0, repeated: 0, late: 0, dropped: 0, emptySlots: 0 };
  #grid: SlotGrid<VideoFrame> | undefined;
  /** The latest frame before recording begins. */
  #waiting: VideoFrame | undefined;
  #baseMs = 0;
  #encodeQueueMax = 0;
  #endSlot = Infinity;
  #decidedSlots = 0;
  /** Not before the first captured picture: the lead-in is black by intention. */
  #hasPicture = false;

  constructor(options: PictureOptions) {
    this.#options = options;
    this.#perSegment = slotsPerSegment(options.fps);
    this.#held = new HeldPicture(options);
    this.#encoder = startPictureEncoder({
      ...options,
      onChunk: (chunk) => {
        this.#send(chunk);
      },
    });
    const { link } = options;
    this.#probe = new PictureProbe({
      black: sendSpans(link, 'black'),
      still: sendSpans(link, 'still'),
    });
    this.firstFrame = new Promise((resolve) => {
      void this.#read(options.frames, resolve).then(() => {
        options.onFailed(new Error('the tab capture ended'));
      }, options.onFailed);
    });
  }

  get isDone(): boolean {
    return this.#grid !== undefined && this.#grid.next >= this.#endSlot;
  }

  get latenessMs(): number {
    // Before the first of them, where the phase will lay them.
    return this.#lateness.value?.recentMs ?? (this.#phase.value * 1000) / this.#options.fps;
  }

  stats(): PictureStats {
    return {
      ...this.#counts,
      phase: this.#phase.value,
      encodeQueueMax: this.#encodeQueueMax,
      pictureLateness: this.#lateness.value,
    };
  }

  begin(): void {
    if (this.#grid !== undefined) return;
    // The capture sends a frame for every change, so the latest one is what the tab shows now.
    const atMs = this.#options.link.nowMs();
    this.#baseMs = boundaryAtOrBefore(atMs);
    this.#grid = new SlotGrid<VideoFrame>(this.#options.fps, this.#phase);
    if (this.#waiting !== undefined) this.#place(this.#waiting, atMs, this.#grid);
    this.#waiting = undefined;
    this.onBegun(atMs);
  }

  endAt(endMs: number): void {
    this.#endSlot = Math.round((endMs - this.#baseMs) / SEGMENT_MS) * this.#perSegment;
  }

  tick(nowMs: number): void {
    if (this.#grid === undefined) return;
    for (const due of this.#grid.due(nowMs - this.#baseMs)) this.#encode(due, this.#grid);
    this.#held.rest();
  }

  async flush(): Promise<void> {
    for (const frame of this.#grid?.drain() ?? []) frame.close();
    this.#probe.end(this.#slotMs(this.#endSlot));
    await this.#encoder.flush();
  }

  /** Throws frames away until the picture is the page, one to one; then takes them all. */
  async #read(frames: ReadableStream<VideoFrame>, onRight: () => void): Promise<void> {
    const reader = frames.getReader();
    let isRight = false;
    for (;;) {
      const { done, value: frame } = await reader.read();
      if (done) return;
      isRight ||= await hasCornerMarks(frame, this.#options);
      if (isRight) {
        this.#take(frame);
        onRight();
      } else frame.close();
    }
  }

  #take(frame: VideoFrame): void {
    this.#counts.captured += 1;
    if (this.#grid !== undefined) {
      this.#place(frame, this.#capturedAtMs(frame), this.#grid);
      return;
    }
    // A segment boundary is a multiple of slots since 1970, so the place in a slot is the same.
    this.#phase.see((this.#capturedAtMs(frame) * this.#options.fps) / 1000);
    this.#waiting?.close();
    this.#waiting = frame;
  }

  #place(frame: VideoFrame, atMs: number, grid: SlotGrid<VideoFrame>): void {
    const result = grid.offer(frame, atMs - this.#baseMs);
    if (result === 'placed') return;
    this.#counts.late += 1;
    if (result !== 'late') result.displaced.close();
    // The newest picture of all is what fillers must show, or a page that draws no more would be shown as it was.
    else if (grid.isWaiting) frame.close();
    else this.#held.take(frame);
  }

  #encode(due: DueSlot<VideoFrame>, grid: SlotGrid<VideoFrame>): void {
    const isBeyondEnd = due.slot >= this.#endSlot;
    if (isBeyondEnd) {
      due.frame?.close();
      return;
    }
    if (due.frame !== undefined && this.#mustDrop(due)) {
      this.#counts.dropped += 1;
      grid.leaveEmpty();
      this.#held.take(due.frame);
      return;
    }
    this.#counts.emptySlots += due.slot - this.#decidedSlots;
    this.#decidedSlots = due.slot + 1;
    const atMs = this.#slotMs(due.slot);
    if (due.frame === undefined) this.#counts.repeated += 1;
    else {
      this.#noteLateness(atMs, this.#capturedAtMs(due.frame));
      this.#held.take(due.frame);
    }
    const picture = this.#held.at((due.slot * 1e6) / this.#options.fps);
    this.#encoder.encode(picture, { isKey: due.isKey, isFresh: due.frame !== undefined });
    picture.close();
    this.#counts.encoded += 1;
    this.#encodeQueueMax = Math.max(this.#encodeQueueMax, this.#encoder.queueSize);
    if (this.#hasPicture) {
      this.#probe.see(atMs, due.frame !== undefined, () => this.#held.at(0));
    }
  }

  #slotMs(slot: number): number {
    return this.#baseMs + (slot * 1000) / this.#options.fps;
  }

  /** The picture that recording began with may have been drawn long before: it is late by intention. */
  #noteLateness(slotMs: number, capturedAtMs: number): void {
    if (this.#hasPicture) this.#lateness.add(slotMs - capturedAtMs);
    this.#hasPicture = true;
  }

  /** When encoder or socket fall behind, every other slot is left empty before encoding, never after. */
  #mustDrop({ slot, isOptional }: DueSlot<VideoFrame>): boolean {
    if (slot % 2 === 0 || !isOptional) return false;
    return (
      this.#encoder.queueSize > MAX_ENCODE_QUEUE ||
      this.#options.link.bufferedBytes > MAX_SOCKET_BYTES
    );
  }

  #send(chunk: EncodedVideoChunk): void {
    const slot = Math.round((chunk.timestamp * this.#options.fps) / 1e6);
    const data = new Uint8Array(chunk.byteLength);
    chunk.copyTo(data);
    const n = Math.floor(slot / this.#perSegment);
    const index = slot - n * this.#perSegment;
    this.#options.link.sendMedia({ kind: 'video', isKey: chunk.type === 'key', n, index, data });
  }

  #capturedAtMs(frame: VideoFrame): number {
    return this.#options.link.fleetMs(frame.timestamp / 1000) - DISPLAY_LATENCY_MS;
  }
}
