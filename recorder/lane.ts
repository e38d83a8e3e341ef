import path from 'node:path';
import { asChalkreelError, ChalkreelError } from '../src/errors.ts';
import { delay, Resources } from '../src/lifecycle.ts';
import type { Log } from '../src/log.ts';
import { isFinal, type Recording } from '../src/model/recording.ts';
import type { Claim, Leases } from '../src/queue/leases.ts';
import type { Services } from '../src/queue/open-services.ts';
import { finishRecording } from './finish.ts';
import type { FleetClock } from './fleet-clock.ts';
import { openFleetPublisher } from './fleet-publisher.ts';
import {
  failureOf,
  GOOD_RUN_MS,
  isToEnd,
  planStep,
  waitBeforeNext,
  type RunEnd,
} from './lane-plan.ts';
import { LaneRecord } from './lane-record.ts';
import { ownershipLost, type HeldLease, type LeaseKeeper } from './lease-keeper.ts';
import type { PageServer } from './page-server.ts';
import { PublishQueue } from './publish-queue.ts';
import type { SegmentPublisher } from './publisher.ts';
import { RecordingRun, type RecordingOutcome, type StopReason } from './record.ts';
import { retried } from './retried.ts';
import { salvagePart } from './salvage.ts';
import { salvageSpools } from './salvage-spools.ts';
import { listSpool, makeWorkFolder, removeWorkFolder, spoolSuffix } from './work-folder.ts';
import { stoppedOutcome } from './whole-recording.ts';

const OFFER_EVERY_MS = 1_000;
/** What came before a successor's first segment is published within this, or is lost with storage. */
const RELIEF_TIMEOUT_MS = 15_000;
const RELIEF_POLL_MS = 100;

/** What a worker's lanes are told, all at once. */
export type WorkerOrders = {
  /** Hand everything over. */
  readonly draining: AbortSignal;
  /** Stop at the next boundary and leave it to others. */
  readonly leaving: AbortSignal;
  /** Stop at the next boundary: the recordings are over. */
  readonly ending: AbortSignal;
};

export type LaneOptions = {
  readonly services: Services;
  readonly leases: Leases;
  readonly keeper: LeaseKeeper;
  readonly chromium: string;
  readonly pages: PageServer;
  readonly clock: FleetClock;
  readonly log: Log;
  /** Folder of all lanes' work folders on this disk. */
  readonly workRoot: string;
  readonly maxSpoolBytes: number;
  /** A browser is replaced after this. */
  readonly browserMs: number;
  readonly orders: WorkerOrders;
  /** Makes a lane of the successor this worker is to itself. */
  readonly onSuccessor: (claim: Claim) => void;
};

/**
 * Makes one lane of a recording, from the lease just taken until the recording is over, or is somebody else's: with as many Chromes as it
 * takes. Resolves when nothing of it is left in this worker. Throws `clock-off`; the lane is left to others then.
 */
export async function makeLane(claim: Claim, options: LaneOptions): Promise<void> {
  const held = options.keeper.hold(claim);
  const { services, leases } = options;
  try {
    const recording = await retried(() => services.recordings.find(claim.recordingId));
    if (recording === undefined || isFinal(recording.state)) {
      await leases.close(claim.recordingId);
      return;
    }
    await new Lane(recording, claim, held, options).make();
  } finally {
    held.letGo();
  }
}

class Lane {
  readonly #options: LaneOptions;
  readonly #recording: Recording;
  readonly #claim: Claim;
  readonly #held: HeldLease;
  readonly #record: LaneRecord;
  readonly #queue: PublishQueue;
  readonly #resources = new Resources();
  readonly #over = new AbortController();
  #folder = '';
  #run: RecordingRun | undefined;
  #stopReason: StopReason | undefined;
  #stopped = new AbortController();
  #isLeaving = false;
  /** False for a successor until its predecessor is relieved. */
  #isOwner: boolean;
  /** With two lanes: whether this one brought the last segment. */
  #isLeading: boolean;
  #lastClosed = -1;
  #activeAtMs = performance.now();
  #salvaged: Promise<void> = Promise.resolve();

