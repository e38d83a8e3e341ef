import { afterAll, beforeAll, expect, it } from 'vitest';
import { Resources } from '../../../src/lifecycle.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { downloadBy, openWebPage, PAGE_MS, type WebPage } from '../../support/web-page.ts';
import type { Lesson } from '../../support/web-lesson.ts';
import { openWebWorld, type WebWorld } from '../../support/web-world.ts';

/** Markup, a replacement pattern, right-to-left script and an emoji: all of it is only text. */
const TITLE = `精彩 مرحبا 🎉 $& <img src=x onerror="document.title='hacked'">`;
const CLASS = 'Maths 8b </script><script>document.title = "hacked"</script>';
/** A player's clock at the end of a clip, against its length: a picture of the lesson (0.1 s) and a frame of sound. */
const END_TOLERANCE_S = 0.15;
const ALL_RIGHTS = { rights: ['play', 'download', 'favourite'], viewer: 'parent-7' };

const resources = new Resources();
let world: WebWorld;
let lesson: Lesson;
/** A clip that is made. */
let made: string;

beforeAll(async () => {
  world = resources.use(await openWebWorld({ segments: 80 }));
  lesson = await world.beginLesson({ id: 'shared', title: CLASS, ageMs: 16_000 });
  lesson.run();
  const atMs = lesson.originMs + 8000;
  made = await lesson.trigger({ atMs, beforeMs: 2500, afterMs: 500, title: 'Made' });
});
afterAll(() => resources.close());

/** Plays from the start, and says where the player's clock stood at the end. */
async function playToTheEnd(opened: WebPage): Promise<number> {
  await opened.evaluate(`void (window.endedAt = undefined, document.querySelector('video')
    .addEventListener('ended', (event) => { window.endedAt = event.target.currentTime }, { once: true, capture: true }))`);
  await opened.press('#play');
  await opened.until('it has ended', 'window.endedAt !== undefined');
  return opened.evaluate('window.endedAt');
}

it('plays a clip that is still growing, then from its file, and lets it be kept, liked and passed on', async () => {
  const id = await lesson.trigger({ beforeMs: 3000, afterMs: 3000, title: TITLE });
  const share = await world.share({ highlightId: id, ...ALL_RIGHTS });
  const opened = await openWebPage(world.browser, share.url);
  const { page } = opened;

  await opened.until('it can be played', `!document.getElementById('play').hidden`);
  expect(await opened.text('#title')).toBe(TITLE);
  expect(await opened.text('#class-title')).toBe(CLASS);
  expect(await opened.evaluate('document.title')).toBe(`${TITLE} · ${CLASS}`);
  expect(await opened.text('#download')).toContain('Making the file');
  expect((await opened.video()).source).toMatch(/^blob:/);
  expect(await playToTheEnd(opened)).toBeGreaterThan(6);

  await opened.until('there is a file', `document.getElementById('download').href !== ''`);
  await opened.until('the file is what is played', `video.currentSrc.includes('clip.mp4')`);
  await page.reload();
  await opened.until('it can be played', `!document.getElementById('play').hidden`);
  expect(Math.abs((await playToTheEnd(opened)) - 6)).toBeLessThan(END_TOLERANCE_S);
  const { duration, width } = await opened.video();
  expect({ duration, width }).toEqual({ duration: 6, width: 640 });

  const { name, bytes } = await downloadBy(opened, '#download');
  const { clip } = await world.api.services.highlights.get(id);
  expect(bytes.equals(await world.api.services.store.read(clip?.mp4.object ?? ''))).toBe(true);
  expect(name).toContain('精彩 مرحبا 🎉');

  await opened.press('#favourite');
  const isLiked = `document.getElementById('favourite').ariaPressed`;
  expect(await opened.evaluate(isLiked)).toBe('true');
  await waitUntil('it is kept', async () => (await favouritesOf(id)).has(id), PAGE_MS);
  await page.reload();
  await opened.until('it is remembered', `${isLiked} === 'true'`);
  await opened.press('#favourite');
  await waitUntil('it is forgotten', async () => !(await favouritesOf(id)).has(id), PAGE_MS);
  expect(await opened.evaluate(isLiked)).toBe('false');

  const passedOn = await passOn(opened);
  // Who gets it may watch, and is not the one who passed it on.
  expect(passedOn).not.toBe(share.url);
  const other = await openWebPage(world.browser, passedOn, { device: 'desktop' });
  await other.until('the other sees it', `!document.getElementById('play').hidden`);
  expect(await other.isShown('#favourite')).toBe(false);
  expect(await opened.evaluate('document.documentElement.scrollWidth')).toBe(390);
  expect([...opened.complaints, ...other.complaints]).toEqual([]);
  await Promise.all([page.close(), other.page.close()]);
});

async function favouritesOf(id: string): Promise<ReadonlySet<string>> {
  return world.api.services.favourites.findOf(ALL_RIGHTS.viewer, [id]);
}

