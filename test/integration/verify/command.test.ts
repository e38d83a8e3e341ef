import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../../../src/verify/findings.ts';
import { buildRecording } from '../../unit/verify/fixture-recording.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const KEY = 'key-of-the-test';
let folder: string;
let server: Server;
let url: string;
/** Where nobody listens any more. */
let closedUrl: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'verify-'));
  const { playlist, segments } = buildRecording();
  const files = new Map<string, string | Buffer>([['index.m3u8', playlist], ...segments]);
  files.set('wrong.m3u8', playlist.replace('EXTINF:1.6', 'EXTINF:1.5'));
  for (const [name, content] of files) await writeFile(path.join(folder, name), content);
  await mkdir(path.join(folder, 'empty'));
  server = createServer((request, response) => {
    const isAllowed = request.headers.authorization === `Bearer ${KEY}`;
    const file = files.get((request.url ?? '').slice(1));
    response.statusCode = !isAllowed ? 401 : file === undefined ? 404 : 200;
    response.end(response.statusCode === 200 ? file : undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = urlOf(server);
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  closedUrl = urlOf(closed);
  closed.close();
});

function urlOf(listening: Server): string {
  const address = listening.address();
  if (typeof address !== 'object' || !address) throw new Error('the server has no port');
  return `http://127.0.0.1:${address.port}/index.m3u8`;
}

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

type Ended = { code: number | null; stdout: string; stderr: string };

/** Runs the command as npm run verify does. */
async function verify(...args: string[]): Promise<Ended> {
  const tsx = path.join(ROOT, 'node_modules/.bin/tsx');
  const child = spawn(tsx, [path.join(ROOT, 'src/verify/main.ts'), ...args]);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

test('ends with 0 for a conforming recording, and says what it checked', async () => {
  const { code, stdout } = await verify(path.join(folder, 'index.m3u8'));
  expect(stdout).toMatch(/3 segments \(0 gaps\), 144 pictures, 225 audio frames, .* decoded/);
  expect({ code, last: stdout.trim().split('\n').at(-1) }).toEqual({
    code: 0,
    last: 'no violations',
  });
});

test('ends with 1 for a violation, and names it in JSON', async () => {
  const target = path.join(folder, 'wrong.m3u8');
  const { code, stdout } = await verify(target, '--json', '--no-decode');
  const { violations, summary } = JSON.parse(stdout) as Report;
  expect(code).toBe(1);
  expect(violations).toEqual([
    { rule: 'extinf', segment: 'segment-0.ts', offset: null, message: 'line 8: 1.5, expected 1.6' },
  ]);
  expect(summary).toMatchObject({ kind: 'playlist', segments: 3, decoded: false });
});

test('reads over HTTP with a bearer key, and proves against a report that nothing changed', async () => {
  const { code, stdout } = await verify(url, '--bearer', KEY, '--json', '--fps', '30');
  expect(code).toBe(0);
  const report = path.join(folder, 'report.json');
  await writeFile(report, stdout);
  const segment = path.join(folder, 'segment-2.ts');
  expect((await verify(segment, '--expect', report, '--no-decode')).code).toBe(0);
});

test('checks what a folder has to check, a line of JSON each', async () => {
  const demo = path.join(folder, 'demo');
  await mkdir(path.join(demo, 'recording'), { recursive: true });
  await mkdir(path.join(demo, 'clip'));
  const { playlist, segments } = buildRecording();
  const files = [...segments, ['index.m3u8', playlist] as const];
  for (const [name, content] of files) {
    await writeFile(path.join(demo, 'recording', name), content);
  }
  const clip = playlist.replaceAll(/^segment/gm, '../recording/segment').replace('1.6,', '1.7,');
  await writeFile(path.join(demo, 'clip/clip.m3u8'), clip);
  const { code, stdout } = await verify(demo, '--json', '--no-decode');
  const reports = stdout.trim().split('\n').map((line) => JSON.parse(line) as Report); // prettier-ignore
  expect(reports.map(({ summary }) => path.relative(demo, summary.input))).toEqual([
    'recording/index.m3u8',
    'clip/clip.m3u8',
  ]);
  expect(reports.map(({ violations }) => violations.map(({ rule }) => rule))).toEqual([
    [],
    ['extinf'],
  ]);
  expect(code).toBe(1);
});

/** Serves what `answer` says, to requests that carry the signature. */
async function serveSigned(
  answer: (url: URL) => string | Buffer | undefined,
): Promise<{ server: Server; url: string; asked: string[] }> {
  const asked: string[] = [];
  const signed = createServer((request, response) => {
    const asking = new URL(request.url ?? '/', 'http://127.0.0.1');
    asked.push(`${asking.pathname}${asking.search}`);
    const body = asking.searchParams.get('sig') === KEY ? answer(asking) : undefined;
    response.statusCode = body === undefined ? 403 : 200;
    response.end(body);
  }).listen(0, '127.0.0.1');
  await once(signed, 'listening');
  return { server: signed, url: `${urlOf(signed)}?sig=${KEY}`, asked };
}

test('reads a live playlist by a signed link, asks again, and asks for a delta update', async () => {
  const { playlist, segments } = buildRecording();
  const event = playlist
    .replace('VERSION:8\n', 'VERSION:9\n#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=12\n')
    .replace('#EXT-X-ENDLIST\n', '');
  const growing = event.slice(0, event.lastIndexOf('#EXT-X-PROGRAM'));
  let isFirst = true;
  const {
    server: signed,
    url: live,
    asked,
  } = await serveSigned(({ pathname }) => {
    if (pathname !== '/index.m3u8') return segments.get(pathname.slice(1));
    const text = isFirst ? growing : event;
    isFirst = false;
    return text;
  });
  const { code, stdout } = await verify(live, '--json', '--no-decode');
  signed.close();
  expect((JSON.parse(stdout) as Report).violations).toEqual([]);
  expect(code).toBe(0);
  expect(asked).toEqual([
    `/index.m3u8?sig=${KEY}`,
    `/segment-0.ts?sig=${KEY}`,
    `/segment-1.ts?sig=${KEY}`,
    `/index.m3u8?sig=${KEY}`,
    `/index.m3u8?sig=${KEY}&_HLS_skip=YES`,
  ]);
});

test.each([
  ['a file that is not there', () => [path.join(folder, 'none.m3u8')], /ENOENT/],
  ['a folder without a recording', () => [path.join(folder, 'empty')], /there is no index\.m3u8/],
  ['a file of another kind', () => [import.meta.filename], /neither a playlist/],
  ['a server that wants a key', () => [url], /the server answers 401/],
  ['a port where nobody listens', () => [closedUrl], /ECONNREFUSED/],
  ['a URL of another scheme', () => ['ftp://127.0.0.1/index.m3u8'], /not http or https/],
  ['a rate off the grid', () => [url, '--fps', '24'], /expected one of 10, 15/],
  ['an unknown option', () => [url, '--fast'], /unknown option/],
  ['no input', () => [], /missing required argument/],
])('ends with 2 and one clear line for %s', async (_, args, message) => {
  const { code, stdout, stderr } = await verify(...args());
  expect(stderr).toMatch(message);
  expect({ code, stdout, lines: stderr.trim().split('\n').length }).toEqual({
    code: 2,
    stdout: '',
    lines: 1,
  });
});
