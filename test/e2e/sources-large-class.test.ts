import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClassroomState, TileState } from '../../recorder/classroom/state.ts';
import { CAST } from '../../src/demo/cast.ts';
import { joinClass, type ScriptedParticipant } from '../../src/demo/participant.ts';
import { Resources } from '../../src/lifecycle.ts';
import type { StreamSource } from '../../src/model/recording.ts';
import { launchTestBrowser, type Page } from '../support/browser.ts';
import { serveBuiltPages } from '../support/built-pages.ts';
import { evaluate } from '../support/page-picture.ts';
import { PUPILS, startSfuClass } from '../support/sources/sfu-class.ts';
import { waitUntil } from '../support/wait-until.ts';

const CLASS_SIZE = 25;
/** Of a small class's layout. */
const SHOWN = 6;
/** Twenty-five connections at once on two cores that others use as well. */
const PATIENCE_MS = 60_000;

describe('a class of 25', () => {
  const resources = new Resources();
  let page: Page;
  let teacher: ScriptedParticipant;

  beforeAll(async () => {
    const room = resources.use(await startSfuClass());
    const sources = Array.from({ length: CLASS_SIZE }, (_, i): StreamSource => {
      const source = room.sourceOf(PUPILS[i % PUPILS.length]!.participantId);
      return { ...source, participantId: `p${i}`, name: `P${i}`, role: 'student' };
    });
    const classroom = room.describe(sources);
    const { signallingUrl, whiteboardUrl = '' } = classroom;
    teacher = resources.use(await joinClass(CAST[0], { signallingUrl, whiteboardUrl }));
    const pages = resources.use(await serveBuiltPages());
    const browser = await launchTestBrowser();
    resources.defer(() => browser.close());
    page = await browser.newPage();
    await page.goto(pages.classroomUrl(classroom));
  });
  afterAll(() => resources.close());

  const tiles = async (): Promise<readonly TileState[]> =>
    (await evaluate<ClassroomState>(page, 'window.classroomState()')).tiles;
  const tileOf = async (participantId: string): Promise<TileState> =>
    (await tiles()).find((tile) => tile.participantId === participantId)!;

  it('is heard as a whole; six are shown, and only their pictures are decoded', async () => {
    const playing = await waitUntil(
      'all play',
      async () => {
        const now = await tiles();
        return now.every(({ state }) => state === 'playing') && now;
      },
      PATIENCE_MS,
    );
    expect(playing).toHaveLength(CLASS_SIZE);
    expect(playing.filter(({ isShown }) => isShown)).toHaveLength(SHOWN);
    for (const { isShown, decodedFrames } of playing) {
      if (isShown) expect(decodedFrames).toBeGreaterThan(0);
      else expect(decodedFrames).toBe(0);
    }
    expect(await evaluate(page, `document.querySelectorAll('video').length`)).toBe(SHOWN);
    const more = `document.querySelector('.tiles').dataset.more`;
    expect(await evaluate(page, more)).toBe(`+${CLASS_SIZE - SHOWN}`);
  });

  it('shows who is put in the spotlight, and decodes no more for who made room', async () => {
    teacher.say({ type: 'spotlight', participantId: 'p20' });
    await waitUntil(
      'p20 has a picture',
      async () => {
        const { isShown, state, decodedFrames } = await tileOf('p20');
        return isShown && state === 'playing' && decodedFrames > 0;
      },
      PATIENCE_MS,
    );
    const shown = (await tiles()).filter(({ isShown }) => isShown);
    expect(shown).toHaveLength(SHOWN);
    await waitUntil(
      'the others have lost theirs',
      async () => (await evaluate(page, `document.querySelectorAll('video').length`)) === SHOWN,
      PATIENCE_MS,
    );
    await waitUntil(
      'whoever made room is heard on',
      async () => (await tiles()).every(({ state }) => state === 'playing'),
      PATIENCE_MS,
    );
  });
});
