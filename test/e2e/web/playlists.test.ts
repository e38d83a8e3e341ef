import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Resources } from '../../../src/lifecycle.ts';
import { boundaryAtOrBefore, SEGMENT_MS } from '../../../src/model/grid.ts';
import { openApiServer, type ApiServer } from '../../support/api-server.ts';
import { launchTestBrowser, type Browser, type Page } from '../../support/browser.ts';
import { servePages } from '../../support/page-server.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { addRecording, addSegment } from '../../integration/api/media-fixture.ts';
import { makeCounterSource } from '../../integration/highlight/counter-source.ts';

/** More than the live window has, so that it loses its first entries while it is played. */
const BEGUN = 32;
const SEGMENTS = 40;
/** A worker took over after this number, which nobody recorded. */
const HOLE = 36;
/** What other work on the machine may cost a player that has nothing to wait for, ms. */
const PLAYER_MS = 30_000;
const SEGMENT_S = SEGMENT_MS / 1000;
/** Seconds: hls.js steps over a hole of one segment, and no further. */
const MAX_STEP_S = SEGMENT_S + 0.5;
/** Seconds: a player this near to the end has begun; one that has not would begin further on. */
const NEAR_END_S = 5 * SEGMENT_S;

const resources = new Resources();
let api: ApiServer;
let browser: Browser;
let pageUrl: string;
let media: readonly { readonly n: number; readonly bytes: Buffer }[];

beforeAll(async () => {
  // Ten pictures a second are drawn sooner than thirty; the last two slots are always filled.
  const slots = Array.from({ length: 48 }, (_, slot) => slot).filter((s) => s % 3 === 0 || s > 45);
  const options = { segments: SEGMENTS, slotsOf: () => slots, profile: 'main' } as const;
  ({ segments: media } = await makeCounterSource(options));
  api = resources.use(await openApiServer());
  const script = await readFile('node_modules/hls.js/dist/hls.min.js');
  const pages = { '/': PAGE, '/hls.js': { type: 'text/javascript', body: script } };
  pageUrl = resources.use(await servePages(pages)).url;
  browser = await launchTestBrowser();
  resources.defer(() => browser.close());
});
afterAll(() => resources.close());

/** Notes what hls.js says, and every place the picture was at. All in one tab: hidden ones are slowed down. */
const PAGE = `<!doctype html><script src="hls.js"></script><script>
  const players = [];
  function play(url, startPosition) {
    const video = document.body.appendChild(document.createElement('video'));
    video.muted = true;
    const seen = { errors: [], failedDeltas: 0, jumps: [], ended: false, at: 0, end: 0 };
    let looked = performance.now();
    players.push(seen);
    const hls = new Hls({ startPosition });
    hls.on(Hls.Events.ERROR, (_, { details, fatal }) =>
      seen.errors.push({ details, fatal, at: video.currentTime }));
    hls.on(Hls.Events.LEVEL_UPDATED, (_, { details }) => {
      if (details.deltaUpdateFailed) seen.failedDeltas += 1;
    });
    hls.on(Hls.Events.MANIFEST_PARSED, () => video.play());
    hls.loadSource(url);
    hls.attachMedia(video);
    setInterval(() => {
      seen.buffered = Array.from({ length: video.buffered.length }, (_, i) => [video.buffered.start(i), video.buffered.end(i)]);
      const [at, now] = [video.currentTime, performance.now()];
      // What was played since the last look, which a busy machine may delay, is no jump.
      const played = (now - looked) / 1000;
      if (seen.at > 0) seen.jumps.push(at < seen.at ? at - seen.at : Math.max(0, at - seen.at - played));
      seen.at = at;
      looked = now;
      seen.end = video.duration;
      seen.ended = video.ended;
    }, 50);
  }
</script><body></body>`;

type Seen = {
  readonly errors: readonly {
    readonly details: string;
    readonly fatal: boolean;
    readonly at: number;
  }[];
  readonly failedDeltas: number;
  readonly jumps: readonly number[];
  readonly ended: boolean;
  readonly at: number;
  readonly end: number;
  readonly buffered: readonly (readonly number[])[];
};

type Player = { readonly deltas: string[]; readonly seen: () => Promise<Seen> };

