import path from 'node:path';
import { Resources } from '../../src/lifecycle.ts';
import { barcodePage } from '../support/barcode-page.ts';
import {
  FORMATS,
  formatName,
  recordFormat,
  type Conformance,
  type Format,
} from '../support/conformance.ts';
import { servePages } from '../support/page-server.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { Measurement } from './measure.ts';
import type { Scenario } from './runner.ts';

/** Two segments are touched at least. */
const SECONDS = 2;

/** Records the barcode page in every format: rules broken are the measurement, slots filled are shown. */
export const conformanceBench: Scenario = {
  about: 'every size and rate: rules broken, level, pictures read back, slots filled',
  run: async () => {
    const resources = new Resources();
    try {
      const folder = resources.use(await makeTempFolder('conformance')).path;
      const pages = resources.use(await servePages({ '/barcode': barcodePage() }));
      const rows: Measurement[] = [];
      for (const format of FORMATS) {
        const name = formatName(format);
        const place = { url: `${pages.url}/barcode`, folder: path.join(folder, name) };
        rows.push(...toRows(format, await recordFormat(format, { ...place, seconds: SECONDS })));
      }
      return rows;
    } finally {
      await resources.close();
    }
  },
};

function toRows(format: Format, found: Conformance): Measurement[] {
  const { verified, sps, illegible, outOfOrder, freshShare } = found;
  const name = formatName(format);
  const { width, height, levelIdc } = format;
  const isAsAsked = sps.width === width && sps.height === height && sps.levelIdc === levelIdc;
  const faults = verified.violations.length + illegible + outOfOrder + (isAsAsked ? 0 : 1);
  return [
    { name: `faults-${name}`, unit: '', samples: [faults], bound: { is: '==', value: 0 } },
    { name: `slots-filled-${name}`, unit: '%', samples: [100 * freshShare] },
  ];
}
