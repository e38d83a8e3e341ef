import type { RecordingSettings } from '../../src/model/recording.ts';
import { makeFolder } from '../../src/folders.ts';
import type { SegmentPublisher } from '../publish/publisher.ts';
import { retried } from '../retried.ts';
import { salvagePart, salvageWhole, type SalvageOptions } from './salvage.ts';
import {
  findWorker,
  listSpool,
  listWorkFolders,
  removeWorkFolder,
  type SpooledFile,
} from '../publish/work-folder.ts';

export type SalvageSpoolsOptions = SalvageOptions & {
  readonly lane: number;
  /** This worker's id: its own folders are in use. */
  readonly workerId: string;
  readonly isAlive: (workerId: string) => Promise<boolean>;
  readonly settings: Pick<RecordingSettings, 'media' | 'fps'>;
  /** Null while nothing was recorded: then there is nothing to salvage. */
  readonly originMs: number | null;
  /** The spool into which completed parts are written, and the name under which they are published. */
  readonly into: string;
  readonly as: { readonly lane: number; readonly epoch: number };
  readonly publisher: SegmentPublisher;
  readonly signal: AbortSignal;
};

/**
 * Publishes what dead makers of a lane left on this disk: whole segments as they are, then parts, completed. Resolves when it is known whether
 * there are parts; `done` when all is published.
 */
export async function salvageSpools(
  root: string,
  options: SalvageSpoolsOptions,
): Promise<{ readonly hasParts: boolean; readonly done: Promise<void> }> {
  const { recordingId, lane, originMs } = options;
  const folders: string[] = [];
  const files: SpooledFile[] = [];
  if (originMs !== null) {
    for (const found of await listWorkFolders(root)) {
      if (found.recordingId !== recordingId || found.lane !== lane) continue;
      if (await isInUse(found.folder, options)) continue;
      folders.push(found.folder);
      files.push(...(await listSpool(found.folder)));
    }
  }
  files.sort((a, b) => a.n - b.n);
  const parts = files.filter(({ isWhole }) => !isWhole);
  const work = async (): Promise<void> => {
    for (const file of files) {
      if (file.isWhole) await retried(() => salvageWhole(file, options), options.signal);
    }
    for (const part of parts) await publishPart(part, originMs ?? 0, options);
    for (const folder of folders) await removeWorkFolder(folder);
  };
  return { hasParts: parts.length > 0, done: work() };
}

/** Whether the worker of a folder is this one, or alive. */
export async function isInUse(
  folder: string,
  { workerId, isAlive }: Pick<SalvageSpoolsOptions, 'workerId' | 'isAlive'>,
): Promise<boolean> {
  const worker = await findWorker(folder);
  if (worker === undefined) return false;
  return worker === workerId || (await retried(() => isAlive(worker)));
}

async function publishPart(
  part: SpooledFile,
  originMs: number,
  options: SalvageSpoolsOptions,
): Promise<void> {
  const { settings, into, as, publisher, log } = options;
  await makeFolder(into);
  const segment = await salvagePart(part, { settings, originMs, spool: into, as });
  if (segment === undefined) return;
  const result = await publisher.publish(segment);
  const { n, spanMs } = segment;
  log.info({ event: 'part-salvaged', n, spanMs, result }, 'completed what a dead worker began');
}
