import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { delay, type Closable } from '../../../src/lifecycle.ts';
import { createLog } from '../../../src/log.ts';
import { isRedisUnavailable, openRedis } from '../../../src/queue/connection.ts';
import { startEmbeddedRedis } from '../../../src/queue/embedded-redis.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import { waitUntil } from '../../support/wait-until.ts';

const log = createLog('test', 'silent');
/** A cold tsx start beside others' work on two cores. */
const PARENT_START_MS = 15_000;
/** Longer than a role needs to write its last state, and well below the 4 s it is given. */
const LAST_WORDS_MS = 2_000;
let folder: Closable & { readonly path: string };
beforeEach(async () => {
  folder = await makeTempFolder('redis');
});
afterEach(() => folder.close());

async function isRunning(pid: number): Promise<boolean> {
  try {
    // A killed child of a dead parent may stay a zombie where init does not reap.
    return !(await readFile(`/proc/${pid}/stat`, 'utf8')).includes(') Z ');
  } catch {
    return false;
  }
}

it('keeps its data over a restart, and is gone after close', async () => {
  const first = await startEmbeddedRedis({ dataDir: folder.path, log });
  const connection = await openRedis(first.url, log);
  await connection.client.set('kept', 'yes');
  await connection.close();
  await first.close();
  await first.close();
  expect(await isRunning(first.pid)).toBe(false);

  const second = await startEmbeddedRedis({ dataDir: folder.path, log });
  const again = await openRedis(second.url, log);
  expect(await again.client.get('kept')).toBe('yes');
  await again.close();
  await second.close();
});

it('refuses a folder that another one serves', async () => {
  const first = await startEmbeddedRedis({ dataDir: folder.path, log });
  await expect(startEmbeddedRedis({ dataDir: folder.path, log })).rejects.toMatchObject({
    code: 'data-dir-in-use',
    fault: 'input',
  });
  const connection = await openRedis(first.url, log);
  expect(await connection.client.ping()).toBe('PONG');
  await connection.close();
  await first.close();
});

it('tells when it is killed, and starts again over the stale socket', async () => {
  let ended: string | undefined;
  const onExit = (detail: string): void => {
    ended = detail;
  };
  const first = await startEmbeddedRedis({ dataDir: folder.path, log, onExit });
  process.kill(first.pid, 'SIGKILL');
  await waitUntil('the end is told', () => ended);
  expect(ended).toContain('SIGKILL');
  const second = await startEmbeddedRedis({ dataDir: folder.path, log });
  await second.close();
});

it('serves a folder whose path is too long for a socket', async () => {
  const dataDir = path.join(folder.path, 'x'.repeat(120));
  const redis = await startEmbeddedRedis({ dataDir, log });
  const connection = await openRedis(redis.url, log);
  expect(await connection.client.ping()).toBe('PONG');
  await connection.close();
  await redis.close();
});

it('names the missing program and how to get it', async () => {
  await expect(
    startEmbeddedRedis({ dataDir: folder.path, log, program: 'no-such-redis' }),
  ).rejects.toMatchObject({
    code: 'missing-program',
    message: expect.stringContaining('apt-get install redis-server') as string,
  });
});

it('says that the data folder cannot be written', async () => {
  const file = path.join(folder.path, 'file');
  await writeFile(file, '');
  await expect(startEmbeddedRedis({ dataDir: file, log })).rejects.toMatchObject({
    code: 'data-dir-not-writable',
    fault: 'input',
  });
});

/** A process that has started a server in `<folder>/data` and can be killed. */
async function startParent(): Promise<{
  readonly pid: number;
  readonly url: string;
  readonly kill: () => void;
}> {
  const script = path.join(folder.path, 'parent.mts');
  const source = (file: string): string => JSON.stringify(path.resolve(file));
  await mkdir(path.join(folder.path, 'data'));
  await writeFile(
    script,
    `import { startEmbeddedRedis } from ${source('src/queue/embedded-redis.ts')};
     import { createLog } from ${source('src/log.ts')};
     const dataDir = ${JSON.stringify(path.join(folder.path, 'data'))};
     const { pid, url } = await startEmbeddedRedis({ dataDir, log: createLog('x', 'silent') });
     console.log(JSON.stringify({ pid, url }));`,
  );
  const child = spawn(process.execPath, ['--import', 'tsx', script]);
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await waitUntil('the server runs', () => said.includes('\n'), PARENT_START_MS);
  const { pid, url } = JSON.parse(said) as { pid: number; url: string };
  return { pid, url, kill: () => void child.kill('SIGKILL') };
}

it('dies with a parent that is killed', async () => {
  const { pid, kill } = await startParent();
  kill();
  await waitUntil('redis-server ends', async () => !(await isRunning(pid)), LAST_WORDS_MS / 2);
});

it('outlives its killed parent until its last client has left', async () => {
  const { pid, url, kill } = await startParent();
  const connection = await openRedis(url, log);
  const startedAt = performance.now();
  kill();
  while (performance.now() - startedAt < LAST_WORDS_MS) {
    expect(await connection.client.incr('word')).toBeGreaterThan(0);
    await delay(100);
  }
  await connection.close();
  await waitUntil('redis-server ends', async () => !(await isRunning(pid)), 1000);
});

it('does not outlive its killed parent for ever', async () => {
  const { pid, url, kill } = await startParent();
  const connection = await openRedis(url, log);
  kill();
  // The bound: nothing for longer than 5 s.
  await waitUntil('redis-server ends', async () => !(await isRunning(pid)), 5000);
  await connection.close();
});

it('fails commands in bounded time while Redis is away, and recovers', async () => {
  const first = await startEmbeddedRedis({ dataDir: folder.path, log });
  const connection = await openRedis(first.url, log);
  await first.close();
  const startedAt = performance.now();
  const error: unknown = await connection.client.get('x').catch((e: unknown) => e);
  expect(isRedisUnavailable(error)).toBe(true);
  // The command's deadline is 5 s; one more for a busy machine.
  expect(performance.now() - startedAt).toBeLessThan(6000);
  const second = await startEmbeddedRedis({ dataDir: folder.path, log });
  await waitUntil('the connection is back', () => connection.client.ping().catch(() => false));
  await connection.close();
  await second.close();
});

it('says which Redis does not answer, without its password', async () => {
  await expect(openRedis(`unix://${folder.path}/none.sock`, log)).rejects.toMatchObject({
    code: 'redis-unavailable',
    message: expect.stringContaining('none.sock') as string,
  });
  const error: unknown = await openRedis('redis://:secret@127.0.0.1:1', log).catch(
    (e: unknown) => e,
  );
  expect(String(error)).not.toContain('secret');
});
