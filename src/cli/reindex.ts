import { loadCommandConfig, type Config } from '../config.ts';
import { ChalkreelError } from '../errors.ts';
import { Resources } from '../lifecycle.ts';
import { createLog, type Log } from '../log.ts';
import { embeddedRedisUrl, startEmbeddedRedis } from '../queue/embedded-redis.ts';
import { openServices } from '../queue/open-services.ts';
import { whenToldToStop } from '../parent-watch.ts';
import { reindex, type Reindex } from '../storage/rebuild/reindex.ts';
import type { RecordingFinding } from '../storage/rebuild/reindex-recording.ts';

export type ReindexOptions = {
  readonly recording?: string;
  readonly dryRun?: true;
  readonly json?: true;
};

/**
 * Compares Redis with the store, and unless `dryRun` brings into Redis what is missing there. Prints what it found. Resolves with the exit
 * code: 1 when media is lost or something could not be brought in step.
 */
export async function runReindex(
  options: ReindexOptions,
  config: Config = loadCommandConfig(),
): Promise<number> {
  const resources = new Resources();
  const stop = new AbortController();
  void whenToldToStop().then(() => stop.abort(new Error('stopped')));
  try {
    const log = createLog('reindex', config.logLevel);
    const redisUrl = config.redisUrl ?? (await openEmbedded(config, log, resources));
    const dryRun = options.dryRun === true;
    const services = await openServices({ ...config, redisUrl }, log, { isObserver: dryRun });
    resources.use(services);
    const parts = { ...services, redis: services.redis.client };
    const result = await reindex(parts, {
      dryRun,
      recordingId: options.recording,
      onFinding: (finding) => {
        if (options.json !== true) console.log(formatFinding(finding));
      },
      signal: stop.signal,
    });
    console.log(options.json === true ? JSON.stringify(result) : formatSummary(result, dryRun));
    return result.findings.some(isLoss(dryRun)) ? 1 : 0;
  } finally {
    await resources.close();
  }
}

/** The data folder's own Redis: the running system's, or one for as long as this takes. */
async function openEmbedded(config: Config, log: Log, resources: Resources): Promise<string> {
  const { dataDir } = config;
  try {
    return resources.use(await startEmbeddedRedis({ dataDir, log })).url;
  } catch (error) {
    if (!(error instanceof ChalkreelError) || error.code !== 'data-dir-in-use') throw error;
    return embeddedRedisUrl(dataDir);
  }
}

function isLoss(dryRun: boolean): (finding: RecordingFinding) => boolean {
  return ({ isRepaired, missingInStore }) => missingInStore > 0 || (!dryRun && !isRepaired);
}

const STATES: Readonly<Record<RecordingFinding['state'], string>> = {
  'in-step': 'in step',
  absent: 'not in Redis',
  differs: 'differs',
  foreign: 'not in the store',
};

/** A line for the recording, and one for each thing found. */
function formatFinding(finding: RecordingFinding): string {
  const { recordingId, state, differences, isRepaired, missingInStore, orphans } = finding;
  const mended = isRepaired && state !== 'in-step' ? ', mended' : '';
  return [
    `${recordingId}  ${STATES[state]}${mended}`,
    ...differences.map((text) => `  ${text}`),
    ...(missingInStore > 0
      ? [`  LOST: ${missingInStore} listed segments are not in the store.`]
      : []),
    ...orphans.map(({ object, length, why }) => `  orphan (${why}): ${object}, ${length} bytes`),
  ].join('\n');
}

function formatSummary({ recordings, findings, highlights }: Reindex, dryRun: boolean): string {
  const count = (state: RecordingFinding['state']): number =>
    findings.filter((finding) => finding.state === state).length;
  const changed = count('absent') + count('differs') + count('foreign');
  const orphans = findings.reduce((sum, finding) => sum + finding.orphans.length, 0);
  const verb = dryRun ? 'to be mended' : 'mended';
  return (
    `${recordings} recordings looked at, ${changed} ${verb}; ` +
    `${highlights} highlights ${verb}; ${orphans} orphaned objects.`
  );
}
