import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Resources } from '../../../src/lifecycle.ts';
import { startCommand } from '../../support/command.ts';
import { processesWith } from '../../support/processes.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

const PAGE = 'http://127.0.0.1:9/class';
const resources = new Resources();
let root: string;
/** A port that somebody has. */
let takenPort: number;

beforeAll(async () => {
  root = resources.use(await makeTempFolder('bad-input')).path;
  await writeFile(path.join(root, 'file'), '');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  resources.defer(() => void server.close());
  takenPort = (server.address() as AddressInfo).port;
});
afterAll(() => resources.close());

type Case = {
  readonly what: string;
  /** `ROOT`, `OUT` and `TAKEN` stand for a folder, a new one in it, and the port. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly says: RegExp;
};

const RECORD = ['record', PAGE, '--out', 'OUT'];
const NO_CHROMIUM = { CHALKREEL_CHROMIUM: '/nonexistent/chromium' };
/** No program at all is found, but a Chromium is named. */
const NO_REDIS = { PATH: '/nonexistent', CHALKREEL_CHROMIUM: process.execPath };

/** Beside these: the recorder's own in test/e2e/record.test.ts, the API's in test/integration/api. */
const CASES: readonly Case[] = [
  {
    what: 'record without Chromium',
    args: RECORD,
    env: NO_CHROMIUM,
    says: /nonexistent\/chromium/,
  },
  { what: 'record of an ftp: URL', args: ['record', 'ftp://x/', '--out', 'OUT'], says: /^url: / },
  { what: 'record without a folder', args: ['record', PAGE], says: /^out: / },
  { what: 'record into a file', args: ['record', PAGE, '--out', 'ROOT/file'], says: /^out: / },
  { what: 'record into /proc', args: ['record', PAGE, '--out', '/proc/x'], says: /^out: / },
  { what: 'record of absurd width', args: [...RECORD, '--width=100000'], says: /^width: / },
  { what: 'record for no time', args: [...RECORD, '--seconds=-1'], says: /^\w+: / },
  { what: 'up without Chromium', args: ['up'], env: NO_CHROMIUM, says: /nonexistent\/chromium/ },
  { what: 'up without Redis', args: ['up'], env: NO_REDIS, says: /^redis-server is not installed/ },
  {
    what: 'up with a Redis that is not there',
    args: ['up'],
    env: { CHALKREEL_REDIS_URL: 'redis://127.0.0.1:1' },
    says: /127\.0\.0\.1:1 does not answer/,
  },
  { what: 'up on a port in use', args: ['up'], env: { CHALKREEL_PORT: 'TAKEN' }, says: /^Port / },
  { what: 'up in a file', args: ['up'], env: { CHALKREEL_DATA_DIR: 'ROOT/file' }, says: /file/ },
  { what: 'up in /proc', args: ['up'], env: { CHALKREEL_DATA_DIR: '/proc/x' }, says: /\/proc\/x/ },
  {
    what: 'demo without Chromium',
    args: ['demo', '--out', 'OUT'],
    env: NO_CHROMIUM,
    says: /chromium/,
  },
  {
    what: 'demo without Redis',
    args: ['demo', '--out', 'OUT'],
    env: NO_REDIS,
    says: /redis-server/,
  },
  { what: 'demo into /proc', args: ['demo', '--out', '/proc/x'], says: /^out: / },
  { what: 'demo for ever', args: ['demo', '--out', 'OUT', '--seconds=1e9'], says: /^seconds: / },
];

describe('is refused in one line, and leaves nothing running:', () => {
  it.concurrent.each(CASES)('$what', async ({ what, args, env = {}, says }) => {
    const own = path.join(root, what.replaceAll(' ', '-'));
    const fill = (text: string): string =>
      text
        .replace('OUT', path.join(own, 'out'))
        .replace('ROOT', root)
        .replace('TAKEN', String(takenPort));
    const settings = { CHALKREEL_DATA_DIR: path.join(own, 'data'), CHALKREEL_PORT: '0', ...env };
    const filled = Object.entries(settings).map(([name, value]) => [name, fill(value)]);
    const command = startCommand(args.map(fill), {
      marker: `${own}/`,
      env: Object.fromEntries(filled) as NodeJS.ProcessEnv,
    });
    const { code, stdout, stderr } = await command.finished;
    expect({ code, stdout, lines: stderr.trim().split('\n').length, stderr }).toEqual({
      code: 2,
      stdout: '',
      lines: 1,
      stderr: expect.stringMatching(/^chalkreel: .+\n$/) as string,
    });
    expect(stderr.replace('chalkreel: ', '')).toMatch(says);
    expect(await processesWith(`${own}/`)).toEqual([]);
    expect(existsSync(path.join(own, 'out', 'segments'))).toBe(false);
  });
});
