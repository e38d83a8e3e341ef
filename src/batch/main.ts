import { availableParallelism } from 'node:os';
import path from 'node:path';
import { systemClock } from '../clock.ts';
import { loadConfig } from '../config.ts';
import { createLog } from '../log.ts';
import { keepFfmpegPriority, launchFfmpegBy } from '../media/ffmpeg-children.ts';
import { exitWhenParentDies, tellParent, whenToldToStop } from '../parent-watch.ts';
import { runRole } from '../run-role.ts';
import { findLauncher } from './launcher.ts';
import { openMedia } from './open-media.ts';
import { openBatchWorker } from './worker.ts';
import { openWorkFolder } from './work-folder.ts';

/** The batch role: begins nights, and re-encodes recordings, until it is told to stop. Any number of them may run. */

/** With the supervisor gone, what is at work gets this long to be handed back. */
const ORPHAN_GRACE_MS = 5_000;

await runRole(async (resources) => {
  const stopped = whenToldToStop();
  exitWhenParentDies(ORPHAN_GRACE_MS);
  const config = loadConfig();
  const log = createLog('batch', config.logLevel);
  const folder = await openWorkFolder(path.join(config.dataDir, 'batch'));
  const { priority } = config.batch;
  launchFfmpegBy(await findLauncher(priority));
  if (priority === 'normal') keepFfmpegPriority();
  const slots = config.batch.jobs ?? availableParallelism();
  resources.use(
    await openBatchWorker({
      config,
      log,
      slots,
      openMedia: (services) => openMedia({ services, folder, slots, clock: systemClock }),
    }),
  );
  tellParent({ type: 'ready' });
  const reason = await stopped;
  log.info({ reason }, 'batch role is stopping');
});
