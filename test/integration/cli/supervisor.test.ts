import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startSystem, type RoleSpec, type System } from '../../../src/cli/supervisor.ts';
import { loadConfig } from '../../../src/config.ts';
import type { Closable } from '../../../src/lifecycle.ts';
import { createLog } from '../../../src/log.ts';
import { openRedis } from '../../../src/queue/connection.ts';
import { fixtureRole, fixtureRoles } from '../../support/fixture-roles.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import { waitUntil } from '../../support/wait-until.ts';

const log = createLog('supervisor', 'silent');
/** A cold tsx start beside others' work on two cores. */
const START_MS = 15_000;

let folder: Closable & { readonly path: string };
let system: System | undefined;
beforeEach(async () => {
  folder = await makeTempFolder('system');
});
afterEach(async () => {
  await system?.close();
  system = undefined;
  await folder.close();
});

function configFor(port = 0): ReturnType<typeof loadConfig> {
  return loadConfig({ CHALKREEL_DATA_DIR: folder.path, CHALKREEL_PORT: String(port) });
}

async function start(roles: readonly RoleSpec[]): Promise<System> {
  const output = openSync(path.join(folder.path, 'log'), 'a');
  system = await startSystem({ config: configFor(), log, roles, output });
  return system;
}

async function events(): Promise<string[]> {
  const text = await readFile(path.join(folder.path, 'events'), 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean);
}

/** Processes noted in the events, and Redis, that still run; zombies are gone already. */
async function running(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (Number(pid) === process.pid) continue;
    if (line.includes(folder.path) || environment.includes(folder.path)) found.push(line);
  }
  return found;
}

it('starts everything, tells where, keeps its secrets, and leaves nothing behind', async () => {
  const first = await start(fixtureRoles());
  expect(await (await fetch(`${first.url}/readyz`)).text()).toBe('ok');
  expect((await stat(path.join(folder.path, 'secrets.json'))).mode & 0o777).toBe(0o600);
  await waitUntil('the worker runs', async () => (await events()).length === 4, START_MS);
  expect((await running()).length).toBeGreaterThanOrEqual(5);
  await first.close();
  expect(await running()).toEqual([]);
  // The worker first, while all it needs is still there.
  expect((await events()).slice(-2)).toEqual(['worker SIGTERM', 'api SIGTERM']);
  const second = await start(fixtureRoles());
  expect(second.apiKey).toBe(first.apiKey);
});

it('restarts a role that dies, at the same port, and kills what it left in its group', async () => {
  const { roles, url } = await start(fixtureRoles());
  const [api] = roles;
  const before = api?.pid();
  process.kill(Number(before), 'SIGKILL');
  await waitUntil('the api is another process', () => {
    const pid = api?.pid();
    return pid !== undefined && pid !== before;
  });
  await waitUntil('it answers', () => fetch(`${url}/readyz`).catch(() => undefined), START_MS);
  expect(api?.restarts()).toBe(1);
  const firstChild = (await events()).find((line) => line.startsWith('api child'));
  const status = await readFile(`/proc/${String(firstChild?.split(' ')[2])}/stat`, 'utf8').catch(
    () => 'gone',
  );
  expect(status).toMatch(/gone|\) Z /);
});

it('goes on restarting a role that always dies, and can still be closed', async () => {
  const { roles } = await start([fixtureRole('api', '--http'), fixtureRole('broken', '--crash')]);
  const broken = roles[1];
  await waitUntil('three deaths', () => (broken?.restarts() ?? 0) >= 3, START_MS);
  await system?.close();
  const deaths = (await events()).filter((line) => line.startsWith('broken')).length;
  expect(deaths).toBeGreaterThanOrEqual(3);
});

it('says so when a role it waits for cannot start', async () => {
  const crashing = { ...fixtureRole('api', '--crash'), announces: 'port' } as const;
  await expect(start([crashing])).rejects.toMatchObject({
    code: 'role-failed',
    message: expect.stringContaining('exit code 3') as string,
  });
  expect(await running()).toEqual([]);
});

it('kills a role that does not stop, with its group', async () => {
  const stubborn = { ...fixtureRole('worker', '--stubborn'), stopGraceMs: 300 };
  const started = await start([fixtureRole('api', '--http'), stubborn]);
  await waitUntil('the worker runs', async () => (await events()).length === 4, START_MS);
  await started.close();
  expect(await events()).toContain('worker ignores SIGTERM');
  expect(await running()).toEqual([]);
});

it('has Redis back after it was killed, at the same address', async () => {
  const { config } = await start(fixtureRoles());
  const connection = await openRedis(String(config.redisUrl), log);
  const pidOf = async (): Promise<number> =>
    Number(/process_id:(\d+)/.exec(await connection.client.info('server'))?.[1]);
  const before = await pidOf();
  process.kill(before, 'SIGKILL');
  await waitUntil(
    'another Redis',
    async () => (await pidOf().catch(() => before)) !== before,
    10_000,
  );
  await connection.close();
});

it('leaves nothing when it is itself killed', async () => {
  const script = path.resolve('test/fixtures/roles/supervise.ts');
  const supervisor = spawn(process.execPath, ['--import', 'tsx', script], {
    env: { ...process.env, CHALKREEL_DATA_DIR: folder.path, CHALKREEL_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  supervisor.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await waitUntil('it is ready', () => said.includes('ready'), START_MS);
  await waitUntil('the worker runs', async () => (await events()).length === 4, START_MS);
  supervisor.kill('SIGKILL');
  // The bound: nothing for longer than 5 s.
  await waitUntil('all are gone', async () => (await running()).length === 0, 5000);
  expect((await events()).slice(-2).sort()).toEqual(['api parent-died', 'worker parent-died']);
});

it.each(['port', 'folder'])(
  'refuses a %s that it cannot have, and starts nothing',
  async (what) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const file = path.join(folder.path, 'file');
    await writeFile(file, '');
    const config = what === 'port' ? configFor(port) : { ...configFor(), dataDir: file };
    const starting = startSystem({ config, log, roles: fixtureRoles() });
    await expect(starting).rejects.toMatchObject({
      code: what === 'port' ? 'port-in-use' : 'data-dir-not-writable',
      fault: 'input',
    });
    expect(await running()).toEqual([]);
    await new Promise((resolve) => server.close(resolve));
  },
);
