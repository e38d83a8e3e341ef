import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ShownClass } from '../../recorder/class/shown-class.ts';
import type { Box } from '../../recorder/classroom/layout/box.ts';
import type { GeometryEvent } from '../../recorder/classroom/layout/geometry-log.ts';
import type { ClassroomState } from '../../recorder/classroom/state.ts';
import { CAST } from '../../src/demo/cast.ts';
import { startDemoClassroom, type DemoClassroom } from '../../src/demo/classroom.ts';
import { joinClass, type ScriptedParticipant } from '../../src/demo/participant.ts';
import { Resources } from '../../src/lifecycle.ts';
import { createLog } from '../../src/log.ts';
import type { LayoutChoice } from '../../src/model/layout.ts';
import type { ClassroomSource } from '../../src/model/recording.ts';
import { SERVER_EXAMPLES } from '../../src/protocol/signalling-examples.ts';
import { launchTestBrowser, type Page } from '../support/browser.ts';
import {
  exchange,
  readPictures,
  shareOfOtherCells,
  type CellPicture,
} from '../support/layouts/compare-pictures.ts';
import { drawLayouts, SHAPES, type LayoutPicture } from '../support/layouts/draw-layouts.ts';
import { openSyntheticClass } from '../support/layouts/synthetic-class.ts';
import { servePages } from '../support/page-server.ts';
import { hostileTexts } from '../support/signalling-fuzz.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

/** A message on loopback shows at once; a machine with all cores busy takes this long. */
const wait = { timeout: 8000, interval: 50 };
/** "Comes back within 2 s of its return": from the restart's first served picture, with one poll of the page. */
const MAX_RETURN_MS = 2000 + 50;
/** Who is large, or would be. */
const LEAD = `document.querySelector('.tile.is-lead .tile-name')?.textContent`;
/** Small pictures of each layout, drawn by test/support/layouts/run-draw-references.ts. */
const REFERENCES = path.resolve(import.meta.dirname, '../fixtures/layouts');
/** A cell is 16 pixels of the page: JPEG and the edges of letters move its mean colour by less than this of 255, another face by more. */
const OTHER_COLOUR = 32;
/** Of a part's cells: letters of another font. The face and name of another participant change twice as many of a tile's. */
const MAX_OTHER = 0.06;
/** In a narrower tile a face is too few cells to be told from another. */
const MIN_SWAPPED_WIDTH = 160;
const silent = createLog('test', 'silent');
/** Fewer in a second than those for which the page gives a connection up. */
const FUZZ_MESSAGES = 10_000;
const FUZZ_AT_ONCE = 500;
const FUZZ_PAUSE_MS = 150;
const resources = new Resources();

let demo: DemoClassroom;
let page: Page;
let guest: ScriptedParticipant;
let urlOf: (classroom: ClassroomSource) => string;

beforeAll(async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'chalkreel-classroom-'));
  resources.defer(() => rm(dataDir, { recursive: true, force: true }));
  const pages = resources.use(
    await servePages(await buildClassroomPage(path.join(dataDir, 'pages'))),
  );
  demo = resources.use(
    await startDemoClassroom({ dataDir, log: createLog('test', 'silent'), script: false }),
  );
  const browser = await launchTestBrowser();
  resources.defer(() => browser.close());
  page = await browser.newPage();
  await page.evaluateOnNewDocument(RECORDER_SIDE);
  urlOf = (classroom) => {
    const fragment = Buffer.from(JSON.stringify(classroom)).toString('base64url');
    return `${pages.url}/recorder/classroom/index.html#${fragment}`;
  };
  await page.goto(urlOf(demo.classroom));
  await vi.waitFor(async () => {
    expect(await calls('ready')).toHaveLength(1);
  }, wait);
  const { signallingUrl, whiteboardUrl = '' } = demo.classroom;
  const { look } = CAST[0];
  const self = { participantId: 'guest', name: '客人 <b>Guest</b>', role: 'teacher' } as const;
  const urls = { signallingUrl, whiteboardUrl };
  guest = resources.use(await joinClass({ ...self, toneHz: 0, look }, urls));
});

afterAll(() => resources.close());

/** What a recorder would put into the page: keeps every call, and the sockets. */
const RECORDER_SIDE = `
  window.calls = [];
  const keep = (name) => (...args) => { window.calls.push({ name, args }); };
  window.chalkreel = Object.fromEntries(
    ['ready', 'end', 'highlight', 'event', 'beacon'].map((name) => [name, keep(name)]),
  );
  window.sockets = [];
  window.WebSocket = class extends WebSocket {
    constructor(...args) { super(...args); window.sockets.push(this); }
  };`;

