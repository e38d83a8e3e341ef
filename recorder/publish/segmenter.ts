import { segmentPts90k, segmentStartMs, slotTicks } from '../../src/model/grid.ts';
import {
  createSegmentWriter,
  type SegmentSummary,
  type SegmentWriter,
} from '../../src/media/mpegts/segment-writer.ts';
import type { RecordingSettings } from '../../src/model/recording.ts';
import type { MediaMessage } from '../../src/protocol/recorder-link.ts';
import type { Spool, SpoolFile } from './spool.ts';

/** A segment of the grid, durable in the spool and ready to be published. */
export type ClosedSegment = SegmentSummary & {
  readonly n: number;
  readonly startMs: number;
  readonly file: string;
  /** Of a part that was completed: how much from its start was captured, ms. */
  readonly spanMs?: number;
};

export type SegmenterOptions = {
  readonly settings: Pick<RecordingSettings, 'media' | 'fps'>;
  readonly originMs: number;
  /** Number of the segment in which this capture began: 0 unless it goes on with another worker's recording. */
  readonly firstNumber: number;
  /** What belongs to segments before this one is left out. */
  readonly fromNumber: number;
  readonly spool: Spool;
  readonly onSegmentClosed: (segment: ClosedSegment) => void;
  readonly onFailed: (error: unknown) => void;
};

type OpenSegment = { readonly writer: SegmentWriter; readonly file: SpoolFile };

/**
 * Lays encoded pictures and sound on the grid: opens a segment with its first frame, closes it when it is complete. Segments are
 * handed on in order of number. Two are open at once for a moment, since sound and picture are encoded at different delays.
 */
export class Segmenter {
  readonly #options: SegmenterOptions;
  /** Undefined when only sound is kept. */
  readonly #slotTicks: number | undefined;
  readonly #open = new Map<number, OpenSegment>();
  #closing: Promise<void> = Promise.resolve();
  #hasLeft = false;

  constructor(options: SegmenterOptions) {
    this.#options = options;
    const { media, fps } = options.settings;
    this.#slotTicks = media === 'audio' ? undefined : slotTicks(fps);
  }

  take(message: MediaMessage): void {
    const n = this.#options.firstNumber + message.n;
    if (n < Math.max(0, this.#options.fromNumber) || this.#hasLeft) return;
    const segment = this.#segment(n);
    if (message.kind === 'audio') segment.writer.writeAudio(message.data);
    else {
      segment.writer.writeVideo({
        offset90k: message.index * (this.#slotTicks ?? 0),
        isKey: message.isKey,
        data: message.data,
      });
    }
    if (segment.writer.isComplete) this.#close(n, segment);
  }

  /** Numbers of segments begun and not completed. */
  get unfinished(): readonly number[] {
    return [...this.#open.keys()].sort((a, b) => a - b);
  }

  /** Resolves when every completed segment has been handed on. */
  settled(): Promise<void> {
    return this.#closing;
  }

  /** Takes nothing more; the files of what is unfinished stay in the spool as they are. */
  async leave(): Promise<void> {
    this.#hasLeft = true;
    await this.#closing;
    await Promise.all([...this.#open.values()].map(({ file }) => file.leave()));
  }

  #segment(n: number): OpenSegment {
    const existing = this.#open.get(n);
    if (existing !== undefined) return existing;
    const file = this.#options.spool.openSegment(n);
    const writer = createSegmentWriter({
      pts90k: segmentPts90k(n),
      slotTicks: this.#slotTicks,
      write: (packets) => {
        file.append(packets);
      },
    });
    const segment = { writer, file };
    this.#open.set(n, segment);
    return segment;
  }

  #close(n: number, { writer, file }: OpenSegment): void {
    this.#open.delete(n);
    const summary = writer.finish();
    this.#closing = this.#closing
      .then(async () => {
        const startMs = segmentStartMs(n, this.#options.originMs);
        this.#options.onSegmentClosed({ ...summary, n, startMs, file: await file.close() });
      })
      .catch(this.#options.onFailed);
  }
}
