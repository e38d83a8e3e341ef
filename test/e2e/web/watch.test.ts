import { afterAll, beforeAll, expect, it } from 'vitest';
import { Resources } from '../../../src/lifecycle.ts';
import { sampleRecording } from '../../support/sample-records.ts';
import { LESSON_SETTINGS } from '../../support/web-lesson.ts';
import { downloadBy, openWebPage } from '../../support/web-page.ts';
import { openWebWorld, type WebWorld } from '../../support/web-world.ts';

/** So that the first highlight lies further back than the 15 s from which on the page offers a way back to live. */
const AGE_MS = 24_000;
/** A picture of the lesson lasts 0.1 s; what is sought to is shown from the picture before. */
const PICTURE_S = 0.15;

const resources = new Resources();
let world: WebWorld;

beforeAll(async () => {
  world = resources.use(await openWebWorld({ segments: 60 }));
});
afterAll(() => resources.close());

async function watchUrlOf(id: string): Promise<string> {
  const { body } = await world.api.json('GET', `/v1/recordings/${id}`);
  return String((body.links as Record<string, unknown>).watch);
}

it('shows a class from before its beginning, live, and then the whole, with its highlights', async () => {
  const id = 'watched';
  const title = '数学课 · fractions <b>';
  const created = {
    id,
    state: 'starting',
    metadata: { title },
    settings: LESSON_SETTINGS,
  } as const;
  await world.api.services.recordings.create(sampleRecording(created));
  const opened = await openWebPage(world.browser, await watchUrlOf(id));
  await opened.until('it waits', `notice.textContent.includes('about to begin')`);
  expect(await opened.text('#title')).toBe(title);

  const lesson = await world.beginLesson({ id, ageMs: AGE_MS });
  lesson.run();
  await opened.until('it plays live', `video.videoWidth === 640 && video.currentTime > 1`);
  expect(await opened.text('#badge')).toBe('Live');
  // Joined near the newest picture, not at the start: three segments and one being fetched behind it, and two that came meanwhile.
  expect((await opened.video()).at).toBeGreaterThan(AGE_MS / 1000 - 6 * 1.6);

  await opened.press('#sound');
  await opened.until('it has sound, and offers it no more', `!video.muted && sound.hidden`);

  const atMs = lesson.originMs + 6000;
  const moment = await lesson.trigger({ atMs, beforeMs: 4000, afterMs: 1000, title: '精彩 <i>' });
  await opened.until('it is listed', `highlights.textContent.includes('精彩 <i>')`);

  const mark = `#timeline [data-highlight="${moment}"] button`;
  await opened.until('it is marked', `document.querySelector('${mark}')?.checkVisibility()`);
  await opened.press(mark);
  // The moment's window begins 2 s after the lesson.
  const isThere = `!video.seeking && video.currentTime >= 2 - ${PICTURE_S} && video.currentTime < 6`;
  await opened.until('the mark leads there', isThere);
  await opened.until('it says how to get back', `!document.getElementById('go-live').hidden`);
  await opened.press('#go-live');
  await opened.until('it is live again', `video.currentTime > 15`);

  const totalS = (await lesson.end()) / 1000;
  await opened.until('it is the whole', `badge.textContent === 'Recorded'`);
  await opened.until(
    'the whole can be played',
    `Math.abs(video.duration - ${totalS}) < ${PICTURE_S}`,
  );
  expect(await opened.isShown('#go-live')).toBe(false);
  await opened.until('the lesson can be had', `document.getElementById('download').href !== ''`);
  const { name, bytes } = await downloadBy(opened, '#download');
  const file = await world.api.request(`/v1/recordings/${id}/recording.mp4`);
  expect(bytes.equals(Buffer.from(await file.arrayBuffer()))).toBe(true);
  expect(name).toContain('数学课');

  await opened.press('#highlights button');
  await opened.until('the list leads there', isThere);

  await opened.evaluate('scrollTo(0, 0)');
  const { x, y, width, height } = await opened.box('#timeline');
  await opened.page.mouse.click(x + width * 0.75, y + height / 2);
  await opened.until(
    'the strip leads anywhere',
    `Math.abs(video.currentTime / video.duration - 0.75) < 0.1`,
  );
  expect(await opened.evaluate('document.documentElement.scrollWidth')).toBe(390);
  expect(opened.complaints).toEqual([]);
  await opened.page.close();
});

it('says that a link is not valid, to people and to programs', async () => {
  await world.api.services.recordings.create(sampleRecording({ id: 'closed' }));
  const url = `${world.api.url}/watch/closed?t=forged`;
  expect((await fetch(url)).status).toBe(403);
  const opened = await openWebPage(world.browser, url);
  await opened.until('it says so', `document.getElementById('refusal') !== null`);
  expect(await opened.text('#refusal')).toContain('not valid');
  await opened.page.close();
});
