import { asChalkreelError } from '../../src/errors.ts';
import { deferred, type Deferred } from '../../src/lifecycle.ts';
import type { SegmentPublisher } from './publisher.ts';
import type { ClosedSegment } from './segmenter.ts';

/** What has been published so far, and the most segments that waited for it. */
export type PublishedCounts = {
  readonly segments: number;
  readonly bytes: number;
  readonly queueMax: number;
};

export type PublishQueueOptions = {
  readonly onPublished?: (segment: ClosedSegment) => void;
  /** Once: what is waiting is not published any more. Its files stay. */
  readonly onFailed: (error: unknown) => void;
  /** Segments may wait up to so many bytes; beyond that the oldest are given up. Default: without bound. */
  readonly maxBytes?: number;
  readonly onDropped?: (segment: ClosedSegment) => void;
};

type Waiting = { readonly segment: ClosedSegment; readonly publisher: SegmentPublisher };

/** Publishes segments one after the other, in the order they were closed. Trouble is delay, never a hole, up to the bound. */
export class PublishQueue {
  readonly #options: PublishQueueOptions;
  readonly #waiting: Waiting[] = [];
  readonly #counts = { segments: 0, bytes: 0, queueMax: 0 };
  readonly #failed = deferred<never>();
  #bytes = 0;
  #isBusy = false;
  #hasFailed = false;
  #idle: Deferred<void> | undefined;

  constructor(options: PublishQueueOptions) {
    this.#options = options;
  }

  add(segment: ClosedSegment, publisher: SegmentPublisher): void {
    if (this.#hasFailed) return;
    this.#waiting.push({ segment, publisher });
    this.#bytes += segment.bytes;
    this.#counts.queueMax = Math.max(this.#counts.queueMax, this.#waiting.length);
    this.#bound();
    if (!this.#isBusy) void this.#work();
  }

  get published(): PublishedCounts {
    return { ...this.#counts };
  }

  /** True when nothing waits. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Resolves when everything handed in has been published; throws when the publisher gave up. */
  async settled(): Promise<void> {
    if (!this.#hasFailed && this.isEmpty) return;
    this.#idle ??= deferred();
    await Promise.race([this.#idle.promise, this.#failed.promise]);
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    try {
      for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
        const { segment, publisher } = next;
        const result = await publisher.publish(segment);
        this.#waiting.shift();
        this.#bytes -= segment.bytes;
        if (result === 'superseded') continue;
        this.#counts.segments += 1;
        this.#counts.bytes += segment.bytes;
        this.#options.onPublished?.(segment);
      }
      this.#idle?.resolve();
      this.#idle = undefined;
    } catch (error) {
      this.#hasFailed = true;
      this.#failed.reject(asChalkreelError(error));
      this.#options.onFailed(error);
    } finally {
      this.#isBusy = false;
    }
  }

  /** The first one is on its way and stays. */
  #bound(): void {
    const { maxBytes = Infinity, onDropped } = this.#options;
    while (this.#bytes > maxBytes && this.#waiting.length > 2) {
      const [dropped] = this.#waiting.splice(1, 1);
      if (dropped === undefined) return;
      this.#bytes -= dropped.segment.bytes;
      onDropped?.(dropped.segment);
    }
  }
}
