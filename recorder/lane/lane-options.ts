import type { Log } from '../../src/log.ts';
import type { Claim, Leases } from '../../src/queue/leases.ts';
import type { Services } from '../../src/queue/open-services.ts';
import type { TakeSpare } from '../capture-browser.ts';
import type { FleetClock } from '../fleet-clock.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { PageServer } from '../page-server.ts';

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
  /** The worker's: a lane adds its recording, lane and trace. */
  readonly log: Log;
  /** Folder of all lanes' work folders on this disk. */
  readonly workRoot: string;
  readonly maxSpoolBytes: number;
  /** A browser is replaced after this. */
  readonly browserMs: number;
  readonly takeSpare?: TakeSpare | undefined;
  readonly orders: WorkerOrders;
  /** Makes a lane of the successor this worker is to itself. */
  readonly onSuccessor: (claim: Claim) => void;
};
