import { slotsPerSegment, type GridFps } from '../../src/model/grid.ts';
import { PhaseControl } from './phase.ts';

/** Slots between capture and encoding, so that a frame that comes late still finds its slot. */
const DELAY_SLOTS = 3;
/** The longest time without a picture: players stretch or move frames across longer ones (lab: hls.js). */
const FILL_MS = 200;
/**
 * Frames in a row that may lie a slot behind their own before one is given up to bring them back: 2 s at 30 fps. A source with
 * jitter mostly leaves a slot empty before that, which brings them back for nothing.
 */
const MAX_SHIFTED = 60;
/** While the phase moves, frames collide because of it: 1/6 s at 30 fps. */
const MAX_SHIFTED_SLEWING = 5;

/** What to encode in one slot. `frame` is absent for a filler: the held picture again. */
export type DueSlot<Frame> = {
  /** Slots since the base. */
  readonly slot: number;
  readonly isKey: boolean;
  /** True when nothing asks for a picture here: the slot may be left empty after all. */
  readonly isOptional: boolean;
  readonly frame?: Frame;
};

/** `late`: its slot and the one after are past. */
export type OfferResult<Frame> = 'placed' | 'late' | { readonly displaced: Frame };

/**
 * Snaps captured frames to the slots of the grid and decides which slots are filled. Pure bookkeeping: frames are opaque,
 * time is passed in, as ms since `baseMs` (a segment boundary).
 */
export class SlotGrid<Frame> {
  readonly #fps: number;
  readonly #perSegment: number;
  readonly #fillSlots: number;
  readonly #pending = new Map<number, Frame>();
  #next = 0;
  /** The latest slot that was given to a frame. */
  #last = -Infinity;
  #lastFilled = -Infinity;
  #filledBefore = -Infinity;
  readonly #phase: PhaseControl;
  /** Frames in a row that were placed behind their own slot. */
  #shifted = 0;

  /** `phase` may have learnt the source's rhythm before. */
  constructor(fps: GridFps, phase = new PhaseControl()) {
    this.#fps = fps;
    this.#perSegment = slotsPerSegment(fps);
    this.#fillSlots = (fps * FILL_MS) / 1000;
    this.#phase = phase;
    phase.settle();
  }

  /** Offset added to frame times before snapping, in slots, at most half of one. */
  get phase(): number {
    return this.#phase.value;
  }

  /**
   * Places a frame captured at `atMs`, behind all before it: frames come in order. `displaced` is a frame that lost its slot; the
   * caller closes it.
   */
  offer(frame: Frame, atMs: number): OfferResult<Frame> {
    const position = (atMs * this.#fps) / 1000;
    this.#phase.see(position);
    const own = Math.round(position + this.#phase.value);
    const slot = Math.max(own, this.#next);
    if (slot > this.#last || this.#moveBack()) {
      this.#shifted = 0;
      return own < this.#next - 1 ? 'late' : this.#place(frame, Math.max(slot, this.#last + 1));
    }
    this.#shifted += 1;
    const maxShifted = this.#phase.isMoving ? MAX_SHIFTED_SLEWING : MAX_SHIFTED;
    const mayShift = own === this.#last && this.#shifted <= maxShifted;
    return mayShift ? this.#place(frame, this.#last + 1) : this.#replace(frame, this.#last);
  }

  /** Makes room in the latest slot: a page that was held up draws two frames close together, the first of them for the slot before. */
  #moveBack(): boolean {
    const frame = this.#pending.get(this.#last);
    const before = this.#last - 1;
    if (frame === undefined || before < this.#next || this.#pending.has(before)) return false;
    this.#pending.delete(this.#last);
    this.#place(frame, before);
    return true;
  }

  #replace(frame: Frame, slot: number): { readonly displaced: Frame } {
    const displaced = this.#pending.get(slot) as Frame;
    this.#pending.set(slot, frame);
    return { displaced };
  }

  #place(frame: Frame, slot: number): 'placed' {
    this.#pending.set(slot, frame);
    this.#last = slot;
    return 'placed';
  }

  /** Slots whose time has come, in order; empty slots that may stay empty are left out. */
  *due(nowMs: number): Generator<DueSlot<Frame>> {
    const limit = Math.floor((nowMs * this.#fps) / 1000) - DELAY_SLOTS;
    while (this.#next <= limit) {
      const slot = this.#next;
      this.#next += 1;
      const frame = this.#pending.get(slot);
      this.#pending.delete(slot);
      const isOptional = !this.#isMandatory(slot);
      if (frame === undefined && isOptional) continue;
      this.#filledBefore = this.#lastFilled;
      this.#lastFilled = slot;
      const due = { slot, isKey: slot % this.#perSegment === 0, isOptional };
      yield frame === undefined ? due : { ...due, frame };
    }
  }

  /** Takes back the slot handed out last, an optional one: nothing was encoded in it. */
  leaveEmpty(): void {
    this.#lastFilled = this.#filledBefore;
  }

  /** True when a frame waits for its slot. */
  get isWaiting(): boolean {
    return this.#pending.size > 0;
  }

  /** The first slot of a segment, its last two, and one in any 200 ms are never empty. */
  #isMandatory(slot: number): boolean {
    const inSegment = slot % this.#perSegment;
    return (
      inSegment === 0 ||
      inSegment >= this.#perSegment - 2 ||
      slot - this.#lastFilled >= this.#fillSlots
    );
  }

  /** The next slot to be decided. */
  get next(): number {
    return this.#next;
  }

  /** Frames not yet encoded, for closing. */
  drain(): Frame[] {
    const frames = [...this.#pending.values()];
    this.#pending.clear();
    return frames;
  }
}
