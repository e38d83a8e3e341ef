import { ulid } from 'ulid';
import { createApi } from '../../src/api/create-api.ts';
import { listen } from '../../src/api/listen.ts';
import { systemClock } from '../../src/clock.ts';
import { Resources, type Closable } from '../../src/lifecycle.ts';
import { createLog } from '../../src/log.ts';
import { openTestServices, type TestServices } from './test-services.ts';

export const TEST_API_KEY = 'test-key-0123456789';
export const TEST_LINK_SECRET = 'link-secret-0123456789';

export type ApiServer = Closable & {
  readonly url: string;
  readonly services: TestServices;
  /** A request with the key unless `key` is something else; `null` sends none. */
  request(path: string, init?: RequestInit & { key?: string | null }): Promise<Response>;
  /** A request with a JSON body; answers status and JSON. */
  json(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }>;
};

/** The api on a port of its own, over real services. */
export async function openApiServer(pagesDir = '/nonexistent'): Promise<ApiServer> {
  const resources = new Resources();
  try {
    const services = resources.use(await openTestServices());
    const app = createApi({
      ...services,
      log: createLog('api', 'silent'),
      clock: systemClock,
      newId: ulid,
      apiKeys: ['another-key-987654321', TEST_API_KEY],
      linkSecrets: [TEST_LINK_SECRET],
      pagesDir,
    });
    const server = resources.use(await listen(app, { host: '127.0.0.1', port: 0 }));
    const url = `http://127.0.0.1:${server.port}`;
    const request: ApiServer['request'] = (path, { key = TEST_API_KEY, ...init } = {}) => {
      const headers = new Headers(init.headers);
      if (key !== null) headers.set('Authorization', `Bearer ${key}`);
      return fetch(new URL(path, url), { ...init, headers });
    };
    const json: ApiServer['json'] = async (method, path, body) => {
      const response = await request(path, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        headers: { 'Content-Type': 'application/json' },
      });
      const text = await response.text();
      const parsed = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
      return { status: response.status, body: parsed, headers: response.headers };
    };
    return { url, services, request, json, close: () => resources.close() };
  } catch (error) {
    await resources.close();
    throw error;
  }
}