/** Presses Share, and reads the clipboard. */
async function passOn(opened: WebPage): Promise<string> {
  await world.browser
    .defaultBrowserContext()
    .setPermission(
      world.api.url,
      { permission: { name: 'clipboard-read' }, state: 'granted' },
      { permission: { name: 'clipboard-write' }, state: 'granted' },
    );
  await opened.page.bringToFront();
  await opened.press('#pass-on');
  await opened.until(
    'it says so',
    `document.getElementById('toast')?.textContent === 'Link copied'`,
  );
  return opened.evaluate('navigator.clipboard.readText()');
}

it('shows messengers what it is, and search engines nothing', async () => {
  await lesson.untilClip(made);
  const title = `Made "of" <b>$& ' text`;
  await world.api.json('PATCH', `/v1/highlights/${made}`, { title });
  const { url } = await world.share({ highlightId: made });
  const response = await fetch(url);
  expect(response.headers.get('X-Robots-Tag')).toBe('noindex');
  expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'none'");
  const opened = await openWebPage(world.browser, url, { device: 'desktop' });
  const tags = await opened.evaluate<Record<string, string>>(
    `Object.fromEntries([...document.querySelectorAll('meta[content]')].map((tag) =>
      [tag.getAttribute('property') ?? tag.name, tag.content]))`,
  );
  expect(tags).toMatchObject({
    robots: 'noindex',
    'og:title': title,
    'og:type': 'video.other',
    'og:url': url,
    'og:description': `A moment of 3 s from ${CLASS}`,
    'og:video:type': 'video/mp4',
    'og:image:width': '640',
    'twitter:card': 'summary_large_image',
    'twitter:title': title,
  });
  const types = await Promise.all(
    [tags['og:image'], tags['og:video'], tags['twitter:image']].map(async (target = '') => {
      const answer = await fetch(target);
      await answer.body?.cancel();
      return answer.headers.get('Content-Type');
    }),
  );
  expect(types).toEqual(['image/jpeg', 'video/mp4', 'image/jpeg']);
  expect(await opened.isShown('#download')).toBe(false);
  await opened.page.close();
});

it('says what is wrong with a link, to people and to programs', async () => {
  const old = await world.share({ highlightId: made, expiresInS: 1 });
  const watch = await world.share({ highlightId: made });
  const other = await lesson.trigger({ atMs: lesson.originMs + 5000, beforeMs: 1000, afterMs: 0 });
  await lesson.untilClip(other);
  const { body } = await world.api.json('GET', `/v1/highlights/${other}`);
  const { share: gone } = body.links as { share: string };
  const withdrawn = await world.share({ highlightId: other });
  await world.api.request(`/v1/highlights/${other}`, { method: 'DELETE' });
  await waitUntil('it expires', async () => (await fetch(old.url)).status === 410, PAGE_MS);
  const cases = [
    { url: watch.url.slice(0, -3), status: 403, says: 'not valid' },
    { url: watch.url.replace(/\?.*/, ''), status: 403, says: 'not valid' },
    { url: watch.url.replace(made, 'another'), status: 403, says: 'not valid' },
    { url: old.url, status: 410, says: 'expired' },
    { url: gone, status: 404, says: 'deleted' },
    { url: withdrawn.url, status: 410, says: 'taken back' },
  ];
  for (const { url, status, says } of cases) {
    expect((await fetch(url)).status).toBe(status);
    const opened = await openWebPage(world.browser, url);
    await opened.until('it says why', `document.getElementById('refusal') !== null`);
    expect(await opened.text('#refusal')).toContain(says);
    await opened.page.close();
  }
});

it('stops showing a clip whose link is taken back', async () => {
  const { id, url } = await world.share({ highlightId: made });
  const opened = await openWebPage(world.browser, url);
  await opened.until('it can be played', `!document.getElementById('play').hidden`);
  const { status } = await world.api.request(`/v1/shares/${id}`, { method: 'DELETE' });
  expect(status).toBe(204);
  // A phone that comes back into the net asks at once.
  await opened.page.setOfflineMode(true);
  await opened.page.setOfflineMode(false);
  await opened.until('it says so', `document.getElementById('refusal') !== null`);
  expect(await opened.text('#refusal')).toContain('taken back');
  await opened.page.close();
});

it('still plays a clip whose file could not be made, and says so', async () => {
  const atMs = lesson.originMs + 8000;
  const id = await lesson.trigger({ atMs, beforeMs: 1600, afterMs: 0 });
  await lesson.untilClip(id);
  await world.api.services.highlights.update(id, (highlight) => ({
    ...highlight,
    ...{ state: 'failed', reason: 'storage-full', clip: null },
  }));
  const { url } = await world.share({ highlightId: id, ...ALL_RIGHTS });
  const opened = await openWebPage(world.browser, url);
  await opened.until('it can be played', `!document.getElementById('play').hidden`);
  expect(await opened.text('#title')).toBe('Saved moment');
  expect(await opened.text('#state')).toContain('could not be made');
  expect(await opened.isShown('#download')).toBe(false);
  expect(await playToTheEnd(opened)).toBeGreaterThan(1.6 - END_TOLERANCE_S);
  await opened.page.close();
});