async function startPlayer(page: Page, url: string, startPosition: number): Promise<Player> {
  const deltas: string[] = [];
  page.on('response', (response) => {
    if (!response.url().startsWith(`${url}?_HLS_skip=`) || response.status() !== 200) return;
    void response.text().then((text) => deltas.push(text));
  });
  const index = (await page.evaluate('players.length')) as number;
  await page.evaluate(`play(${JSON.stringify(url)}, ${startPosition})`);
  return { deltas, seen: async () => (await page.evaluate(`players[${index}]`)) as Seen };
}

async function publish(id: string, n: number): Promise<void> {
  if (n === HOLE) return;
  const owner = n > HOLE ? { epoch: 2, codecHash: 'codec-b' } : {};
  const object = `recordings/${id}/made/${n}.ts`;
  const bytes = media[n]?.bytes ?? Buffer.alloc(0);
  await api.services.store.put(object, bytes);
  const place = { object, offset: 0, length: bytes.length };
  await addSegment(api, id, n, undefined, { place, ...owner });
}

async function expectPlayed({ seen }: Player): Promise<void> {
  await waitUntil('it plays to the end', async () => (await seen()).ended, PLAYER_MS).catch(
    async (error: unknown) => {
      const { jumps: _, ...facts } = await seen();
      throw new Error(JSON.stringify(facts), { cause: error });
    },
  );
  const facts = await seen();
  // The hole is met ahead of its time, then stepped over. A stall may also be a busy machine's.
  expect(facts.errors.map(({ details }) => details)).toContain('fragGap');
  for (const { details, at } of facts.errors) {
    expect(['fragGap', 'bufferStalledError', 'bufferSeekOverHole']).toContain(details);
    if (details !== 'bufferSeekOverHole') continue;
    expect(Math.abs(at - HOLE * SEGMENT_S)).toBeLessThan(MAX_STEP_S);
  }
  expect(facts.errors.filter(({ fatal }) => fatal)).toEqual([]);
  expect(facts.failedDeltas).toBe(0);
  // Never back, and never further than over the hole.
  expect(Math.min(...facts.jumps)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...facts.jumps)).toBeLessThan(MAX_STEP_S);
}

it('plays the whole and the window by delta updates while they grow, over a hole and a takeover, and the final one', async () => {
  const id = 'played';
  const originMs = boundaryAtOrBefore(Date.now()) - BEGUN * SEGMENT_MS;
  // It ends where it ends, so that nothing behind its end is overdue, however long the test takes.
  const stopRequestedAtMs = originMs + SEGMENTS * SEGMENT_MS;
  await addRecording(api, id, { originMs, stopRequestedAtMs });
  for (let n = 0; n < BEGUN; n++) await publish(id, n);
  const links = async (): Promise<Record<string, string>> =>
    (await api.json('GET', `/v1/recordings/${id}`)).body.links as Record<string, string>;
  const { playlist = '', live = '' } = await links();
  const page = await browser.newPage();
  await page.goto(pageUrl);
  const players = [await startPlayer(page, playlist, -1), await startPlayer(page, live, -1)];
  for (let n = BEGUN; n < SEGMENTS; n += 2) {
    // Two at a time: players ask each 2 s, and must not run dry.
    await publish(id, n);
    await publish(id, n + 1);
    const counts = players.map(({ deltas }) => deltas.length);
    await waitUntil(
      'both players ask what has changed',
      () => players.every(({ deltas }, i) => deltas.length > (counts[i] ?? 0)),
      PLAYER_MS,
    );
    const isNear = async (player: Player): Promise<boolean> =>
      (n + 2) * SEGMENT_S - (await player.seen()).at <= NEAR_END_S;
    await waitUntil(
      'both players follow',
      async () => (await Promise.all(players.map(isNear))).every(Boolean),
      PLAYER_MS,
    );
  }
  await api.services.recordings.update(id, (r) => ({ ...r, state: 'completed' }));
  for (const player of players) {
    await expectPlayed(player);
    expect(player.deltas.some((text) => text.includes('#EXT-X-SKIP:'))).toBe(true);
    expect(player.deltas.at(-1)).toContain('#EXT-X-ENDLIST');
  }
  const { final = '' } = await links();
  await expectPlayed(await startPlayer(page, final, (HOLE - 4) * SEGMENT_S));
});
