import { afterAll, beforeAll, expect, it } from 'vitest';
import { Resources } from '../../../src/lifecycle.ts';
import type { Highlight } from '../../../src/model/highlight.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { openWebPage, PAGE_MS, type WebPage } from '../../support/web-page.ts';
import type { Lesson } from '../../support/web-lesson.ts';
import { openWebWorld, type WebWorld } from '../../support/web-world.ts';

/** A page in Chromium and the service go by one clock: the moment is when it was pressed, less the page's guess of its way there. */
const CLOCK_MS = 500;
/** A press shows at once, whatever the network does: sooner than any try to send it ends, on a machine busy with other tests. */
const AT_ONCE_MS = 1000;
const TITLE = 'عرض رائع <script>document.title = "hacked"</script> 🎉';

const resources = new Resources();
let world: WebWorld;

beforeAll(async () => {
  world = resources.use(await openWebWorld({ segments: 80 }));
});
afterAll(() => resources.close());

async function openPanel(
  id: string,
  options: Parameters<typeof openWebPage>[2] & { readonly rights?: readonly string[] } = {},
): Promise<{ lesson: Lesson; opened: WebPage; shareId: string }> {
  const { rights = ['play', 'download', 'trigger'] } = options;
  const lesson = await world.beginLesson({ id, title: `Class ${id}`, ageMs: 40_000 });
  lesson.run();
  const share = await world.share({ recordingId: id, rights });
  expect(share.url).toContain('/panel/');
  const opened = await openWebPage(world.browser, share.url, options);
  await opened.until('a moment can be saved', '!save.disabled');
  return { lesson, opened, shareId: share.id };
}

async function highlightsOf({ id }: Lesson): Promise<readonly Highlight[]> {
  return world.api.services.highlights.listByRecording(id);
}

/** Presses the button; how long it took until the card was there, ms by the page. */
async function press(opened: WebPage): Promise<number> {
  return opened.evaluate(`(() => {
    const before = performance.now();
    const cards = document.querySelectorAll('#moments > li').length;
    document.getElementById('save').click();
    return new Promise((resolve) => {
      const look = () => document.querySelectorAll('#moments > li').length > cards
        ? resolve(performance.now() - before)
        : requestAnimationFrame(look);
      look();
    });
  })()`);
}

it('saves a moment at a press, plays it where it is, renames it and passes it on', async () => {
  const { lesson, opened } = await openPanel('pressed');
  const { page } = opened;
  expect(await opened.text('#title')).toBe('Class pressed');
  expect(await opened.text('#badge')).toBe('Live');
  await opened.press('.spans label:nth-of-type(1)');
  expect(await opened.text('#save-span')).toBe('the last 15 seconds');
  await page.type('#moment-title', TITLE);
  const pressedAtMs = Date.now();
  await page.tap('#save');
  const tappedAtMs = Date.now();
  expect(await opened.text('#save-label')).toBe('Got it');
  await page.tap('#save');
  expect(await opened.text('#save-label')).toBe('Got it already');

  const [highlight, ...others] = await waitUntil(
    'the service has it',
    async () => {
      const found = await highlightsOf(lesson);
      return found.length > 0 && found;
    },
    PAGE_MS,
  );
  expect(others).toEqual([]);
  expect(highlight).toMatchObject({ beforeMs: 15_000, afterMs: 5000, title: TITLE });
  expect(highlight?.triggeredAtMs).toBeGreaterThan(pressedAtMs - CLOCK_MS);
  expect(highlight?.triggeredAtMs).toBeLessThan(tappedAtMs + CLOCK_MS);

  const card = `#moments [data-highlight="${highlight?.id ?? ''}"]`;
  await opened.until('it can be played', `document.querySelector('${card} .play:not([hidden])')`);
  expect(await opened.text(`${card} h3`)).toBe(TITLE);
  // Its window is still growing: there is no file yet.
  expect(await opened.text(`${card} .status`)).toContain('Ready to play');
  await page.tap(`${card} .play`);
  await opened.until('it plays', `document.querySelector('${card} video')?.currentTime > 0.5`);
  await opened.until(
    'its file is there',
    `document.querySelector('${card} a[href*="download=1"]')`,
  );
  // Still the same player: a list that changes disturbs nobody who watches.
  expect((await opened.video()).source).toMatch(/^blob:/);

  await page.tap(`${card} button[aria-label^="Rename"]`);
  await opened.evaluate(`document.activeElement.value = ''`);
  await page.keyboard.type('Proof by Ada');
  await page.keyboard.press('Enter');
  expect(await opened.text(`${card} h3`)).toBe('Proof by Ada');
  await waitUntil(
    'the service has the title',
    async () => (await highlightsOf(lesson))[0]?.title === 'Proof by Ada',
    PAGE_MS,
  );

  // What a phone's own sheet is given; Chromium has none here.
  await opened.evaluate(`void (navigator.share = async (link) => { window.passedOn = link })`);
  const share = `${card} button[aria-label="Share Proof by Ada"]`;
  await opened.until('the title is listed', `document.querySelector('${share}')`);
  await page.tap(share);
  await opened.until('the sheet was opened', 'window.passedOn?.title === "Proof by Ada"');
  const { status } = await fetch(await opened.evaluate<string>('window.passedOn.url'));
  expect(status).toBe(200);

  await lesson.end();
  await opened.until('it says that it is over', `badge.textContent === 'Over'`);
  // 15 s back there is still something to keep.
  expect(await opened.evaluate('save.disabled')).toBe(false);
  expect(await opened.evaluate('document.documentElement.scrollWidth')).toBe(390);
  expect(await opened.evaluate('document.title')).toContain('Class pressed');
  expect(opened.complaints).toEqual([]);
  await page.close();
});

