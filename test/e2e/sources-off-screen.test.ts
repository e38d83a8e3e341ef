import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClassroomState, TileState } from '../../recorder/classroom/state.ts';
import { RECORDED_PAGE_FEATURES } from '../../recorder/browser.ts';
import { Resources } from '../../src/lifecycle.ts';
import type { StreamSource } from '../../src/model/recording.ts';
import { launchTestBrowser, type Page } from '../support/browser.ts';
import { serveBuiltPages } from '../support/built-pages.ts';
import { evaluate } from '../support/page-picture.ts';
import { serveFilm } from '../support/sources/film-server.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

/** More than any layout shows, half of them files and half HLS by turns. */
const STREAMS = 16;
/** Of the film: so long after its first second every tile is looked at again. */
const SHOWN_S = 3;
const FPS = 15;
/** A track is deselected as soon as the page hears of it: meanwhile a decoder may have filled its queue, or more on a busy machine. */
const MAX_DECODED = 2 * FPS;
const PATIENCE_MS = 60_000;

describe('HLS and files of a large class', () => {
  const resources = new Resources();
  let page: Page;

  beforeAll(async () => {
    const folder = resources.use(await makeTempFolder('off-screen'));
    const film = resources.use(await serveFilm(folder.path));
    const sources = Array.from({ length: STREAMS }, (_, i): StreamSource => {
      const kind = i % 2 === 0 ? 'file' : 'hls';
      const url = kind === 'file' ? film.fileUrl : film.hlsUrl;
      return { participantId: `p${i}`, name: `P${i}`, role: 'student', kind, url };
    });
    const pages = resources.use(await serveBuiltPages());
    const browser = await launchTestBrowser([RECORDED_PAGE_FEATURES]);
    resources.defer(() => browser.close());
    page = await browser.newPage();
    const signallingUrl = 'ws://127.0.0.1:9/signalling';
    await page.goto(pages.classroomUrl({ title: '', signallingUrl, sources }));
  });
  afterAll(() => resources.close());

  it('play all, and decode the pictures of those that are shown, and no others', async () => {
    const haveAllPlayed = (fromS: readonly number[]): Promise<readonly TileState[]> =>
      waitUntil(
        'all have played on',
        async () => {
          const { tiles: now } = await evaluate<ClassroomState>(page, 'window.classroomState()');
          const isThere = ({ state, currentTime }: TileState, i: number): boolean =>
            state === 'playing' && currentTime > (fromS[i] ?? 1);
          return now.length === STREAMS && now.every(isThere) && now;
        },
        PATIENCE_MS,
      );
    const before = await haveAllPlayed([]);
    const after = await haveAllPlayed(before.map(({ currentTime }) => currentTime + SHOWN_S));
    expect(after.filter(({ isShown }) => !isShown).length).toBeGreaterThan(2);
    for (const [i, { decodedFrames, isShown, participantId }] of after.entries()) {
      const decoded = decodedFrames - (before[i]?.decodedFrames ?? 0);
      if (isShown) expect(decoded, participantId).toBeGreaterThan((SHOWN_S * FPS) / 2);
      else expect(decoded, participantId).toBe(0);
      if (!isShown) expect(decodedFrames, participantId).toBeLessThanOrEqual(MAX_DECODED);
    }
  });
});
