import path from 'node:path';
import { Resources } from '../../../src/lifecycle.ts';
import { barcodePage } from '../../support/barcode-page.ts';
import { servePages } from '../../support/page-server.ts';
import { recordPage, type RecordedPage } from '../../support/record-page.ts';
import { measurePictures } from '../exact-pictures.ts';
import type { Measurement } from '../measure.ts';
import type { Material } from './material.ts';
import { runProduct } from './product-run.ts';
import { CORES, FIXED_PROFILE } from './whole.ts';

const FPS = 30;
const RECORDINGS = 2;

/** Two live recordings while the batch has an encoder on every core: whether they miss anything, and how far the batch comes. */
export async function measureLiveBeside(options: {
  readonly material: Material;
  readonly folder: string;
  readonly seconds: number;
}): Promise<Measurement[]> {
  const { material, folder, seconds } = options;
  console.error(`live-beside-batch: ${RECORDINGS} recordings of ${seconds} s`);
  const resources = new Resources();
  try {
    const pages = resources.use(await servePages({ '/barcode': barcodePage({ fps: FPS }) }));
    const recordings: RecordedPage[] = [];
    const states: number[] = [];
    const run = await runProduct({
      material,
      profile: FIXED_PROFILE,
      workers: CORES,
      beside: async ({ workers }) => {
        const before = await Promise.all(workers.map((worker) => worker.cpuSeconds()));
        const names = Array.from({ length: RECORDINGS }, (_, i) => `live-${i}`);
        const url = `${pages.url}/barcode`;
        const record = (name: string): Promise<RecordedPage> =>
          recordPage({ url, folder: path.join(folder, name), seconds });
        recordings.push(...(await Promise.all(names.map(record))));
        const after = await Promise.all(workers.map((worker) => worker.cpuSeconds()));
        states.push(...after.map((cpu, i) => (cpu - (before[i] ?? 0)) / seconds));
      },
    });
    const figures = await Promise.all(recordings.map((recorded) => measurePictures(recorded, FPS)));
    return [
      {
        name: 'live-beside-batch',
        unit: '% filled',
        // The worse of the two, not their mean.
        samples: [Math.min(...figures.map(({ slotsFilled }) => slotsFilled))],
        bound: { is: '>=', value: 99.9 },
      },
      {
        name: 'live-beside-batch-drawn',
        unit: '%',
        samples: figures.map(({ slotsDrawn }) => slotsDrawn),
      },
      {
        name: 'live-beside-batch-worker-cpu',
        unit: 'cores',
        samples: [states.reduce((sum, cores) => sum + cores, 0)],
      },
      { name: 'live-beside-batch-wall', unit: 's', samples: [run.encodeSeconds] },
    ];
  } finally {
    await resources.close();
  }
}
