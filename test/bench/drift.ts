import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Resources } from '../../src/lifecycle.ts';
import { servePages } from '../support/page-server.ts';
import { recordPage } from '../support/record-page.ts';
import { makeFlashAndBeepFilm } from '../support/synthetic.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { FILM_MARGIN_S, FILM_PAGE, measureSync } from './exact-sync.ts';
import type { Scenario } from './runner.ts';

/** How far sound and picture drift apart over a long film, by the slope of their offset. */
export const driftBench: Scenario = {
  about: 'drift between sound and picture in one long recording; --minutes 30',
  run: async (args) => {
    const { values } = parseArgs({ args: [...args], options: { minutes: { type: 'string' } } });
    const seconds = Number(values.minutes ?? '30') * 60;
    if (!(seconds >= 30)) throw new RangeError('--minutes: expected half a minute or more');
    const resources = new Resources();
    try {
      const folder = resources.use(await makeTempFolder('drift')).path;
      const film = path.join(folder, 'film.mp4');
      await makeFlashAndBeepFilm(film, { durationS: seconds + FILM_MARGIN_S, lossless: true });
      const pages = resources.use(
        await servePages({
          '/film': FILM_PAGE,
          '/film.mp4': { type: 'video/mp4', body: await readFile(film) },
        }),
      );
      const out = path.join(folder, 'out');
      // Clocks do not depend on the picture's size: a small one keeps the machine's load out of it.
      const args = ['--width', '640', '--height', '360'];
      const recorded = await recordPage({ url: `${pages.url}/film`, folder: out, seconds, args });
      // One flash a second, so the offsets' indices are seconds.
      const offsets = await measureSync(recorded);
      return [
        { name: 'av-offset', unit: 'ms', samples: offsets },
        {
          name: 'av-drift',
          unit: 'ms',
          samples: [Math.abs(slope(offsets) * offsets.length)],
          bound: { is: '<=', value: 5 },
        },
      ];
    } finally {
      await resources.close();
    }
  },
};

/** Of the line that lies nearest to the values by least squares, per value. */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const squares = values.reduce((sum, _, i) => sum + (i - middle) ** 2, 0);
  return values.reduce((sum, value, i) => sum + (i - middle) * value, 0) / squares;
}
