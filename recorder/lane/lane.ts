import { asChalkreelError } from '../../src/errors.ts';
import { delay, Resources } from '../../src/lifecycle.ts';
import {
  isFinal,
  traceOf,
  type Recording,
  type RecordingSource,
} from '../../src/model/recording.ts';
import type { Claim } from '../../src/queue/leases.ts';
import { describeEnd } from '../describe-end.ts';
import { finishRecording } from '../finish.ts';
import { LaneMedia } from './lane-media.ts';
import type { LaneOptions } from './lane-options.ts';
import {
  failureOf,
  GOOD_RUN_MS,
  isToEnd,
  planStep,
  waitBeforeNext,
  type LaneStep,
  type RunEnd,
} from './lane-plan.ts';
import { LaneRecord } from './lane-record.ts';
import { LaneTenure } from './lane-tenure.ts';
import { ownershipLost, type HeldLease } from './lease-keeper.ts';
import { RecordingRun, type StopReason } from '../record.ts';
import { retried } from '../retried.ts';
import { makeWorkFolder, removeWorkFolder, spoolSuffix } from '../publish/work-folder.ts';

/** What came before a successor's first segment is published within this, or is lost with storage. */
const RELIEF_TIMEOUT_MS = 30_000;
const RELIEF_POLL_MS = 100;
/** What is still to be written into the record when a lane is over for this worker has so long. */
const LAST_WORDS_MS = 1_000;

/**
 * Makes one lane of a recording, from the lease just taken until the recording is over, or is somebody else's: with as many Chromes as it
 * takes. Resolves when nothing of it is left in this worker. Throws what kept it
 * from that (`clock-off`), which is in the log then; the lane is left to others.
 */
export async function makeLane(claim: Claim, options: LaneOptions): Promise<void> {
  const held = options.keeper.hold(claim);
  const { services, leases } = options;
  const { recordingId, lane } = claim;
  let log = options.log.child({ recordingId, lane });
  try {
    const recording = await retried(() => services.recordings.find(recordingId));
    if (recording === undefined || isFinal(recording.state)) {
      await leases.close(recordingId);
    } else {
      log = log.child({ traceId: traceOf(recording) });
      await new Lane(recording, claim, { ...options, held, log }).make();
    }
  } catch (error) {
    const failure = asChalkreelError(error);
    log.error({ event: 'lane-failed', code: failure.code, err: failure });
    throw failure;
  } finally {
    held.letGo();
  }
}

class Lane {
  readonly #options: LaneOptions & { readonly held: HeldLease };
  readonly #recording: Recording;
  readonly #claim: Claim;
  readonly #record: LaneRecord;
  readonly #tenure: LaneTenure;
  readonly #media: LaneMedia;
  readonly #resources = new Resources();
  readonly #over = new AbortController();
  /** Aborts when no further Chrome is wanted. */
  readonly #stopped = new AbortController();
  #folder = '';
  /** As it is now: a class's streams change. */
  #source: RecordingSource;
  #run: RecordingRun | undefined;
  #stopReason: StopReason | undefined;
  #isLeaving = false;

