import path from 'node:path';
import { ulid } from 'ulid';
import { systemClock } from '../clock.ts';
import { loadConfig, type Config } from '../config.ts';
import { inputError } from '../errors.ts';
import { createLog } from '../log.ts';
import { PAGES_DIR } from '../pages-dir.ts';
import { exitWhenParentDies, tellParent, whenToldToStop } from '../parent-watch.ts';
import { nightTimes } from '../queue/night-schedule.ts';
import { openServices } from '../queue/open-services.ts';
import { loadProfiles } from '../queue/reencode-profiles.ts';
import { runRole } from '../run-role.ts';
import type { ReencodeSettings } from './context.ts';
import { createApi } from './create-api.ts';
import { listen } from './listen.ts';
import { startSweeper } from './sweeper.ts';

/** The api role: answers HTTP until it is told to stop. */

const ORPHAN_GRACE_MS = 3000;
const DAY_S = 86_400;

await runRole(async (resources) => {
  const toldToStop = whenToldToStop();
  exitWhenParentDies(ORPHAN_GRACE_MS);
  const config = loadConfig();
  checkSecrets(config);
  const log = createLog('api', config.logLevel);
  const reencoding = await readReencoding(config);
  const services = resources.use(await openServices(config, log));
  const { apiKeys, linkSecrets, retentionDays, dataDir } = config;
  const parts = { ...services, log, clock: systemClock, newId: ulid, apiKeys, linkSecrets };
  resources.use(startSweeper({ services, clock: systemClock, log }));
  const app = createApi({
    ...parts,
    pagesDir: PAGES_DIR,
    reencoding,
    retentionS: retentionDays === undefined ? undefined : Math.round(retentionDays * DAY_S),
    workFolder: path.join(dataDir, 'work'),
  });
  const server = resources.use(await listen(app, config));
  log.info({ host: config.host, port: server.port }, 'listening');
  tellParent({ type: 'listening', port: server.port });
  const reason = await toldToStop;
  log.info({ reason }, 'api is stopping');
});

async function readReencoding({ batch }: Config): Promise<ReencodeSettings> {
  const nights = { settings: batch, times: nightTimes(batch) };
  return { profiles: await loadProfiles(batch), nights };
}

function checkSecrets(config: Config): void {
  const expect = (field: string, values: readonly string[]): void => {
    if (values.length === 0) throw inputError(field, `${field}: expected at least one`);
  };
  expect('CHALKREEL_API_KEYS', config.apiKeys);
  expect('CHALKREEL_LINK_SECRETS', config.linkSecrets);
}
