import { systemClock } from '../src/clock.ts';
import { loadConfig } from '../src/config.ts';
import { asChalkreelError } from '../src/errors.ts';
import { Resources } from '../src/lifecycle.ts';
import { createLog } from '../src/log.ts';
import { exitWhenParentDies, whenToldToStop } from '../src/parent-watch.ts';
import { consumeHighlights } from '../src/queue/consume.ts';
import { openServices } from '../src/queue/open-services.ts';
import { processHighlight } from './process-highlight.ts';

/** The highlight role: takes highlights from the queue and makes their clips, until it is told to stop. */

/** Clips at a time: most of a job is waiting for its last segment. */
const CONCURRENCY = 4;
/** Exit code for bad input and accidents that were met; 1 is a fault of ours. */
const EXIT_INPUT = 2;
/** With the supervisor gone, clips being made get this long to be dropped cleanly. */
const ORPHAN_GRACE_MS = 15_000;

await main();

async function main(): Promise<void> {
  const resources = new Resources();
  const stopped = whenToldToStop();
  exitWhenParentDies(ORPHAN_GRACE_MS);
  try {
    const config = loadConfig();
    const log = createLog('highlight', config.logLevel);
    const services = resources.use(await openServices(config, log));
    resources.use(
      consumeHighlights(services.redis, {
        concurrency: CONCURRENCY,
        log,
        handle: ({ highlightId }, signal) =>
          processHighlight(highlightId, { ...services, clock: systemClock, log }, signal),
      }),
    );
    log.info({ concurrency: CONCURRENCY }, 'highlight role is ready');
    const reason = await stopped;
    log.info({ reason }, 'highlight role is stopping');
    await resources.close();
  } catch (error) {
    await resources.close().catch(() => undefined);
    const failure = asChalkreelError(error);
    process.stderr.write(`chalkreel: ${failure.message}\n`);
    process.exit(failure.fault === 'internal' ? 1 : EXIT_INPUT);
  }
  process.exit();
}
