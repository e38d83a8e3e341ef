import { rm } from 'node:fs/promises';
import { isFinal, traceOf } from '../../src/model/recording.ts';
import type { Services } from '../../src/queue/open-services.ts';
import { objectKeys } from '../../src/storage/keys.ts';
import { writeFinalPlaylist } from '../finish.ts';
import { salvageWhole, type SalvageOptions } from './salvage.ts';
import { isInUse, type SalvageSpoolsOptions } from './salvage-spools.ts';
import {
  listSpool,
  listWorkFolders,
  removeWorkFolder,
  spoolChangedAtMs,
  type WorkFolder,
} from '../publish/work-folder.ts';

/** Whoever made a spool that changed later than this ago may only be slow, or somebody is salvaging it. */
const SETTLED_MS = 60_000;

export type SweepOptions = Pick<SalvageOptions, 'nowMs' | 'log'> &
  Pick<SalvageSpoolsOptions, 'workerId' | 'isAlive'> & {
    readonly services: Pick<Services, 'recordings' | 'segments' | 'store'>;
  };

/**
 * Goes through this disk's work folders whose workers are dead: publishes whole segments that nobody else brought, also into recordings
 * that are over, and removes what is of no more use. Nothing is removed that is neither published nor superseded.
 */
export async function sweepWorkFolders(root: string, options: SweepOptions): Promise<void> {
  for (const found of await listWorkFolders(root)) {
    if (Date.now() - (await spoolChangedAtMs(found.folder)) < SETTLED_MS) continue;
    if (await isInUse(found.folder, options)) continue;
    try {
      await sweep(found, options);
    } catch (err) {
      options.log.warn({ event: 'sweep-failed', folder: found.folder, err });
    }
  }
}

async function sweep({ recordingId, folder }: WorkFolder, options: SweepOptions): Promise<void> {
  const { services } = options;
  const recording = await services.recordings.find(recordingId);
  if (recording === undefined || recording.deletedAtMs !== undefined) {
    // Deleted, being deleted, or not known again yet.
    const isDeleted =
      recording !== undefined ||
      (await services.store.find(objectKeys.recording(recordingId))) === undefined;
    if (isDeleted) await rm(folder, { recursive: true, force: true });
    return;
  }
  const log = options.log.child({ recordingId, traceId: traceOf(recording) });
  const files = await listSpool(folder);
  const whole = files.filter(({ isWhole }) => isWhole);
  let hasNew = false;
  for (const file of whole) {
    const result = await salvageWhole(file, { ...options, ...services, recordingId, log });
    hasNew ||= result !== 'superseded';
  }
  if (isFinal(recording.state)) {
    if (hasNew) await writeFinalPlaylist(recordingId, services);
  } else if (files.length > whole.length) {
    // A part is completed by whoever takes the lane over.
    return;
  }
  await removeWorkFolder(folder);
}
