import { Resources, type Closable } from '../../src/lifecycle.ts';
import { createLog } from '../../src/log.ts';
import { startEmbeddedRedis } from '../../src/queue/embedded-redis.ts';
import { openServices, type Services } from '../../src/queue/open-services.ts';
import { makeTempFolder } from './temp-folder.ts';

export type TestServices = Services &
  Closable & { readonly dataDir: string; readonly redisUrl: string };

/** Real services on a Redis and a storage folder of their own, in a temporary folder that goes when they are closed. */
export async function openTestServices(): Promise<TestServices> {
  const resources = new Resources();
  const log = createLog('test', 'silent');
  try {
    const folder = resources.use(await makeTempFolder('services'));
    const redis = resources.use(await startEmbeddedRedis({ dataDir: folder.path, log }));
    const config = { dataDir: folder.path, redisUrl: redis.url, storageUrl: undefined };
    const services = resources.use(await openServices(config, log));
    const { path: dataDir } = folder;
    return { ...services, dataDir, redisUrl: redis.url, close: () => resources.close() };
  } catch (error) {
    await resources.close();
    throw error;
  }
}
