import { delay, type Closable } from '../../src/lifecycle.ts';
import type { Log } from '../../src/log.ts';
import type { LaneRef } from '../../src/queue/lane-ref.ts';
import type { Claim, Leases } from '../../src/queue/leases.ts';
import type { Services } from '../../src/queue/open-services.ts';

/** How often a worker with room looks for lanes nobody makes: a part of what a takeover may take. */
const SCAN_EVERY_MS = 200;
/** Of so many looks one also compares records and lanes: somebody does it each 5 s. */
const LOOKS_PER_RECONCILIATION = 10;
/** A lane that this worker cannot make is left to others for so long. */
const LEFT_ALONE_MS = 30_000;

export type WorkerLanesOptions = {
  readonly services: Pick<Services, 'recordings' | 'queue'>;
  readonly leases: Leases;
  readonly workerId: string;
  readonly log: Log;
  /** Recordings at a time. */
  readonly slots: number;
  readonly mayMakeBothLanes: boolean;
  readonly make: (claim: Claim) => Promise<void>;
  /** Room was taken or made. */
  readonly onRoomChanged: () => void;
};

/** The lanes one worker makes: takes as many as it has slots for. Closing takes no more; those it has go on. */
export class WorkerLanes implements Closable {
  readonly #options: WorkerLanesOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #leftAlone = new Map<string, { readonly ref: LaneRef; readonly untilMs: number }>();
  #taken = 0;
  #looks = 0;
  #scanning: Promise<void> | undefined;

  constructor(options: WorkerLanesOptions) {
    this.#options = options;
  }

  get hasRoom(): boolean {
    return this.#taken < this.#options.slots && !this.#closing.signal.aborted;
  }

  /** Takes what is offered, or what nobody makes, from now on. */
  startScanning(): void {
    this.#scanning ??= this.#scan();
  }

  /** Begins a recording that was queued; does nothing when somebody has. */
  async begin(recordingId: string): Promise<void> {
    const { services, leases, workerId } = this.#options;
    const recording = await services.recordings.find(recordingId);
    // One that has begun is in the leases' hands.
    if (recording?.state !== 'queued') return;
    const { redundancy } = recording.settings;
    const lease = await leases.begin(recordingId, redundancy, workerId);
    if (lease !== undefined) this.run({ ...lease, role: 'owner', predecessor: undefined });
  }

  /** Makes a lane. `isExtra`: a second browser for one that has its slot. */
  run(claim: Claim, { isExtra = false } = {}): void {
    const { make, onRoomChanged } = this.#options;
    if (!isExtra) this.#taken += 1;
    onRoomChanged();
    const running = make(claim)
      // The log says why already.
      .catch(() => {
        const { recordingId, lane } = claim;
        this.#leftAlone.set(`${recordingId}/${lane}`, {
          ref: { recordingId, lane },
          untilMs: performance.now() + LEFT_ALONE_MS,
        });
      })
      .finally(() => {
        this.#running.delete(running);
        if (!isExtra) this.#taken -= 1;
        onRoomChanged();
      });
    this.#running.add(running);
  }

  /** Resolves when no lane is left. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#scanning;
  }

  async #scan(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#look().catch((error: unknown) => {
        // That Redis is away is told by its connection.
        this.#options.log.debug({ event: 'scan-failed', err: error });
      });
      await delay(SCAN_EVERY_MS, signal).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const { leases, workerId, slots, mayMakeBothLanes, services } = this.#options;
    this.#looks += 1;
    if (this.#looks % LOOKS_PER_RECONCILIATION === 0) {
      for (const id of await leases.reconcile()) await services.queue.enqueueRecording(id);
    }
    if (!this.hasRoom) return;
    for (const [key, { untilMs }] of this.#leftAlone) {
      if (performance.now() > untilMs) this.#leftAlone.delete(key);
    }
    const claims = await leases.claim(workerId, {
      most: slots - this.#taken,
      except: [...this.#leftAlone.values()].map(({ ref }) => ref),
      isDoubleAllowed: mayMakeBothLanes,
    });
    for (const claim of claims) this.run(claim);
  }
}
