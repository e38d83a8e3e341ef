import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, it } from 'vitest';
import { makeTempFolder } from '../../support/temp-folder.ts';

type Outcome = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Runs `chalkreel` to its end. */
function chalkreel(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...args], {
    env: { ...process.env, ...env },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  return new Promise((resolve) => {
    child.once('close', (code) => {
      resolve({ code, ...output });
    });
  });
}

it.each([
  [['nonsense'], 'nonsense'],
  [['up', '--nonsense'], '--nonsense'],
  [['record'], 'url'],
  [['record', 'http://127.0.0.1:9/', '--nonsense', '1'], '--nonsense'],
  [['demo', '--nonsense'], '--nonsense'],
])('says in one line what is wrong with %j', async (args, mentioned) => {
  const { code, stdout, stderr } = await chalkreel(args);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stderr).toMatch(/^chalkreel: /);
  expect(stderr).toContain(mentioned);
});

it('explains itself', async () => {
  const { code, stdout } = await chalkreel(['--help']);
  expect(code).toBe(0);
  for (const command of ['record', 'up', 'demo', 'doctor']) expect(stdout).toContain(command);
});

it('up says in one line that a setting, the port or the folder is bad', async () => {
  const folder = await makeTempFolder('up');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const file = path.join(folder.path, 'file');
  await writeFile(file, '');
  const cases: [NodeJS.ProcessEnv, string][] = [
    [{ CHALKREEL_PORT: '-1' }, 'CHALKREEL_PORT'],
    [{ CHALKREEL_PORT: String(port) }, `Port ${port}`],
    [{ CHALKREEL_PORT: '0', CHALKREEL_DATA_DIR: file }, file],
    [{ CHALKREEL_PORT: '0', CHALKREEL_STORAGE_URL: 's3://bucket' }, 'CHALKREEL_STORAGE_URL'],
  ];
  const outcomes = await Promise.all(
    cases.map(([env]) => chalkreel(['up'], { CHALKREEL_DATA_DIR: folder.path, ...env })),
  );
  for (const [i, { code, stderr }] of outcomes.entries()) {
    expect([code, stderr.trim().split('\n').length]).toEqual([2, 1]);
    expect(stderr).toContain(cases[i]?.[1]);
  }
  await new Promise((resolve) => server.close(resolve));
  await folder.close();
});
