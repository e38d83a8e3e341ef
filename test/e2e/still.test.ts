import { stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Resources } from '../../src/lifecycle.ts';
import { verifyTarget } from '../../src/verify/verify.ts';
import { readKeySteps } from '../support/breathing.ts';
import { shootPage } from '../support/page-shot.ts';
import { servePages } from '../support/page-server.ts';
import { recordPage } from '../support/record-page.ts';
import { stillPage } from '../support/still-page.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

/** Launch, load, boundaries, five segments, and a decoder, on a machine busy with other tests. */
const RUN_MS = 60_000;
const SIZE = { width: 1280, height: 720 };
/** Four whole segments after the one in which the page appears. */
const SECONDS = 6.4;
/** A person sees no pulse in text below this; 1 dB is about the least that a trained eye finds in pictures side by side. */
const MAX_STEP_DB = 1.5;
/** Two pictures this alike differ by 1.4 levels of 255 in the mean: below what is seen from one picture to the next. */
const MIN_ALIKE_DB = 45;
/** A page that shows once what it has needs one key picture of up to 300 kB each 1.6 s, and sound: a third of 3 Mb/s. */
const MAX_SEGMENT_BYTES = 400_000;
/** A segment of nothing but fillers: the first slot, one each 200 ms, the last two. */
const STILL_PICTURES = 10;
/**
 * A page that drew more than four times while it loaded still counts as moving at the first key picture after that, which gets fewer bits:
 * 2.5 dB; a key picture that is given none of its own is 6 dB coarser.
 */
const MAX_FIRST_STEP_DB = 3.5;

const resources = new Resources();
afterAll(() => resources.close());

it(
  'records a still page of text without breathing, with no more pictures and bytes than it takes',
  async () => {
    const folder = resources.use(await makeTempFolder('still')).path;
    const pages = resources.use(await servePages({ '/still': stillPage() }));
    const url = `${pages.url}/still`;
    const pageFile = await shootPage(url, { ...SIZE, file: path.join(folder, 'page.png') });
    const recorded = await recordPage({ url, folder: path.join(folder, 'rec'), seconds: SECONDS });
    const { violations, summary } = await verifyTarget(recorded.playlist, {
      decode: true,
      fps: 30,
    });
    expect(violations).toEqual([]);

    const steps = await readKeySteps(recorded.segments, { ...SIZE, pageFile });
    expect(steps.length).toBeGreaterThanOrEqual(4);
    for (const { n, stepDb, alikeDb } of steps) {
      if (n === 1) {
        // It may be finer than what came before, when the page has just appeared.
        expect(stepDb, `segment ${n}`).toBeGreaterThan(-MAX_FIRST_STEP_DB);
        continue;
      }
      expect(stepDb, `segment ${n}`).toBeGreaterThan(-MAX_STEP_DB);
      expect(stepDb, `segment ${n}`).toBeLessThan(MAX_STEP_DB);
      expect(alikeDb, `segment ${n}`).toBeGreaterThan(MIN_ALIKE_DB);
    }
    // The first segment has the lead-in's pictures, the page's first and, on a busy machine, a few that it drew while loading.
    const most = recorded.segments.length * STILL_PICTURES + STILL_PICTURES;
    expect(summary.pictures).toBeLessThanOrEqual(most);
    for (const file of recorded.segments.slice(1)) {
      expect((await stat(file)).size).toBeLessThan(MAX_SEGMENT_BYTES);
    }
  },
  RUN_MS,
);
