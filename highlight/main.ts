import { availableParallelism } from 'node:os';
import path from 'node:path';
import { systemClock } from '../src/clock.ts';
import { loadConfig } from '../src/config.ts';
import { createLog } from '../src/log.ts';
import { exitWhenParentDies, tellParent, whenToldToStop } from '../src/parent-watch.ts';
import { consumeHighlights } from '../src/queue/consume.ts';
import { openServices } from '../src/queue/open-services.ts';
import { startHighlightSweep } from '../src/queue/sweep-highlights.ts';
import { runRole } from '../src/run-role.ts';
import { Gate } from './gate.ts';
import { processHighlight } from './process-highlight.ts';
import { clearWorkDir } from './work-dir.ts';

/** The highlight role: takes highlights from the queue and makes their clips, until it is told to stop. */

/** Clips at a time: most of a job is waiting for its last segment, and a clip that waits is a file, not memory. */
const CONCURRENCY = 16;
/** With the supervisor gone, clips being made get this long to be dropped cleanly. */
const ORPHAN_GRACE_MS = 15_000;

await runRole(async (resources) => {
  const stopped = whenToldToStop();
  exitWhenParentDies(ORPHAN_GRACE_MS);
  const config = loadConfig();
  const log = createLog('highlight', config.logLevel);
  const services = resources.use(await openServices(config, log));
  const workDir = path.join(config.dataDir, 'clips');
  await clearWorkDir(workDir);
  const encoders = new Gate(availableParallelism());
  const parts = { ...services, clock: systemClock, log, workDir, encoders };
  resources.use(
    consumeHighlights(services.redis, {
      concurrency: CONCURRENCY,
      log,
      handle: ({ highlightId }, signal) => processHighlight(highlightId, parts, signal),
    }),
  );
  resources.use(startHighlightSweep(parts));
  log.info({ concurrency: CONCURRENCY }, 'highlight role is ready');
  tellParent({ type: 'ready' });
  const reason = await stopped;
  log.info({ reason }, 'highlight role is stopping');
});
