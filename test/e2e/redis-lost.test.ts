import { rm } from 'node:fs/promises';
import path from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Resources } from '../../src/lifecycle.ts';
import type { Highlight } from '../../src/model/highlight.ts';
import type { Recording } from '../../src/model/recording.ts';
import { embeddedRedisUrl } from '../../src/queue/embedded-redis.ts';
import { objectKeys } from '../../src/storage/keys.ts';
import { verifyTarget } from '../../src/verify/verify.ts';
import { isGrown, readPlaylist } from '../chaos/served-playlist.ts';
import { barcodePage } from '../support/barcode-page.ts';
import { startCommand } from '../support/command.ts';
import { servePages } from '../support/page-server.ts';
import { processesWith } from '../support/processes.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

/** A start of the whole system, or of a recording, on a machine busy with other tests. */
const START_MS = 60_000;
/** Redis is started again after 0.5 s, what is open is back within 10 s, then two segments of 1.6 s. */
const BACK_MS = 25_000;
const END_MS = 15_000;
/** Small and slow: what happens is looked at, not how it looks. */
const SETTINGS = { width: 640, height: 360, fps: 15 };

const resources = new Resources();
let root: string;
let api: (link: string, init?: RequestInit) => Promise<Response>;

beforeAll(async () => {
  root = resources.use(await makeTempFolder('redis-lost')).path;
  const env = { CHALKREEL_DATA_DIR: path.join(root, 'data'), CHALKREEL_PORT: '0' };
  resources.defer(async () => {
    for (const { pid } of await processesWith(root)) process.kill(pid, 'SIGKILL');
  });
  const command = startCommand(['up'], { marker: root, env });
  resources.defer(async () => {
    command.child.kill('SIGTERM');
    await command.finished;
  });
  const [, url = '', key = ''] = await waitUntil(
    'chalkreel is up',
    () => /is up: (\S+) .*\nAPI key: (\S+)\n/.exec(command.stdout()) ?? false,
    START_MS,
  );
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  api = (link, init = {}) => fetch(new URL(link, url), { ...init, headers });
});
afterAll(() => resources.close());

/** What a viewer has seen of the playlist; it may only grow. */
class Watcher {
  readonly #link: string;
  #seen = '';
  readonly changes: string[] = [];

  constructor(id: string) {
    this.#link = `/v1/recordings/${id}/index.m3u8`;
  }

  get segments(): number {
    return readPlaylist(this.#seen).entries.length;
  }

  async look(): Promise<number> {
    const answer = await api(this.#link);
    const text = await answer.text();
    // Without Redis, or while it is being brought back.
    if (!answer.ok) return this.segments;
    if (this.#seen !== '' && !isGrown(this.#seen, text)) this.changes.push(text);
    this.#seen = text;
    return this.segments;
  }

  untilMore(count: number): Promise<unknown> {
    const least = this.segments + count;
    return waitUntil(`${least} segments`, async () => (await this.look()) >= least, BACK_MS);
  }
}

async function flush(): Promise<void> {
  const redisUrl = await embeddedRedisUrl(path.join(root, 'data'));
  const client = new Redis({ path: redisUrl.replace('unix://', '') });
  await client.flushall();
  await client.quit();
}

/** Kills Redis and takes its file away: the next one starts with nothing. */
async function loseForGood(): Promise<void> {
  const servers = (await processesWith(root)).filter(({ command }) =>
    command.includes('redis-server'),
  );
  expect(servers).toHaveLength(1);
  for (const { pid } of servers) process.kill(pid, 'SIGKILL');
  await rm(path.join(root, 'data', 'redis', 'appendonlydir'), { recursive: true });
}

it('records on through FLUSHALL and a new, empty Redis: no second, no highlight, no word of the playlist is lost', async () => {
  const pages = resources.use(await servePages({ '/class': barcodePage({ fps: 15 }) }));
  const body = JSON.stringify({ url: `${pages.url}/class`, settings: SETTINGS });
  const created = await api('/v1/recordings', { method: 'POST', body });
  const { id } = (await created.json()) as Recording;
  const watcher = new Watcher(id);
  await waitUntil('the first segments', async () => (await watcher.look()) >= 3, START_MS);
  const made = await api(`/v1/recordings/${id}/highlights`, {
    method: 'POST',
    body: JSON.stringify({ beforeMs: 2000, afterMs: 12_000 }),
  });
  const highlight = (await made.json()) as Highlight;

  await flush();
  await watcher.untilMore(3);
  await loseForGood();
  await watcher.untilMore(3);

  await waitUntil(
    'the stop to be heard',
    async () => (await api(`/v1/recordings/${id}/stop`, { method: 'POST' })).ok,
    BACK_MS,
  );
  const find = async (): Promise<Recording> =>
    (await (await api(`/v1/recordings/${id}`)).json()) as Recording;
  const recording = await waitUntil(
    'the recording to end',
    async () => {
      const now = await find();
      return ['completed', 'failed'].includes(now.state) && now;
    },
    END_MS,
  );
  expect(recording).toMatchObject({ state: 'completed' });
  await watcher.look();
  expect(watcher.changes).toEqual([]);
  const stored = path.join(root, 'data', 'storage', objectKeys.playlist(id));
  const report = await verifyTarget(stored, { decode: false });
  expect(report.violations).toEqual([]);
  const served = readPlaylist(await (await api(`/v1/recordings/${id}/final.m3u8`)).text());
  expect(served.entries.filter(({ isGap }) => isGap)).toEqual([]);
  expect(served.entries.length).toBeGreaterThanOrEqual(9);
  // One worker made all of it.
  expect(new Set(served.entries.map(({ maker }) => maker)).size).toBe(1);
  const isMade = async (): Promise<boolean> => {
    const answer = await api(`/v1/highlights/${highlight.id}`);
    return answer.ok && ((await answer.json()) as Highlight).state === 'completed';
  };
  await waitUntil('the clip', isMade, START_MS);
});