  constructor(recording: Recording, claim: Claim, held: HeldLease, options: LaneOptions) {
    const { services, clock, log } = options;
    this.#options = options;
    this.#recording = recording;
    this.#claim = claim;
    this.#held = held;
    this.#isOwner = claim.role === 'owner';
    this.#isLeading = recording.settings.redundancy === 1 || claim.lane === 0;
    const nowMs = (): number => clock.nowMs();
    this.#record = new LaneRecord({ recording, services, nowMs, log, signal: this.#over.signal });
    this.#queue = new PublishQueue({
      maxBytes: options.maxSpoolBytes,
      onPublished: () => {
        this.#isLeading = true;
        this.#activeAtMs = performance.now();
      },
      onFailed: (error) => this.#run?.abandon(asChalkreelError(error)),
      onDropped: ({ n }) => {
        this.#record.warn(`segment ${n} was given up: too much waited to be published`);
      },
    });
  }

  async make(): Promise<void> {
    try {
      if (isToEnd(this.#recording) && !this.#isOwner) return void (await this.#decline());
      await this.#prepare();
      if (isToEnd(this.#recording)) await this.#finish('stopped-before-start');
      else await this.#work();
    } catch (error) {
      await this.#leave();
      throw error;
    } finally {
      this.#over.abort(new Error('the lane is over'));
      await this.#resources.close();
      await removeWorkFolder(this.#folder);
    }
  }

  async #prepare(): Promise<void> {
    const { workRoot, services, orders } = this.#options;
    const { id } = this.#recording;
    this.#folder = await makeWorkFolder(workRoot, this.#claim);
    this.#resources.use(await this.#options.clock.join());
    if (this.#isOwner) await this.#takeOver();
    this.#resources.use(
      await retried(() =>
        services.recordings.subscribe(id, ({ stopRequestedAtMs, state, history, source }) => {
          this.#run?.changeSource(source);
          const reason = history.at(-1)?.reason as StopReason | undefined;
          if (stopRequestedAtMs !== null) this.#stop('stop-requested');
          else if (state === 'stopping') this.#stop(reason ?? 'stop-requested');
        }),
      ),
    );
    const leave = (): void => {
      this.#isLeaving = true;
      this.#run?.stop('signal');
      this.#stopped.abort();
    };
    this.#on(orders.leaving, leave);
    this.#on(orders.ending, () => {
      // One that has not begun is not over: it waits for the next worker.
      if (this.#record.originMs === null) leave();
      else this.#stop('signal');
    });
    this.#on(orders.draining, () => void this.#offer());
    void this.#held.ended.then(() => this.#onEnded());
  }

  /** Owner by takeover, or of a new recording: from now on the record says so, and what the one before left is looked for. */
  async #takeOver(): Promise<void> {
    const { log, services, leases, clock, workRoot } = this.#options;
    const { recordingId, predecessor, lane, epoch, workerId } = this.#claim;
    const { state, settings } = this.#recording;
    log.info({ event: 'lane-taken', lane, epoch, predecessor }, 'this worker records now');
    this.#record.enterOwner(this.#claim);
    if (!isToEnd(this.#recording)) {
      if (state === 'queued' || settings.redundancy === 1) this.#record.enter('starting');
      this.#load();
    }
    const found = await salvageSpools(workRoot, {
      ...services,
      recordingId,
      lane,
      workerId,
      isAlive: (id) => leases.isAlive(id),
      nowMs: () => clock.nowMs(),
      log,
      originMs: this.#record.originMs,
      settings,
      into: path.join(this.#folder, 'spool'),
      as: { lane, epoch },
      publisher: this.#publisher(epoch, () => this.#held.confirm()),
      signal: this.#over.signal,
    });
    this.#salvaged = found.done.catch((error: unknown) => {
      log.warn({ event: 'salvage-failed', err: error }, 'a spool could not be salvaged yet');
    });
    // What is completed from parts and what is recorded now come from different encoders.
    if (found.hasParts) await this.#advance();
  }

  #load(): void {
    this.#record.loadEarlier().catch(() => undefined); // the lane is over
  }

  async #work(): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      const startedAtMs = performance.now();
      const end = await this.#capture();
      if (performance.now() - startedAtMs > GOOD_RUN_MS) failures = 1;
      const step = planStep({
        end,
        hasBegun: this.#record.originMs !== null,
        isLeaseLost: this.#held.standing.state !== 'held',
        isLeaving: this.#isLeaving,
        isStopped: this.#stopReason !== undefined,
        failures,
        idleMs: performance.now() - this.#activeAtMs,
      });
      const failure = failureOf(end);
      this.#options.log.info({ event: 'run-ended', step, failures, err: failure });
      if (!this.#isOwner) return void (await this.#decline());
      if (step === 'finish') return this.#finish(end);
      if (step === 'leave') return this.#leave();
      if (step === 'relieved') return;
      this.#record.warn(`the recording goes on with another browser: ${failure?.message ?? ''}`);
      await this.#salvageOwn();
      this.#record.endRun();
      if (!(await this.#advance())) return;
      await delay(waitBeforeNext(failures), this.#stopped.signal).catch(() => undefined);
    }
  }

  /** One Chrome, from its launch to its end. */
  async #capture(): Promise<RunEnd> {
    const { chromium, pages, clock, log } = this.#options;
    if (this.#stopped.signal.aborted) return 'stopped-before-start';
    const { lane, epoch } = this.#held.lease;
    const publisher = this.#publisher(epoch, async () => {
      await this.#salvaged;
      await this.#held.confirm();
    });
    const queue = this.#queue;
    const run = new RecordingRun({
      source: this.#recording.source,
      settings: this.#recording.settings,
      chromium,
      pages,
      clock,
      log,
      workDir: this.#folder,
      spoolSuffix: spoolSuffix({ lane, epoch }),
      agreeOrigin: (captured) => this.#record.agreeOrigin(captured),
      sink: {
        add: (segment) => {
          this.#lastClosed = segment.n;
          queue.add(segment, publisher);
        },
        get published() {
          return queue.published;
        },
        // What waits is published while the next Chrome starts.
        settled: () => Promise.resolve(),
      },
    });
    this.#run = run;
    run.on('stopping', (reason) => {
      if (!(reason === 'signal' && this.#isLeaving)) this.#stopReason ??= reason;
    });
    this.#record.listen(run, {
      isLeading: () => this.#isOwner && this.#isLeading,
      isLeaving: () => this.#isLeaving,
    });
    const recycle = this.#recycleLater();
    try {
      return await run.run();
    } catch (error) {
      return asChalkreelError(error);
    } finally {
      clearTimeout(recycle);
      this.#run = undefined;
    }
  }

  #publisher(epoch: number, confirmOwnership: () => Promise<void>): SegmentPublisher {
    const { services, clock, log } = this.#options;
    const { recordingId, lane } = this.#claim;
    const isShared = this.#recording.settings.redundancy > 1;
    const publisher = openFleetPublisher({
      store: services.store,
      segments: services.segments,
      recordingId,
      lane,
      epoch,
      nowMs: () => clock.nowMs(),
      log,
      signal: this.#over.signal,
      confirmOwnership,
      ...(isShared ? { sharedOriginMs: () => this.#record.originMs ?? 0 } : {}),
      onAppended: ({ n }) => this.#succeed(n),
    });
    return {
      publish: async (segment) => {
        const result = await publisher.publish(segment);
        if (result === 'superseded') {
          this.#isLeading = this.#recording.settings.redundancy === 1;
          await retried(() => this.#succeed(segment.n + 1), this.#over.signal);
        }
        return result;
      },
    };
  }

  /** A successor's first segment stands, or one like it: its predecessor may go. */
  async #succeed(from: number): Promise<void> {
    if (this.#isOwner) return;
    const { lease } = this.#held;
    if (!(await this.#options.leases.succeed(lease, from))) throw ownershipLost(lease);
    this.#isOwner = true;
    this.#options.log.info({ event: 'lane-joined', ...lease, from }, 'relieved the worker before');
    this.#record.enterOwner(lease);
    this.#load();
  }

  /** The segments a dead Chrome left unfinished, completed. */
  async #salvageOwn(): Promise<void> {
    const { originMs } = this.#record;
    if (originMs === null) return;
    for (const spooled of await listSpool(this.#folder)) {
      if (spooled.isWhole) continue;
      const { lane, epoch, n } = spooled;
      const segment = await salvagePart(spooled, {
        settings: this.#recording.settings,
        originMs,
        spool: path.join(this.#folder, 'spool'),
        as: { lane, epoch },
      }).catch(() => undefined);
      if (segment === undefined || n <= this.#lastClosed) continue;
      this.#lastClosed = n;
      this.#queue.add(
        segment,
        this.#publisher(epoch, () => this.#held.confirm()),
      );
    }
  }

  /** Another Chrome encodes: another epoch. False when the lease is lost. */
  async #advance(): Promise<boolean> {
    const { signal } = this.#over;
    const { lease } = this.#held;
    const advanced = await retried(() => this.#options.leases.advance(lease), signal);
    if (advanced === undefined) return false;
    this.#held.renewAs(advanced);
    this.#record.enterOwner(advanced);
    return true;
  }

  #stop(reason: StopReason): void {
    this.#stopReason ??= reason;
    this.#run?.stop(reason);
    this.#stopped.abort();
  }

  #on(signal: AbortSignal, act: () => void): void {
    signal.addEventListener('abort', act);
    this.#resources.defer(() => {
      signal.removeEventListener('abort', act);
    });
    if (signal.aborted) act();
  }

  /** Until somebody takes it, or it ends. */
  async #offer(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      if (this.#isOwner) await this.#options.leases.offer(this.#held.lease).catch(() => false);
      await delay(OFFER_EVERY_MS, signal).catch(() => undefined);
    }
  }

  #recycleLater(): NodeJS.Timeout {
    const timer = setTimeout(() => {
      void this.#recycle().then(() => timer.refresh());
    }, this.#options.browserMs);
    return timer;
  }

  async #recycle(): Promise<void> {
    const { leases, orders, onSuccessor, log } = this.#options;
    if (orders.draining.aborted || this.#stopped.signal.aborted) return;
    const { lease } = this.#held;
    const next = await leases.succeedOneself(lease).catch(() => undefined);
    if (next === undefined) return;
    log.info({ event: 'browser-replaced', epoch: next.epoch }, 'a fresh browser takes over');
    onSuccessor({ ...next, role: 'successor', predecessor: lease.workerId });
  }

  /** The lease is somebody else's. What comes before a successor's first segment is still published. */
  async #onEnded(): Promise<void> {
    const { standing } = this.#held;
    const { log } = this.#options;
    log.info({ event: 'lease-ended', ...standing }, 'another worker records now');
    if (standing.state === 'handed-over') {
      const deadline = performance.now() + RELIEF_TIMEOUT_MS;
      const isThrough = (): boolean => this.#lastClosed >= standing.from - 1 && this.#queue.isEmpty;
      while (!isThrough() && performance.now() < deadline && !this.#over.signal.aborted) {
        await delay(RELIEF_POLL_MS);
      }
    }
    this.#run?.abandon(ownershipLost(this.#held.lease));
  }

  async #decline(): Promise<void> {
    this.#held.letGo();
    await this.#options.leases.decline(this.#held.lease).catch(() => false);
  }

  /** Publishes what there is and leaves the lane to be taken at once. */
  async #leave(): Promise<void> {
    await this.#queue.settled().catch(() => undefined);
    this.#held.letGo();
    const { leases } = this.#options;
    const { lease } = this.#held;
    if (this.#isOwner) await leases.release(lease).catch(() => false);
    else await leases.decline(lease).catch(() => false);
  }

  /** The recording is over. Whoever makes its last lane writes its end. */
  async #finish(end: RunEnd): Promise<void> {
    const { services, leases, clock, log } = this.#options;
    const { signal } = this.#over;
    const { id } = this.#recording;
    await this.#salvageOwn();
    await this.#salvaged;
    try {
      await this.#queue.settled();
      const standing = await retried(() => leases.end(this.#held.lease), signal);
      if (standing !== 'last') return;
    } catch (error) {
      if (asChalkreelError(error).code === 'ownership-lost') return;
      throw error;
    }
    const outcome = await this.#outcome(end);
    await finishRecording(id, outcome, { services, nowMs: () => clock.nowMs(), log, signal });
    await retried(() => leases.close(id), signal);
  }

  async #outcome(end: RunEnd): Promise<RecordingOutcome | ChalkreelError> {
    const { recordings, segments } = this.#options.services;
    const { signal } = this.#over;
    const { id } = this.#recording;
    // A Chrome that dies while it is being stopped is no failure of the recording.
    const reason = this.#stopReason === undefined ? {} : { end: { reason: this.#stopReason } };
    if (end !== 'stopped-before-start' && !(end instanceof ChalkreelError)) {
      return { ...end, ...reason, progress: this.#record.whole(end.progress) };
    }
    const recording = await retried(() => recordings.get(id), signal);
    const entries = await retried(() => segments.readAll(id), signal);
    const progress = await retried(() => recordings.findProgress(id), signal);
    const outcome = stoppedOutcome(recording, entries, progress);
    const failure = end instanceof ChalkreelError ? end : stoppedBeforeStart();
    if (outcome === undefined) return failure;
    return end instanceof ChalkreelError ? { ...outcome, end: { failure }, ...reason } : outcome;
  }
}

function stoppedBeforeStart(): ChalkreelError {
  const message = 'the recording was stopped before its first picture';
  return new ChalkreelError('stopped-before-start', message, { fault: 'input' });
}
