import { ulid } from 'ulid';
import { createApi } from '../../src/api/create-api.ts';
import { listen } from '../../src/api/listen.ts';
import { systemClock } from '../../src/clock.ts';
import { Resources, type Closable } from '../../src/lifecycle.ts';
import { createLog } from '../../src/log.ts';
import { openServices } from '../../src/queue/open-services.ts';
import { TEST_API_KEY, TEST_LINK_SECRET, type ApiServer } from './api-server.ts';

/** Another api over the same Redis and storage, as another process has it: connections and memory of its own. */
export async function openSecondApi(api: ApiServer): Promise<Closable & { readonly url: string }> {
  const resources = new Resources();
  const log = createLog('api', 'silent');
  const { redis, dataDir } = api.services;
  try {
    const config = { dataDir, redisUrl: redis.url, storageUrl: undefined };
    const services = resources.use(await openServices(config, log));
    const app = createApi({
      ...services,
      log,
      clock: systemClock,
      newId: ulid,
      apiKeys: [TEST_API_KEY],
      linkSecrets: [TEST_LINK_SECRET],
      pagesDir: '/nonexistent',
    });
    const server = resources.use(await listen(app, { host: '127.0.0.1', port: 0 }));
    return { url: `http://127.0.0.1:${server.port}`, close: () => resources.close() };
  } catch (error) {
    await resources.close();
    throw error;
  }
}
