import { Router } from 'express';
import { ChalkreelError } from '../errors.ts';
import { withDeadline } from '../lifecycle.ts';
import { getGeneration } from '../storage/rebuild/generation.ts';
import type { ApiContext } from './context.ts';

/** A dependency that needs longer than this is not ready. */
const CHECK_TIMEOUT_MS = 2000;

/** `/healthz`: the process answers. `/readyz`: Redis answers and is whole, and the store can be written. */
export function healthRoutes(context: Pick<ApiContext, 'redis' | 'store'>): Router {
  const router = Router();
  const probeKey = `health/api-${process.pid}`;
  router.get('/healthz', (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'ok' });
  });
  router.get('/readyz', async (_request, response) => {
    await check('redis', () => getGeneration(context.redis.client));
    await check('storage', async () => {
      await context.store.put(probeKey, Buffer.from('ok'));
      await context.store.delete(probeKey);
    });
    response.set('Cache-Control', 'no-store').json({ status: 'ready' });
  });
  return router;
}

async function check(name: string, probe: () => Promise<unknown>): Promise<void> {
  const late = (): Error => new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`);
  try {
    await withDeadline(probe(), CHECK_TIMEOUT_MS, late);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ChalkreelError(`${name}-not-ready`, `${name}: ${reason}`, {
      fault: 'dependency',
      cause: error,
    });
  }
}