async function buildClassroomPage(
  outDir: string,
): Promise<Record<string, { type: string; body: Uint8Array }>> {
  const root = path.resolve(import.meta.dirname, '../..');
  const input = path.join(root, 'recorder/classroom/index.html');
  await build({
    configFile: false,
    root,
    base: './',
    publicDir: false,
    logLevel: 'error',
    build: { outDir, target: 'chrome120', minify: false, rolldownOptions: { input } },
  });
  const types: Record<string, string> = {
    html: 'text/html',
    css: 'text/css',
    js: 'text/javascript',
  };
  const files = await readdir(outDir, { recursive: true, withFileTypes: true });
  const served = files
    .filter((file) => file.isFile())
    .map(async (file) => {
      const full = path.join(file.parentPath, file.name);
      const type = types[path.extname(full).slice(1)] ?? 'application/octet-stream';
      return [`/${path.relative(outDir, full)}`, { type, body: await readFile(full) }] as const;
    });
  return Object.fromEntries(await Promise.all(served));
}

const state = async (): Promise<ClassroomState> =>
  (await page.evaluate('window.classroomState()')) as ClassroomState;
const calls = async (name: string): Promise<unknown[][]> =>
  (await page.evaluate(
    `window.calls.filter((call) => call.name === '${name}').map((call) => call.args)`,
  )) as unknown[][];
const shownText = async (): Promise<string> =>
  (await page.evaluate('document.body.innerText')) as string;

