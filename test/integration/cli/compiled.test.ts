import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Resources } from '../../../src/lifecycle.ts';
import { processesWith } from '../../support/processes.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** The compiler takes 5 s of a core; a machine shared with other tests has far less than one. */
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });
const START_TIMEOUT_MS = 60_000;

/** What each role logs when it can work; the worker only once it has found the built pages. */
const READY = ['"msg":"listening"', 'highlight role is ready', 'worker-ready'];

const execute = promisify(execFile);
const resources = new Resources();
let root: string;

/** Lays a package out as the image has it: compiled code, built pages, modules; no source. */
beforeAll(async () => {
  root = resources.use(await makeTempFolder('compiled')).path;
  const compiler = path.resolve('node_modules/typescript/bin/tsc');
  // Types are checked elsewhere.
  const options = ['-p', 'tsconfig.build.json', '--noCheck', '--outDir', `${root}/dist/node`];
  await execute(process.execPath, [compiler, ...options]);
  for (const name of ['package.json', 'node_modules', 'dist/pages']) {
    await symlink(path.resolve(name), path.join(root, name));
  }
});
afterAll(() => resources.close());

it('runs every role from compiled code, where there is no source', async () => {
  // The image's own command, see docker/Dockerfile.
  const child = spawn('node', ['--enable-source-maps', 'dist/node/src/cli/main.js', 'up'], {
    cwd: root,
    env: { ...process.env, CHALKREEL_DATA_DIR: path.join(root, 'data'), CHALKREEL_PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  resources.defer(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exit = once(child, 'exit');
  await waitUntil(
    'every role is ready, or one has failed',
    () => READY.every((text) => output.includes(text)) || /died|chalkreel: /.test(output),
    START_TIMEOUT_MS,
  );
  for (const text of READY) expect(output).toContain(text);
  const commands = (await processesWith(root)).map(({ command }) => command);
  const compiled = commands.filter((command) => command.includes(`${root}/dist/node/`));
  expect(compiled.length).toBeGreaterThanOrEqual(READY.length);
  expect(commands.filter((command) => /tsx|\.ts\b/.test(command))).toEqual([]);
  child.kill('SIGTERM');
  expect((await exit)[0]).toBe(0);
  expect(await processesWith(root)).toEqual([]);
});
