import path from 'node:path';
import type { Log } from '../../src/log.ts';
import type { Recording } from '../../src/model/recording.ts';
import type { Claim, Leases } from '../../src/queue/leases.ts';
import type { Services } from '../../src/queue/open-services.ts';
import { adoptUnlisted } from '../../src/storage/index/adopt-unlisted.ts';
import { openFleetPublisher } from '../publish/fleet-publisher.ts';
import type { LaneRecord } from './lane-record.ts';
import type { LaneTenure } from './lane-tenure.ts';
import { PublishQueue } from '../publish/publish-queue.ts';
import type { SegmentPublisher } from '../publish/publisher.ts';
import type { SegmentSink } from '../publish/segment-sink.ts';
import { retried } from '../retried.ts';
import { salvagePart } from '../salvage/salvage.ts';
import { salvageSpools } from '../salvage/salvage-spools.ts';
import { listSpool } from '../publish/work-folder.ts';

export type LaneMediaOptions = {
  readonly services: Pick<Services, 'store' | 'segments'>;
  readonly leases: Pick<Leases, 'isAlive'>;
  readonly claim: Claim;
  readonly recording: Recording;
  readonly record: LaneRecord;
  readonly tenure: LaneTenure;
  readonly nowMs: () => number;
  readonly log: Log;
  readonly maxSpoolBytes: number;
  /** The publisher gave up: what waits stays in the spool. */
  readonly onFailed: (error: unknown) => void;
  /** Aborts when the lane is over for this worker. */
  readonly signal: AbortSignal;
};

/** The segments of one lane on their way from this worker's spool to the store: those of all its Chromes, and what others left. */
export class LaneMedia {
  readonly #options: LaneMediaOptions;
  readonly #queue: PublishQueue;
  #lastClosed = -1;
  #activeAtMs = performance.now();
  #salvaged: Promise<void> = Promise.resolve();

  constructor(options: LaneMediaOptions) {
    this.#options = options;
    this.#queue = new PublishQueue({
      maxBytes: options.maxSpoolBytes,
      onPublished: () => {
        this.#activeAtMs = performance.now();
      },
      onFailed: options.onFailed,
      onDropped: ({ n }) => {
        options.record.warn(`segment ${n} was given up: too much waited to be published`);
      },
    });
  }

  /** Since anything was published, or the lane was taken, ms. */
  get idleMs(): number {
    return performance.now() - this.#activeAtMs;
  }

  /** Whether all up to a number was published, as far as it was made. */
  isThrough(n: number): boolean {
    return this.#lastClosed >= n && this.#queue.isEmpty;
  }

  /** Resolves when everything is published; throws when the publisher gave up. */
  async settled(): Promise<void> {
    await this.#salvaged;
    await this.#queue.settled();
  }

  /** Where a Chrome under this epoch puts its segments. They wait for what was salvaged; what waits is published while the next one starts. */
  openSink(epoch: number): SegmentSink {
    const queue = this.#queue;
    const publisher = this.#openPublisher(epoch, async () => {
      await this.#salvaged;
      await this.#options.tenure.confirm();
    });
    return {
      add: (segment) => {
        this.#lastClosed = segment.n;
        queue.add(segment, publisher);
      },
      get published() {
        return queue.published;
      },
      settled: () => Promise.resolve(),
    };
  }

  /** Looks for what dead makers of the lane left on this disk, and publishes it ahead of all else. Says whether there are parts of segments. */
  async salvageOthers(roots: { readonly work: string; readonly own: string }): Promise<boolean> {
    const { services, leases, claim, recording, record, tenure, nowMs, log, signal } =
      this.#options;
    const { recordingId, lane, workerId, epoch } = claim;
    const { hasParts, done } = await salvageSpools(roots.work, {
      ...services,
      recordingId,
      lane,
      workerId,
      isAlive: (id) => leases.isAlive(id),
      nowMs,
      log,
      originMs: record.originMs,
      settings: recording.settings,
      into: path.join(roots.own, 'spool'),
      as: { lane, epoch },
      publisher: this.#openPublisher(epoch, () => tenure.confirm()),
      signal,
    });
    // Those that a maker had stored, but not listed, when it died are in no spool any more.
    const adopted = retried(() => adoptUnlisted(recordingId, { ...services, log }), signal);
    const all = Promise.all([adopted, done]).then(() => undefined);
    this.#salvaged = all.catch((error: unknown) => {
      log.warn({ event: 'salvage-failed', err: error }, 'a spool could not be salvaged yet');
    });
    return hasParts;
  }

  /** Completes the segments that a dead Chrome of this worker left unfinished. */
  async salvageOwn(folder: string): Promise<void> {
    const { record, recording, tenure, log } = this.#options;
    const { originMs } = record;
    if (originMs === null) return;
    for (const spooled of await listSpool(folder)) {
      const { lane, epoch, n, isWhole } = spooled;
      if (isWhole || n <= this.#lastClosed) continue;
      const segment = await salvagePart(spooled, {
        settings: recording.settings,
        originMs,
        spool: path.join(folder, 'spool'),
        as: { lane, epoch },
      });
      if (segment === undefined) continue;
      log.info({ event: 'part-salvaged', n, spanMs: segment.spanMs }, 'completed what was begun');
      this.#lastClosed = n;
      this.#queue.add(
        segment,
        this.#openPublisher(epoch, () => tenure.confirm()),
      );
    }
  }

  #openPublisher(epoch: number, confirmOwnership: () => Promise<void>): SegmentPublisher {
    const { services, claim, recording, record, tenure, nowMs, log, signal } = this.#options;
    const isShared = recording.settings.redundancy > 1;
    const publisher = openFleetPublisher({
      ...services,
      recordingId: claim.recordingId,
      lane: claim.lane,
      epoch,
      nowMs,
      log,
      signal,
      confirmOwnership,
      ...(isShared ? { sharedOriginMs: () => record.originMs ?? 0 } : {}),
    });
    return {
      publish: async (segment) => {
        const result = await publisher.publish(segment);
        await tenure.noteResult(segment.n, result);
        return result;
      },
    };
  }
}
