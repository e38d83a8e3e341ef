import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Resources } from '../../src/lifecycle.ts';
import type { Recording, RecordingState } from '../../src/model/recording.ts';
import { verifyTarget } from '../../src/verify/verify.ts';
import { barcodePage } from '../support/barcode-page.ts';
import { startCommand, type RunningCommand } from '../support/command.ts';
import { servePages } from '../support/page-server.ts';
import { processesWith } from '../support/processes.ts';
import { BALLAST, renderersWithBallast } from '../support/renderer.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

/** A start of the whole system, or of a recording, on a machine busy with other tests. */
const START_MS = 30_000;
/** To the next boundary of 1.6 s, the last files, Chrome's end. */
const END_MS = 15_000;
/** The bound for what is left by a supervisor that was killed. */
const ORPHANS_GONE_MS = 5_000;
/** Whoever could not leave its recording in time is missed after two times 4 s; then a start, and the segments asked for. */
const RESUMED_MS = 60_000;
/** Small and slow: what happens is looked at, not how it looks. */
const SETTINGS = { width: 640, height: 360, fps: 15 };

let root: string;
let pagesUrl: string;
const shared = new Resources();
let resources: Resources;

beforeAll(async () => {
  const html = barcodePage({ fps: 15 });
  const pages = { '/class': html, '/heavy': html.replace('<canvas>', `${BALLAST}<canvas>`) };
  pagesUrl = shared.use(await servePages(pages)).url;
});
beforeEach(async () => {
  resources = new Resources();
  root = resources.use(await makeTempFolder('accident')).path;
});
afterEach(() => resources.close());
afterAll(() => shared.close());

/** Starts `chalkreel`; whatever is left of it when the test ends is killed. */
function chalkreel(args: readonly string[], env: NodeJS.ProcessEnv = {}): RunningCommand {
  const command = startCommand(args, { marker: root, env });
  resources.defer(async () => {
    for (const { pid } of await processesWith(root)) process.kill(pid, 'SIGKILL');
  });
  return command;
}

async function expectNothingRunning(timeoutMs = 2000): Promise<void> {
  const commands = async (): Promise<string[]> =>
    (await processesWith(root)).map(({ command }) => command);
  const isNone = async (): Promise<boolean> => (await commands()).length === 0;
  // The assertion shows who is left.
  await waitUntil('the processes to end', isNone, timeoutMs).catch(() => undefined);
  expect(await commands()).toEqual([]);
}

/** Segments that have media: a hole's line is no segment. */
function segmentsOf(playlist: string): string[] {
  return playlist.split('\n').filter((line) => /(?<!-gap)\.ts$/.test(line));
}

async function killPage(): Promise<void> {
  const [pid, ...others] = await waitUntil('the page with ballast', async () => {
    const found = await renderersWithBallast(root);
    return found.length > 0 && found;
  });
  expect(others).toEqual([]);
  process.kill(Number(pid), 'SIGKILL');
}

describe('chalkreel record', () => {
  it('says that the page crashed, and keeps what was recorded until then', async () => {
    const out = path.join(root, 'out');
    const { width, height, fps } = SETTINGS;
    const sizes = [`--width=${width}`, `--height=${height}`, `--fps=${fps}`];
    const { finished } = chalkreel(['record', `${pagesUrl}/heavy`, '--out', out, ...sizes]);
    const playlist = path.join(out, 'index.m3u8');
    const read = (): Promise<string> => readFile(playlist, 'utf8').catch(() => '');
    const hasTwo = waitUntil(
      'two segments',
      async () => segmentsOf(await read()).length >= 2,
      START_MS,
    );
    // Should it end before, its own words tell more.
    expect(await Promise.race([hasTwo, finished])).toBe(true);
    await killPage();
    expect(await finished).toMatchObject({ code: 2, stderr: 'chalkreel: url: the page crashed\n' });
    await expectNothingRunning();
    expect((await read()).trimEnd().endsWith('#EXT-X-ENDLIST')).toBe(true);
    expect((await verifyTarget(playlist, { decode: true })).violations).toEqual([]);
    expect((await readdir(out)).sort()).toEqual([
      'events.jsonl',
      'index.m3u8',
      'report.json',
      'segments',
    ]);
    expect((await readdir(path.join(out, 'segments'))).length).toBe(
      segmentsOf(await read()).length,
    );
  });

  it('leaves no folder where nothing could be recorded', async () => {
    const out = path.join(root, 'not', 'there', 'yet');
    const { finished } = chalkreel(['record', `${pagesUrl}/gone`, '--out', out]);
    expect(await finished).toMatchObject({ code: 2 });
    expect(existsSync(path.join(root, 'not'))).toBe(false);
    await expectNothingRunning();
  });
});

/** `chalkreel up`, and its API. */
type Service = {
  readonly command: RunningCommand;
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  readonly create: (page: string) => Promise<string>;
  readonly recording: (id: string) => Promise<Recording>;
  readonly playlist: (id: string) => Promise<string>;
};

