import type { Clock } from '../../clock.ts';
import type { Log } from '../../log.ts';
import type { NightTimes } from '../../model/night.ts';
import type { BatchBoard } from '../../queue/batch-board.ts';
import type { Services } from '../../queue/open-services.ts';
import type { ReencodeProfiles } from '../../queue/reencode-profiles.ts';
import type { LiveFirst } from '../live-first.ts';
import type { BatchMedia } from '../media.ts';

/** What the batch role is built from. */
export type BatchParts = {
  readonly services: Services;
  readonly board: BatchBoard;
  readonly media: BatchMedia;
  readonly profiles: ReencodeProfiles;
  /** Undefined: nights are begun by people only. */
  readonly times: NightTimes | undefined;
  readonly live: Pick<LiveFirst, 'pausedMs' | 'givesWay'>;
  readonly workerId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: () => string;
};
