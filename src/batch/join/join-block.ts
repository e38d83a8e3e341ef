import type { JoinedFile } from './out-file.ts';

/** A picture on its way into an output. Times are ticks from the first segment's start. */
export type JoinPicture = {
  readonly pts: number;
  readonly decodeAt: number;
  /** How long it is shown; the last one before a hole, to the hole. */
  readonly duration: number;
  readonly isKey: boolean;
  readonly data: Uint8Array;
};

/** A segment of the grid on its way into the outputs. */
export type JoinBlock = {
  /** From the first segment. */
  readonly index: number;
  /** There was no segment: no pictures, and silence. */
  readonly isHole: boolean;
  /** In decoding order. */
  readonly pictures: readonly JoinPicture[];
  /** 75 raw AAC frames. */
  readonly frames: readonly Uint8Array[];
};

/** Takes the blocks in order. */
export type OutputWriter = {
  append(block: JoinBlock): Promise<void>;
  /** Writes what is left. The file that players open comes first. */
  finish(): Promise<readonly JoinedFile[]>;
  /** Lets go of files, whether it has finished or not. */
  close(): Promise<void>;
};

/** Segments of the grid in an HLS segment, at least: 6.4 s. A longer GOP makes longer ones. */
const HLS_SEGMENTS = 4;

/** Gathers blocks into HLS segments: each begins with an IDR picture, none reaches over a hole. */
export class HlsGrouper {
  #blocks: JoinBlock[] = [];

  /** The group that is whole now that this block has come. */
  push(block: JoinBlock): readonly JoinBlock[] | undefined {
    const isStart = block.pictures.length === 0 || block.pictures[0]?.isKey === true;
    const isDue = this.#blocks.length >= HLS_SEGMENTS && isStart;
    const whole = isDue || block.isHole ? this.flush() : undefined;
    if (!block.isHole) this.#blocks.push(block);
    return whole;
  }

  /** What is left. */
  flush(): readonly JoinBlock[] | undefined {
    const blocks = this.#blocks;
    this.#blocks = [];
    return blocks.length === 0 ? undefined : blocks;
  }
}
