import path from 'node:path';
import { parseArgs } from 'node:util';
import { Resources } from '../../src/lifecycle.ts';
import { verifyTarget } from '../../src/verify/verify.ts';
import { readKeySteps } from '../support/breathing.ts';
import { servePages } from '../support/page-server.ts';
import { shootPage } from '../support/page-shot.ts';
import { recordPage } from '../support/record-page.ts';
import { stillPage } from '../support/still-page.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { Measurement } from './measure.ts';
import type { Scenario } from './runner.ts';

const SIZE = { width: 1280, height: 720 };
const MIN_SECONDS = 8;
/** Below what a person sees in still text (test/e2e/still.test.ts gives the reasons). */
const MAX_STEP_DB = 1.5;
const MIN_ALIKE_DB = 45;

/** What a recording of a page costs that draws nothing, and how steady it looks. */
export const stillBench: Scenario = {
  about:
    'CPU and bytes of a recording of a still page, and its steps at key pictures; --seconds 20',
  run: async (args) => {
    const resources = new Resources();
    try {
      const folder = resources.use(await makeTempFolder('still')).path;
      const pages = resources.use(await servePages({ '/still': stillPage() }));
      return await measure(`${pages.url}/still`, { folder, seconds: parseSeconds(args) });
    } finally {
      await resources.close();
    }
  },
};

function parseSeconds(args: readonly string[]): number {
  const { values } = parseArgs({ args: [...args], options: { seconds: { type: 'string' } } });
  const seconds = Number(values.seconds ?? '20');
  if (seconds >= MIN_SECONDS && seconds <= 3600) return seconds;
  throw new RangeError(`--seconds: expected ${MIN_SECONDS} to 3600, got ${String(values.seconds)}`);
}

async function measure(
  url: string,
  { folder, seconds }: { readonly folder: string; readonly seconds: number },
): Promise<Measurement[]> {
  const pageFile = await shootPage(url, { ...SIZE, file: path.join(folder, 'page.png') });
  const recorded = await recordPage({ url, folder: path.join(folder, 'recording'), seconds });
  const { violations, summary } = await verifyTarget(recorded.playlist, { decode: true, fps: 30 });
  const report = recorded.report as Report;
  // The first step is the page's appearance.
  const steps = (await readKeySteps(recorded.segments, { ...SIZE, pageFile })).slice(1);
  const recordedS = report.durationMs / 1000;
  return [
    {
      name: 'cores-with-start',
      unit: 'cores',
      samples: [report.cpuSeconds / (report.wallMs / 1000)],
    },
    { name: 'memory', unit: 'MB', samples: [report.memoryMb] },
    { name: 'bytes-per-second', unit: 'B/s', samples: [report.bytes / recordedS] },
    { name: 'pictures-per-second', unit: '1/s', samples: [summary.pictures / recordedS] },
    {
      name: 'key-step-worst',
      unit: 'dB',
      samples: [Math.max(...steps.map(({ stepDb }) => Math.abs(stepDb)))],
      bound: { is: '<=', value: MAX_STEP_DB },
    },
    {
      name: 'key-alike-worst',
      unit: 'dB',
      samples: [Math.min(...steps.map(({ alikeDb }) => alikeDb))],
      bound: { is: '>=', value: MIN_ALIKE_DB },
    },
    {
      name: 'verify-violations',
      unit: '',
      samples: [violations.length],
      bound: { is: '==', value: 0 },
    },
  ];
}

type Report = {
  readonly cpuSeconds: number;
  readonly wallMs: number;
  readonly memoryMb: number;
  readonly bytes: number;
  readonly durationMs: number;
};
