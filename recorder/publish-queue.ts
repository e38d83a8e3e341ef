import type { SegmentPublisher } from './publisher.ts';
import type { ClosedSegment } from './segmenter.ts';

/** Publishes segments one after the other, in the order they were closed. Trouble is delay, never a hole. */
export class PublishQueue {
  readonly #publisher: SegmentPublisher;
  readonly #onPublished: (segment: ClosedSegment) => void;
  readonly #onFailed: (error: unknown) => void;
  #last: Promise<void> = Promise.resolve();
  #segments = 0;
  #bytes = 0;
  #waiting = 0;
  #queueMax = 0;

  constructor(options: {
    readonly publisher: SegmentPublisher;
    readonly onPublished: (segment: ClosedSegment) => void;
    readonly onFailed: (error: unknown) => void;
  }) {
    this.#publisher = options.publisher;
    this.#onPublished = options.onPublished;
    this.#onFailed = options.onFailed;
  }

  add(segment: ClosedSegment): void {
    this.#waiting += 1;
    this.#queueMax = Math.max(this.#queueMax, this.#waiting);
    this.#last = this.#last.then(async () => {
      await this.#publisher.publish(segment);
      this.#waiting -= 1;
      this.#segments += 1;
      this.#bytes += segment.bytes;
      this.#onPublished(segment);
    });
    this.#last.catch(this.#onFailed);
  }

  /** What has been published so far, and the most segments that waited for it. */
  get published(): {
    readonly segments: number;
    readonly bytes: number;
    readonly queueMax: number;
  } {
    return { segments: this.#segments, bytes: this.#bytes, queueMax: this.#queueMax };
  }

  /** Resolves when everything handed in has been published; throws when the publisher gave up. */
  settled(): Promise<void> {
    return this.#last;
  }
}