async function startService(): Promise<Service> {
  const env = { CHALKREEL_DATA_DIR: path.join(root, 'data'), CHALKREEL_PORT: '0' };
  const command = chalkreel(['up'], env);
  const [, url = '', key = ''] = await waitUntil(
    'chalkreel is up',
    () => /is up: (\S+) .*\nAPI key: (\S+)\n/.exec(command.stdout()) ?? false,
    START_MS,
  );
  const call: Service['fetch'] = (link, init = {}) =>
    fetch(new URL(link, url), {
      ...init,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    });
  return {
    command,
    fetch: call,
    create: async (page) => {
      const body = JSON.stringify({ url: `${pagesUrl}${page}`, settings: SETTINGS });
      const answer = await call('/v1/recordings', { method: 'POST', body });
      return ((await answer.json()) as Recording).id;
    },
    recording: async (id) => (await call(`/v1/recordings/${id}`)).json() as Promise<Recording>,
    playlist: async (id) => {
      const answer = await call(`/v1/recordings/${id}/index.m3u8`);
      return answer.ok ? answer.text() : '';
    },
  };
}

async function untilSegments(
  service: Service,
  id: string,
  count: number,
  timeoutMs = START_MS,
): Promise<string> {
  return waitUntil(
    `${count} segments`,
    async () => {
      const playlist = await service.playlist(id);
      return segmentsOf(playlist).length >= count && playlist;
    },
    timeoutMs,
  );
}

async function untilState(service: Service, id: string, state: RecordingState): Promise<Recording> {
  return waitUntil(
    `the recording to be ${state}`,
    async () => {
      const recording = await service.recording(id);
      return recording.state === state && recording;
    },
    END_MS,
  );
}

/** A recording's folder in the storage of `chalkreel up`. */
function stored(id: string, file: string): string {
  return path.join(root, 'data', 'storage', 'recordings', id, file);
}

async function expectWhole(id: string, segments?: number): Promise<void> {
  const playlist = await readFile(stored(id, 'index.m3u8'), 'utf8');
  expect(playlist.trimEnd().endsWith('#EXT-X-ENDLIST')).toBe(true);
  const { violations } = await verifyTarget(stored(id, 'index.m3u8'), { decode: false });
  expect(violations).toEqual([]);
  if (segments !== undefined) expect(segmentsOf(playlist).length).toBeGreaterThanOrEqual(segments);
}

describe('chalkreel up', () => {
  it('goes on with a recording whose page crashed, and ends all properly on SIGTERM', async () => {
    const service = await startService();
    const [crashing, going] = [await service.create('/heavy'), await service.create('/class')];
    await untilSegments(service, crashing, 2);
    await untilSegments(service, going, 2);
    await killPage();
    const before = segmentsOf(await service.playlist(crashing));
    const after = await untilSegments(service, crashing, before.length + 2, RESUMED_MS);
    expect(segmentsOf(after).slice(0, before.length)).toEqual(before);
    const { state, warnings } = await service.recording(crashing);
    expect(state).toBe('recording');
    expect(warnings).toEqual([expect.stringContaining('the page crashed')]);
    expect((await service.recording(going)).warnings).toEqual([]);

    service.command.child.kill('SIGTERM');
    expect(await service.command.finished).toMatchObject({ code: 0, stderr: '' });
    await expectNothingRunning();
    for (const id of [crashing, going]) {
      await expectWhole(id, 2);
      const over = JSON.parse(await readFile(stored(id, 'recording.json'), 'utf8')) as Recording;
      expect(over.state).toBe('completed');
      expect(over.history.at(-2)).toMatchObject({ state: 'stopping', reason: 'signal' });
    }
  });

  it('goes on with a recording after it was killed and started again, and loses nothing published', async () => {
    const killed = await startService();
    const id = await killed.create('/class');
    const before = segmentsOf(await untilSegments(killed, id, 2));
    const orphans = (await processesWith(root)).map(({ pid }) => pid);
    expect(orphans.length).toBeGreaterThan(5);
    const killedAt = performance.now();
    killed.command.child.kill('SIGKILL');

    // At once, as a service manager would: while what is left of the first still ends.
    const service = await startService();
    const stillThere = async (): Promise<string[]> =>
      (await processesWith(root))
        .filter(({ pid }) => orphans.includes(pid))
        .map(({ command }) => command);
    const left = ORPHANS_GONE_MS - (performance.now() - killedAt);
    await waitUntil('the orphans end', async () => (await stillThere()).length === 0, left).catch(
      () => undefined,
    );
    expect(await stillThere()).toEqual([]);

    const after = await untilSegments(service, id, before.length + 3, RESUMED_MS);
    expect(segmentsOf(after).slice(0, before.length)).toEqual(before);
    expect(after).not.toContain('#EXT-X-ENDLIST');
    const recording = await untilState(service, id, 'recording');
    expect(recording.history.map(({ state }) => state)).toEqual([
      'queued',
      'starting',
      'recording',
      'starting',
      'recording',
    ]);
    for (const segment of segmentsOf(after)) {
      const answer = await service.fetch(`/v1/recordings/${id}/${segment}`, { method: 'HEAD' });
      expect([segment, answer.status]).toEqual([segment, 200]);
    }

    const stop = (): Promise<Response> =>
      service.fetch(`/v1/recordings/${id}/stop`, { method: 'POST' });
    expect((await stop()).status).toBe(202);
    const completed = await untilState(service, id, 'completed');
    expect(completed.history.at(-1)).toMatchObject({ reason: 'stop-requested' });
    expect((await stop()).status).toBe(200);
    await expectWhole(id, before.length + 3);

    service.command.child.kill('SIGINT');
    expect(await service.command.finished).toMatchObject({ code: 0, stderr: '' });
    await expectNothingRunning();
  });
});
