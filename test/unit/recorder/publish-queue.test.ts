import { describe, expect, it } from 'vitest';
import { PublishQueue } from '../../../recorder/publish/publish-queue.ts';
import type { PublishResult } from '../../../recorder/publish/publisher.ts';
import type { ClosedSegment } from '../../../recorder/publish/segmenter.ts';
import { deferred } from '../../../src/lifecycle.ts';
import { ChalkreelError } from '../../../src/errors.ts';

const BYTES = 1000;

function segment(n: number): ClosedSegment {
  const accessUnits = { pts90k: 0, pictures: [], frames: [] };
  return { n, startMs: 1600 * n, file: `${n}.ts`, bytes: BYTES, codecHash: 'a', accessUnits };
}

/** A publisher that waits for the test. */
function slowPublisher(): {
  readonly started: number[];
  readonly publish: (segment: ClosedSegment) => Promise<PublishResult>;
  readonly finish: (result?: PublishResult | ChalkreelError) => Promise<void>;
} {
  const started: number[] = [];
  let current = deferred<PublishResult>();
  return {
    started,
    publish: ({ n }) => {
      started.push(n);
      current = deferred();
      return current.promise;
    },
    finish: async (result = 'published') => {
      if (result instanceof ChalkreelError) current.reject(result);
      else current.resolve(result);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe('PublishQueue', () => {
  it('publishes one after the other, in order, and counts what stands', async () => {
    const publisher = slowPublisher();
    const published: number[] = [];
    const queue = new PublishQueue({
      onPublished: ({ n }) => published.push(n),
      onFailed: () => undefined,
    });
    for (const n of [0, 1, 2]) queue.add(segment(n), publisher);
    expect(publisher.started).toEqual([0]);
    await publisher.finish();
    await publisher.finish('superseded');
    let isSettled = false;
    const settled = queue.settled().then(() => (isSettled = true));
    await Promise.resolve();
    expect([publisher.started, isSettled]).toEqual([[0, 1, 2], false]);
    await publisher.finish();
    await settled;
    expect(published).toEqual([0, 2]);
    expect(queue.published).toEqual({ segments: 2, bytes: 2 * BYTES, queueMax: 3 });
    expect(queue.isEmpty).toBe(true);
  });

  it('gives up the oldest that waits when too much does, never the one on its way', async () => {
    const publisher = slowPublisher();
    const dropped: number[] = [];
    const queue = new PublishQueue({
      maxBytes: 3 * BYTES,
      onDropped: ({ n }) => dropped.push(n),
      onFailed: () => undefined,
    });
    for (const n of [0, 1, 2, 3, 4]) queue.add(segment(n), publisher);
    expect(dropped).toEqual([1, 2]);
    for (const n of [0, 3, 4]) {
      expect(publisher.started.at(-1)).toBe(n);
      await publisher.finish();
    }
    await queue.settled();
    expect(queue.published.segments).toBe(3);
  });

  it('stops for good when the publisher gives up', async () => {
    const publisher = slowPublisher();
    const failures: unknown[] = [];
    const queue = new PublishQueue({ onFailed: (error) => failures.push(error) });
    for (const n of [0, 1]) queue.add(segment(n), publisher);
    const lost = new ChalkreelError('ownership-lost', 'another worker records now');
    const settled = expect(queue.settled()).rejects.toBe(lost);
    await publisher.finish(lost);
    queue.add(segment(2), publisher);
    await settled;
    await expect(queue.settled()).rejects.toBe(lost);
    expect([failures, publisher.started]).toEqual([[lost], [0]]);
  });
});