describe('classroom page', () => {
  it('plays all four streams with sound, and keeps playing', async () => {
    const before = await state();
    expect(before.tiles.map(({ state: tile }) => tile)).toEqual(Array(4).fill('playing'));
    await vi.waitFor(async () => {
      const now = await state();
      for (const [i, tile] of now.tiles.entries()) {
        expect(tile.currentTime).toBeGreaterThan((before.tiles[i]?.currentTime ?? 0) + 1);
        expect(tile.decodedFrames).toBeGreaterThan((before.tiles[i]?.decodedFrames ?? 0) + 10);
      }
    }, wait);
    const muted = await page.evaluate(
      `[...document.querySelectorAll('video')].map((video) => video.muted || video.volume === 0)`,
    );
    expect(muted).toEqual(Array(4).fill(false));
  });

  it('shows chat in Chinese as text, never as markup', async () => {
    guest.say({ type: 'chat', text: '同学们好，<img src=x onerror=alert(1)> 🎉' });
    await vi.waitFor(async () => {
      const text = await shownText();
      expect(text).toContain('同学们好，<img src=x onerror=alert(1)> 🎉');
      expect(text).toContain('客人 <b>Guest</b>');
    }, wait);
    expect(await page.evaluate(`document.querySelectorAll('img, b').length`)).toBe(0);
  });

  it('says that the class is being recorded while it is', async () => {
    expect(await shownText()).not.toContain('录制中');
    for (const [told, isSaid] of [
      ['started', true],
      ['stopped', false],
    ] as const) {
      await page.evaluate(`window.chalkreelRecording('${told}')`);
      await vi.waitFor(async () => {
        expect((await shownText()).includes('录制中')).toBe(isSaid);
      }, wait);
    }
  });

  it('marks raised hands and the spotlight, and follows the layout with all streams in sight', async () => {
    guest.say({ type: 'spotlight', participantId: 'student-chen' });
    const marked = `document.querySelector('.tile.is-spotlit .tile-name')?.textContent`;
    await vi.waitFor(async () => {
      expect(await page.evaluate(marked)).toBe('陈雨桐 Yutong');
    }, wait);
    for (const layout of ['spotlight', 'gallery', 'dual-teacher', 'small-class'] as const) {
      guest.say({ type: 'layout', layout });
      await vi.waitFor(async () => {
        expect((await state()).layout).toBe(layout);
      }, wait);
      for (const { box, isShown } of (await state()).tiles) {
        expect(isShown).toBe(true);
        expect(box.width / box.height).toBeCloseTo(16 / 9, 1);
        expect(box.x).toBeGreaterThanOrEqual(0);
        expect(box.x + box.width).toBeLessThanOrEqual(1280);
        expect(box.y + box.height).toBeLessThanOrEqual(720);
      }
    }
    guest.say({ type: 'raise-hand', raised: true });
    await vi.waitFor(async () => {
      expect(await shownText()).toContain('✋ 1 人举手');
    }, wait);
  });

  it('is arranged as the platform asks, whatever signalling says, until it is given back', async () => {
    const asked = new ShownClass({ kind: 'classroom', classroom: demo.classroom }, silent);
    asked.shownBy(page);
    const ask = (choice: LayoutChoice): void => {
      asked.change({ kind: 'classroom', classroom: { ...demo.classroom, ...choice } });
    };
    const toldGeometries = async (): Promise<readonly GeometryEvent[]> => {
      const events = (await calls('event')).flat() as { readonly type: string }[];
      return events.filter((event): event is GeometryEvent => event.type === 'geometry');
    };
    const shown = async (): Promise<readonly unknown[]> => {
      const { layout, view } = await state();
      return [layout, view, await page.evaluate(LEAD)];
    };
    guest.say({ type: 'spotlight', participantId: 'student-chen' });
    ask({ layout: 'spotlight', focus: 'student-zhao' });
    // What is not shown for a quarter of a second need not be told.
    await vi.waitFor(async () => {
      expect(await shown()).toEqual(['spotlight', 'audience', '赵安琪 Angel']);
      expect((await toldGeometries()).at(-1)?.layout).toBe('spotlight');
    }, wait);
    guest.say({ type: 'layout', layout: 'gallery' });
    guest.say({ type: 'chat', text: '看这里' });
    await vi.waitFor(async () => {
      expect(await shownText()).toContain('看这里');
    }, wait);
    expect(await shown()).toEqual(['spotlight', 'audience', '赵安琪 Angel']);
    ask({ view: 'teacher' });
    await vi.waitFor(async () => {
      expect(await shown()).toEqual(['gallery', 'teacher', '陈雨桐 Yutong']);
    }, wait);
    guest.say({ type: 'layout', layout: 'small-class' });
    ask({});
    const settled = ['small-class', 'audience', '陈雨桐 Yutong'];
    await vi.waitFor(async () => {
      expect(await shown()).toEqual(settled);
    }, wait);
    await vi.waitFor(async () => {
      const last = (await toldGeometries()).at(-1);
      expect([last?.layout, last?.view]).toEqual(settled.slice(0, 2));
      const boxes = (await state()).tiles.map(({ box }) => [box.x, box.y, box.width, box.height]);
      expect(last?.tiles.map(({ box }) => box)).toEqual(boxes);
    }, wait);
  });

  it('says so when a camera dies, and plays it again within 2 s of its return', async () => {
    await demo.killCamera(3);
    await vi.waitFor(async () => {
      expect((await state()).tiles[3]?.state).toBe('reconnecting');
    }, wait);
    expect(await shownText()).toContain('No picture — reconnecting');
    expect((await state()).tiles.slice(0, 3).map((tile) => tile.state)).toEqual(
      Array(3).fill('playing'),
    );
    await demo.restartCamera(3);
    await fetch(demo.classroom.sources[3]?.url ?? ''); // answered when the camera has its first picture
    const returnedAtMs = performance.now();
    await vi.waitFor(async () => {
      expect((await state()).tiles[3]?.state).toBe('playing');
    }, wait);
    expect(performance.now() - returnedAtMs).toBeLessThan(MAX_RETURN_MS);
    expect(await shownText()).not.toContain('No picture');
  });

  it('comes back to the class when signalling was lost', async () => {
    await page.evaluate(`window.sockets.find(({ url }) => url.includes('/signalling/')).close()`);
    // While nobody listens: the snapshot tells of it.
    const missed = await demo.triggerHighlight({ title: '错过了' });
    guest.say({ type: 'reward', rewardId: 'missed', participantId: CAST[1].participantId });
    await vi.waitFor(async () => {
      const events = (await calls('event')).flat() as { type: string; state: string }[];
      const states = events.filter(({ type }) => type === 'signalling').map((event) => event.state);
      expect(states).toEqual(['open', 'reconnecting', 'open']);
    }, wait);
    expect(await calls('highlight')).toContainEqual([expect.objectContaining(missed)]);
    const missedReward = expect.objectContaining({ type: 'reward', eventId: 'missed' }) as unknown;
    expect((await calls('event')).flat()).toContainEqual(missedReward);
    guest.say({ type: 'chat', text: '还在吗？' });
    await vi.waitFor(async () => {
      expect(await shownText()).toContain('还在吗？');
    }, wait);
  });

  it('tells the recorder of moments saved and of the end of the class', async () => {
    const { triggerId } = await demo.triggerHighlight({ title: '证明', beforeMs: 9000 });
    const beforeMs = 9000;
    const { participantId } = CAST[1];
    guest.say({ type: 'reward', rewardId: 'star', participantId, title: '⭐' });
    guest.say({ type: 'spotlight', participantId });
    guest.say({ type: 'spotlight', participantId: null });
    await vi.waitFor(async () => {
      const events = (await calls('event')).flat() as Record<string, unknown>[];
      const star = { type: 'reward', eventId: 'star', participantId, title: '⭐' };
      expect(events).toContainEqual(expect.objectContaining(star));
      const lit = events.filter(({ type }) => type === 'spotlight');
      // That it went out again is nobody's moment.
      expect(lit.at(-1)).toMatchObject({ participantId, eventId: expect.any(String) as string });
    }, wait);
    await vi.waitFor(async () => {
      const trigger = { triggerId, title: '证明', beforeMs, requestedBy: CAST[0].name };
      expect(await calls('highlight')).toContainEqual([expect.objectContaining(trigger)]);
    }, wait);
    demo.endClass('bell');
    await vi.waitFor(async () => {
      expect(await calls('end')).toEqual([['class-end']]);
    }, wait);
    // It is drawn with the next frame.
    await vi.waitFor(async () => {
      expect(await shownText()).toContain('已下课');
    }, wait);
    const beacon = (await calls('beacon')).at(-1)?.[0] as { sources: unknown[] };
    expect(beacon.sources).toHaveLength(4);
  });

  it('stays what it is under ten thousand random and mutated messages', async () => {
    const errors: unknown[] = [];
    page.on('pageerror', (error) => errors.push(error));
    // Whatever could only come from a message's text; the whiteboard draws pictures of its own.
    const strange = `[...document.querySelectorAll('script, iframe, img, svg, b, i > *, [onerror], [onload]')]
      .filter((found) => found.closest('.excalidraw') === null && !document.head.contains(found))
      .map((found) => found.outerHTML)`;
    const before = await page.evaluate(strange);
    // Streams are fetched from where a message says, and nothing is to be fetched from elsewhere here.
    const harmless = SERVER_EXAMPLES.filter(({ message }) => message.type !== 'sources');
    const texts = fc.sample(hostileTexts(harmless.map(({ message }) => message)), FUZZ_MESSAGES);
    for (let from = 0; from < texts.length; from += FUZZ_AT_ONCE) {
      const some = JSON.stringify(texts.slice(from, from + FUZZ_AT_ONCE));
      await page.evaluate(`(async () => {
        const socket = window.sockets.findLast(({ url }) => url.includes('/signalling/'));
        for (const data of ${some}) socket.dispatchEvent(new MessageEvent('message', { data }));
        await new Promise((resolve) => setTimeout(resolve, ${FUZZ_PAUSE_MS}));
      })()`);
    }
    const { roster, chat, ignored } = await state();
    expect(ignored.malformed).toBeGreaterThan(FUZZ_MESSAGES / 100);
    expect(ignored.unknown).toBeGreaterThan(FUZZ_MESSAGES / 1000);
    expect(roster.length).toBeLessThanOrEqual(5000);
    expect(chat.length).toBeLessThanOrEqual(60);
    expect(await page.evaluate(strange)).toEqual(before);
    expect(await page.evaluate('window.pwned')).toBeUndefined();
    expect(errors).toEqual([]);
    // And it goes on: the class is there again as it is.
    await page.evaluate(
      `window.sockets.findLast(({ url }) => url.includes('/signalling/')).close()`,
    );
    guest.say({ type: 'chat', text: '还好吗？' });
    await vi.waitFor(async () => {
      expect(await shownText()).toContain('还好吗？');
      expect((await state()).roster.map(({ name }) => name)).toContain('客人 <b>Guest</b>');
    }, wait);
  });

  it('looks as it did, in every layout, on its side and upright', async () => {
    // its streams take time from the drawing
    await page.goto('about:blank');
    const still = resources.use(await openSyntheticClass());
    const url = urlOf(still.classroom);
    const pictures = await drawLayouts(page.browser(), { classroom: still.classroom, url });
    const folder = resources.use(await makeTempFolder('layouts')).path;
    const nameOf = ({ layout, shape }: LayoutPicture): string => `${layout}-${shape}.jpg`;
    for (const one of pictures) await writeFile(path.join(folder, nameOf(one)), one.jpeg);
    let swaps = 0;
    for (const shape of ['landscape', 'portrait'] as const) {
      const now = await readPictures(folder, `-${shape}.jpg`, SHAPES[shape]);
      const before = await readPictures(REFERENCES, `-${shape}.jpg`, SHAPES[shape]);
      expect([...before.keys()]).toEqual([...now.keys()]);
      for (const picture of pictures.filter((one) => one.shape === shape)) {
        const name = nameOf(picture);
        const compare = (drawn: CellPicture | undefined, part: Box): number =>
          shareOfOtherCells(drawn!, before.get(name)!, part, OTHER_COLOUR);
        for (const part of picture.parts) {
          expect(compare(now.get(name), part), `${name}: ${part.what}`).toBeLessThan(MAX_OTHER);
        }
        // two students who swapped places would be seen
        const [a, b] = picture.parts.filter(({ what }) => /王|נועה/.test(what));
        if (a === undefined || b?.width !== a.width || a.width < MIN_SWAPPED_WIDTH) continue;
        swaps += 1;
        const swapped = exchange(now.get(name)!, a, b);
        expect(compare(swapped, a), `${name}, swapped`).toBeGreaterThan(MAX_OTHER);
      }
    }
    expect(swaps).toBeGreaterThan(3);
  });
});
