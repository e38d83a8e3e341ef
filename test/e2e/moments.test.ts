import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startSystem, type System } from '../../src/cli/supervisor.ts';
import { loadConfig } from '../../src/config.ts';
import { Resources } from '../../src/lifecycle.ts';
import { createLog } from '../../src/log.ts';
import { SEGMENT_MS } from '../../src/model/grid.ts';
import { servePages } from '../support/page-server.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Starts of the system and of Chrome on a machine busy with other tests. */
const START_MS = 60_000;

/** A page that keeps saying the same, as a class does that is heard by several: it is one moment and one reward. */
const PAGE = `<!doctype html><meta charset="utf-8"><title>class</title>
<body style="font-size:20vw"></body><script>
  const atMs = Date.now() + 4000;
  const moment = { triggerId: 'moment', atMs, beforeMs: 500, afterMs: 8000, title: '那一刻' };
  const reward = { type: 'reward', eventId: 'star', participantId: 'wang', title: 'a star', atMs };
  const say = () => {
    document.body.textContent = new Date().toISOString();
    if (Date.now() < atMs) return;
    chalkreel.highlight(moment);
    chalkreel.event(reward);
    chalkreel.event({ ...reward, eventId: 'before the recording', atMs: 1000 });
    chalkreel.event({ type: 'spotlight', eventId: 'no rule', participantId: 'wang' });
  };
  setInterval(say, 500);
</script>`;

const resources = new Resources();
let system: System;
let pageUrl: string;

beforeAll(async () => {
  const folder = resources.use(await makeTempFolder('moments'));
  pageUrl = resources.use(await servePages({ '/': PAGE })).url;
  const output = openSync(path.join(folder.path, 'system.log'), 'a');
  resources.defer(() => closeSync(output));
  const config = { ...loadConfig(), dataDir: folder.path, port: 0 };
  system = resources.use(await startSystem({ config, log: createLog('test', 'silent'), output }));
}, START_MS);
afterAll(() => resources.close(), START_MS);

async function request(method: string, url: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${system.url}${url}`, {
    method,
    headers: {
      Authorization: `Bearer ${system.apiKey}`,
      'Content-Type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.json();
}

type Line = { readonly type: string; readonly eventId?: string; readonly offsetMs: number };

async function readEvents(id: string): Promise<readonly Line[]> {
  const response = await fetch(`${system.url}/v1/recordings/${id}/events.jsonl`, {
    headers: { Authorization: `Bearer ${system.apiKey}` },
  });
  const lines = (await response.text()).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Line);
}

type Listed = { readonly origin: string; readonly isPlayable: boolean };

it(
  'keeps what a recorded page asks for, and what a rule makes of its events, once each and at once',
  async () => {
    // Long enough after the moment that a late start of Chrome does not matter.
    const rule = { on: 'reward', beforeMs: 800, afterMs: 8000, tags: ['reward'] };
    const { id } = (await request('POST', '/v1/recordings', {
      url: pageUrl,
      settings: { width: 320, height: 180, fps: 10, highlights: { rules: [rule] } },
    })) as { id: string };
    const list = async (): Promise<readonly Listed[]> =>
      ((await request('GET', `/v1/recordings/${id}/highlights`)) as { highlights: Listed[] })
        .highlights;
    const kept = await waitUntil(
      'both can be played while the class goes on',
      async () => {
        const found = await list();
        return found.filter(({ isPlayable }) => isPlayable).length >= 2 && found;
      },
      START_MS,
    );
    expect(await request('GET', `/v1/recordings/${id}`)).toMatchObject({ state: 'recording' });
    const running = await waitUntil(
      'the log to have the moment, while the class goes on',
      async () => {
        const lines = await readEvents(id);
        return lines.some(({ eventId }) => eventId === 'moment') && lines;
      },
      START_MS,
    );
    expect([...kept].sort((a, b) => a.origin.localeCompare(b.origin))).toMatchObject([
      { origin: 'page', triggerId: 'moment', title: '那一刻', beforeMs: 500 },
      {
        origin: 'rule',
        triggerId: 'rule-0-reward-star',
        title: 'a star',
        participants: ['wang'],
        tags: ['reward'],
        beforeMs: 800,
      },
    ]);
    await request('POST', `/v1/recordings/${id}/stop`);
    await waitUntil(
      'the recording is over',
      async () => {
        const { state } = (await request('GET', `/v1/recordings/${id}`)) as { state: string };
        return state === 'completed';
      },
      START_MS,
    );
    expect(await list()).toHaveLength(2);
    // Said each half second, it happened once. What the class says it said before is there, too.
    const lines = await readEvents(id);
    expect(lines.filter(({ type }) => type === 'highlight')).toMatchObject([
      { eventId: 'moment', title: '那一刻', beforeMs: 500, offsetMs: expect.any(Number) as number },
    ]);
    expect(lines.filter(({ eventId }) => eventId === 'star')).toMatchObject([
      { type: 'reward', participantId: 'wang', title: 'a star' },
    ]);
    expect(lines.slice(0, running.length)).toEqual(running);
    const offsets = lines.map(({ offsetMs }) => offsetMs);
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    // The reward came 4 s after the page was opened, and the page was there for a moment before it was recorded.
    const star = lines.find(({ eventId }) => eventId === 'star');
    expect(star?.offsetMs).toBeGreaterThan(0);
    expect(star?.offsetMs).toBeLessThan(4000 + SEGMENT_MS);
  },
  3 * START_MS,
);