  constructor(
    recording: Recording,
    claim: Claim,
    options: LaneOptions & { readonly held: HeldLease },
  ) {
    const { services, leases, held, clock, log, maxSpoolBytes } = options;
    const { signal } = this.#over;
    const nowMs = (): number => clock.nowMs();
    const common = { recording, services, leases, held, claim, nowMs, log, signal };
    this.#options = options;
    this.#recording = recording;
    this.#source = recording.source;
    this.#claim = claim;
    this.#record = new LaneRecord(common);
    const parts = { ...common, record: this.#record, lanes: recording.settings.redundancy };
    this.#tenure = new LaneTenure(parts);
    this.#media = new LaneMedia({
      ...parts,
      tenure: this.#tenure,
      maxSpoolBytes,
      onFailed: (error) => this.#run?.abandon(asChalkreelError(error)),
    });
  }

  async make(): Promise<void> {
    try {
      const isOver = isToEnd(this.#recording);
      if (isOver && !this.#tenure.isOwner) {
        await this.#tenure.leave();
        return;
      }
      this.#folder = await makeWorkFolder(this.#options.workRoot, this.#claim);
      if (!isOver) this.#resources.use(await this.#options.clock.join());
      if (this.#tenure.isOwner) await this.#takeOver(isOver);
      if (isOver) await this.#finish('stopped-before-start');
      else {
        await this.#listen();
        await this.#work();
      }
    } catch (error) {
      await this.#tenure.leave();
      throw error;
    } finally {
      await Promise.race([this.#record.written(), delay(LAST_WORDS_MS)]);
      this.#over.abort(new Error('the lane is over'));
      await this.#resources.close();
      await removeWorkFolder(this.#folder);
    }
  }

  /** Owner of a new recording, or of one whose worker died: the record says so, and what that one left is looked for. */
  async #takeOver(isOver: boolean): Promise<void> {
    const { log, workRoot } = this.#options;
    const { predecessor, epoch } = this.#claim;
    const { state, settings } = this.#recording;
    log.info({ event: 'lane-taken', epoch, predecessor }, 'this worker records now');
    this.#record.enterOwner(this.#claim);
    if (!isOver) {
      if (state === 'queued' || settings.redundancy === 1) this.#record.enter('starting');
      this.#record.loadEarlier().catch(() => undefined); // the lane is over
    }
    const folders = { work: workRoot, own: this.#folder };
    const hasParts = await this.#media.salvageOthers(folders);
    // What is completed from parts and what is recorded now come from different encoders.
    if (hasParts && !isOver) await this.#tenure.advance();
  }

  async #listen(): Promise<void> {
    const { services, orders, held } = this.#options;
    const { id } = this.#recording;
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
    this.#on(orders.draining, () => void this.#tenure.offer());
    void held.ended.then(() => this.#onEnded());
    const subscribing = retried(() =>
      services.recordings.subscribe(id, ({ stopRequestedAtMs, state, history, source }) => {
        this.#source = source;
        this.#run?.changeSource(source);
        const reason = history.at(-1)?.reason as StopReason | undefined;
        if (stopRequestedAtMs !== null) this.#stop('stop-requested');
        else if (state === 'stopping') this.#stop(reason ?? 'stop-requested');
      }),
    );
    this.#resources.use(await subscribing);
  }

  async #work(): Promise<void> {
    let failures = 0;
    for (;;) {
      const startedAtMs = performance.now();
      const end = await this.#capture();
      failures = performance.now() - startedAtMs > GOOD_RUN_MS ? 1 : failures + 1;
      const step = this.#tenure.isOwner ? this.#plan(end, failures) : 'leave';
      const failure = failureOf(end);
      this.#options.log.info({ event: 'run-ended', step, failures, err: failure });
      if (step === 'finish') return this.#finish(end);
      if (step === 'leave') return this.#leave();
      if (step === 'relieved') return;
      this.#record.warn(`went on with another browser: ${failure?.message ?? 'no reason'}`);
      await this.#media.salvageOwn(this.#folder);
      this.#record.endRun();
      if (!(await this.#tenure.advance())) return;
      await delay(waitBeforeNext(failures), this.#stopped.signal).catch(() => undefined);
    }
  }

  #plan(end: RunEnd, failures: number): LaneStep {
    return planStep({
      end,
      hasBegun: this.#record.originMs !== null,
      isLeaseLost: this.#tenure.isLost,
      isLeaving: this.#isLeaving,
      isStopped: this.#stopReason !== undefined,
      failures,
      idleMs: this.#media.idleMs,
    });
  }

  /** One Chrome, from its launch to its end. */
  async #capture(): Promise<RunEnd> {
    if (this.#stopped.signal.aborted) return 'stopped-before-start';
    const { lane, epoch } = this.#tenure.lease;
    const { chromium, pages, clock, log, takeSpare } = this.#options;
    const run = new RecordingRun({
      ...{ chromium, pages, clock, log, takeSpare },
      source: this.#source,
      settings: this.#recording.settings,
      workDir: this.#folder,
      spoolSuffix: spoolSuffix({ lane, epoch }),
      agreeOrigin: (captured) => this.#record.agreeOrigin(captured),
      sink: this.#media.openSink(epoch),
    });
    this.#run = run;
    run.on('stopping', (reason) => {
      if (!(reason === 'signal' && this.#isLeaving)) this.#stopReason ??= reason;
    });
    this.#record.listen(run, {
      lease: { lane, epoch },
      isLeading: () => this.#tenure.isLeading,
      isLeaving: () => this.#isLeaving,
    });
    const recycling = setTimeout(() => {
      void this.#recycle().then(() => recycling.refresh());
    }, this.#options.browserMs);
    try {
      return await run.run();
    } catch (error) {
      return asChalkreelError(error);
    } finally {
      clearTimeout(recycling);
      this.#run = undefined;
    }
  }

  async #recycle(): Promise<void> {
    const { orders, onSuccessor } = this.#options;
    if (orders.draining.aborted || this.#stopped.signal.aborted) return;
    const successor = await this.#tenure.succeedOneself();
    if (successor !== undefined) onSuccessor(successor);
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

  /** The lease is somebody else's. What comes before a successor's first segment is still published. */
  async #onEnded(): Promise<void> {
    const { log, held } = this.#options;
    const { standing } = held;
    log.info({ event: 'lease-ended', ...standing }, 'another worker records now');
    if (standing.state === 'handed-over') {
      const deadline = performance.now() + RELIEF_TIMEOUT_MS;
      const isThrough = (): boolean => this.#media.isThrough(standing.from - 1);
      while (!isThrough() && performance.now() < deadline && !this.#over.signal.aborted) {
        await delay(RELIEF_POLL_MS);
      }
    }
    this.#run?.abandon(ownershipLost(held.lease));
  }

  /** Publishes what there is, and leaves the lane to be taken at once. */
  async #leave(): Promise<void> {
    await this.#media.settled().catch(() => undefined);
    await this.#tenure.leave();
  }

  /** The recording is over. Whoever makes its last lane writes its end. */
  async #finish(end: RunEnd): Promise<void> {
    const { services, leases, clock, log } = this.#options;
    const { signal } = this.#over;
    const { id } = this.#recording;
    await this.#media.salvageOwn(this.#folder);
    try {
      await this.#media.settled();
    } catch (error) {
      if (asChalkreelError(error).code === 'ownership-lost') return;
      throw error;
    }
    await this.#record.written();
    if (!(await this.#tenure.end())) return;
    const outcome = await describeEnd(end, {
      recordingId: id,
      services,
      stopReason: this.#stopReason,
      whole: (progress) => this.#record.whole(progress),
      signal,
    });
    await finishRecording(id, outcome, { services, nowMs: () => clock.nowMs(), log, signal });
    await retried(() => leases.close(id), signal);
  }
}
