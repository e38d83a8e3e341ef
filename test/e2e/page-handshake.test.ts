import { afterAll, beforeAll, expect, it } from 'vitest';
import { installPageHandshake } from '../../recorder/page-handshake.ts';
import { delay, Resources } from '../../src/lifecycle.ts';
import { createLog } from '../../src/log.ts';
import type { ClassEvent } from '../../src/protocol/class-event.ts';
import type { HighlightTrigger } from '../../src/protocol/highlight-trigger.ts';
import { launchTestBrowser, type Page } from '../support/browser.ts';
import { servePages } from '../support/page-server.ts';

/** What a page does as soon as its scripts run. */
const SCRIPT = `
  chalkreel.highlight();
  chalkreel.highlight({ triggerId: 'one', beforeMs: 9000, participants: ['wang'], merge: true });
  chalkreel.highlight({ startMs: 1000, endMs: 2000, title: '那一刻' });
  chalkreel.highlight({ triggerId: '' });
  chalkreel.highlight({ triggerId: 'bad', when: 'now' });
  chalkreel.highlight('now');
  chalkreel.event({ type: 'reward', eventId: 'star', participantId: 'wang', colour: 'gold' });
  chalkreel.event({ type: 7 });
  const loop = {}; loop.loop = loop;
  chalkreel.event(loop);
  chalkreel.ready();
`;

const resources = new Resources();
const heard: HighlightTrigger[] = [];
const events: ClassEvent[] = [];
let ready = 0;
let page: Page;

beforeAll(async () => {
  const body = `<!doctype html><meta charset="utf-8"><title>class</title><script>${SCRIPT}</script>`;
  const pages = resources.use(await servePages({ '/': body }));
  const browser = await launchTestBrowser();
  resources.defer(() => browser.close());
  page = await browser.newPage();
  const handlers = {
    onReady: () => (ready += 1),
    onEnd: () => undefined,
    onHighlight: (trigger: HighlightTrigger) => heard.push(trigger),
    onClassEvent: (event: ClassEvent) => events.push(event),
    onBeat: () => undefined,
    onSources: () => undefined,
  };
  await installPageHandshake(page, handlers, createLog('test', 'silent'));
  await page.goto(pages.url);
});
afterAll(() => resources.close());

it('hears a page’s moments and events, drops what is not well-formed, and never throws into the page', async () => {
  // The last thing the page says: all the rest came before it.
  await expect.poll(() => ready, { timeout: 10_000 }).toBe(1);
  expect(heard).toEqual([
    {},
    { triggerId: 'one', beforeMs: 9000, participants: ['wang'], merge: true },
    { startMs: 1000, endMs: 2000, title: '那一刻' },
  ]);
  expect(events).toEqual([
    { type: 'reward', eventId: 'star', participantId: 'wang', colour: 'gold' },
  ]);
  expect(await page.evaluate('Object.isFrozen(window.chalkreel)')).toBe(true);
});

it('varies what is drawn while a video plays, and draws nothing of its own otherwise', async () => {
  const changes = (): Promise<Record<string, number>> =>
    page.evaluate('changes') as Promise<Record<string, number>>;
  await page.evaluate(`{
    globalThis.changes = {};
    new MutationObserver((records) => {
      for (const { target } of records) {
        if (target.localName !== 'i') continue;
        const { right, bottom } = target.getBoundingClientRect();
        const corner = [innerWidth - right, innerHeight - bottom].join();
        changes[corner] = (changes[corner] ?? 0) + 1;
      }
    }).observe(document.documentElement, { subtree: true, attributeFilter: ['style'] });
    const canvas = document.createElement('canvas');
    let shade = 0;
    setInterval(() => {
      const context = canvas.getContext('2d');
      context.fillStyle = 'hsl(0 0% ' + (shade = (shade + 7) % 100) + '%)';
      context.fillRect(0, 0, canvas.width, canvas.height);
    }, 30);
    globalThis.video = document.createElement('video');
    document.body.append(video);
    video.srcObject = canvas.captureStream(30);
    video.muted = true;
  }`);
  await delay(600);
  expect(await changes()).toEqual({});

  await page.evaluate('video.play()');
  await expect
    .poll(async () => (await changes())['0,0'] ?? 0, { timeout: 20_000 })
    .toBeGreaterThan(5);
  const corners = await changes();
  const turns = [0, 1, 2].map((y) => corners[`0,${y}`] ?? 0);
  const all = turns.reduce((sum, one) => sum + one, 0);
  expect(Object.keys(corners)).toHaveLength(4);
  expect(Math.max(...turns) - Math.min(...turns)).toBeLessThanOrEqual(1);
  // The one in the first corner changes each time.
  expect(Math.max(...Object.values(corners))).toBe(all);

  for (const stop of [
    "video.style = 'position: fixed; inset: 0; width: 100%; height: 100%'",
    'video.pause()',
  ]) {
    await page.evaluate(stop);
    await delay(800);
    const last = await changes();
    await delay(600);
    expect(await changes()).toEqual(last);
    await page.evaluate("video.style = ''");
  }
});