it('keeps what is pressed without a connection, also over a reload, and sends it once', async () => {
  const { lesson, opened, shareId } = await openPanel('offline', { device: 'smallest' });
  const { page } = opened;
  await page.setOfflineMode(true);
  const pressedAtMs = Date.now();
  expect(await press(opened)).toBeLessThan(AT_ONCE_MS);
  const shownAtMs = Date.now();
  await opened.until('it says so', `moments.textContent.includes('no connection')`);
  await opened.until('the badge says so', `badge.textContent === 'Reconnecting'`);
  expect(await highlightsOf(lesson)).toEqual([]);
  expect(await opened.evaluate('save.disabled')).toBe(false);

  // The connection comes back, and answers are lost on the way: the service has the wish, and the phone does not know.
  const session = await page.createCDPSession();
  await session.send('Fetch.enable', {
    patterns: [{ urlPattern: '*/highlights', requestStage: 'Response' }],
  });
  let lost = 0;
  session.on('Fetch.requestPaused', ({ requestId, request }) => {
    const isLost = request.method === 'POST' && lost++ < 2;
    const answer = isLost
      ? session.send('Fetch.failRequest', { requestId, errorReason: 'ConnectionReset' })
      : session.send('Fetch.continueRequest', { requestId });
    answer.catch(() => undefined);
  });
  await page.setOfflineMode(false);
  await waitUntil('it was lost twice', () => lost >= 2, PAGE_MS);
  await page.reload();
  await opened.until('it is saved', `document.querySelector('#moments > [data-highlight]')`);
  const [highlight, ...others] = await highlightsOf(lesson);
  expect(others).toEqual([]);
  expect(highlight?.triggeredAtMs).toBeGreaterThan(pressedAtMs - CLOCK_MS);
  expect(highlight?.triggeredAtMs).toBeLessThan(shownAtMs + CLOCK_MS);
  expect(await opened.evaluate(`document.querySelectorAll('#moments > li').length`)).toBe(1);
  expect(await opened.evaluate('document.documentElement.scrollWidth')).toBe(320);

  // A link that is taken back: what was pressed meanwhile is not lost, and the next link brings it.
  await session.send('Fetch.disable');
  await page.setOfflineMode(true);
  await press(opened);
  await world.api.request(`/v1/shares/${shareId}`, { method: 'DELETE' });
  await page.setOfflineMode(false);
  await opened.until('it says why', `moments.textContent.includes('taken back')`);
  expect(await opened.evaluate('save.disabled')).toBe(true);
  const rights = ['play', 'trigger'];
  const renewed = await world.share({ recordingId: lesson.id, rights });
  await page.goto(renewed.url);
  await waitUntil('both are saved', async () => (await highlightsOf(lesson)).length === 2, PAGE_MS);
  await page.close();
});

it('can be used with a keyboard alone, and says what happens', async () => {
  const { lesson, opened } = await openPanel('keyboard', { device: 'desktop', dark: true });
  const { page } = opened;
  const tab = async (): Promise<string> => {
    await page.keyboard.press('Tab');
    return opened.evaluate(`document.activeElement.name || document.activeElement.id`);
  };
  expect(await tab()).toBe('before');
  await page.keyboard.press('ArrowRight');
  expect(await opened.text('#save-span')).toBe('the last 60 seconds');
  expect(await tab()).toBe('moment-title');
  await page.keyboard.type('By keyboard');
  expect(await tab()).toBe('save');
  await page.keyboard.press('Space');
  expect(await opened.text('#announce')).toMatch(/^Moment (taken|saved)$/);
  await opened.until('it is saved', `document.querySelector('#moments > [data-highlight]')`);
  expect(await highlightsOf(lesson)).toMatchObject([{ beforeMs: 60_000, title: 'By keyboard' }]);
  const unnamed = await opened.evaluate(`[...document.querySelectorAll('button, a, input')]
    .filter((one) => one.checkVisibility())
    .filter((one) => !(one.ariaLabel || one.textContent.trim() || one.labels?.length))
    .map((one) => one.outerHTML)`);
  expect(unnamed).toEqual([]);
  expect(opened.complaints).toEqual([]);
  await page.close();
});

it('opens for no link without the right to trigger', async () => {
  const { url } = await world.share({ recordingId: 'keyboard', rights: ['play'] });
  const panel = url.replace('/watch/', '/panel/');
  expect((await fetch(panel)).status).toBe(403);
  const opened = await openWebPage(world.browser, panel);
  expect(await opened.text('#refusal')).toContain('not valid');
  await opened.page.close();
});
