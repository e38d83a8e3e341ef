import { parseArgs } from 'node:util';
import { Resources } from '../../src/lifecycle.ts';
import { launchTestBrowser } from '../support/browser.ts';
import { recordBoard, type DrawnStroke } from '../support/board-recording.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { Measurement } from './measure.ts';
import type { Scenario } from './runner.ts';

/** From a stroke of a second client to the recorded picture that shows it. */
export const boardBench: Scenario = {
  about: 'whiteboard stroke to recorded picture, ms, a barcode clock beside it; --seconds 20',
  run: async (args) => {
    const resources = new Resources();
    try {
      const folder = resources.use(await makeTempFolder('board')).path;
      const seconds = parseSeconds(args);
      const browser = await launchTestBrowser();
      resources.defer(() => browser.close());
      const { strokes, recorded } = await recordBoard({ folder, seconds, browser });
      const { cpuSeconds, wallMs } = recorded.report as { cpuSeconds: number; wallMs: number };
      const seen = strokes.filter(({ recordedAtMs }) => !Number.isNaN(recordedAtMs));
      return [
        ...latencies('stroke-to-picture', seen, ({ recordedAtMs }) => recordedAtMs),
        ...latencies('stroke-to-clock', seen, ({ clockMs }) => clockMs),
        {
          name: 'strokes-seen',
          unit: '%',
          samples: [(100 * seen.length) / strokes.length],
          bound: { is: '==', value: 100 },
        },
        { name: 'cores-with-start', unit: 'cores', samples: [(1000 * cpuSeconds) / wallMs] },
      ];
    } finally {
      await resources.close();
    }
  },
};

function latencies(
  name: string,
  strokes: readonly DrawnStroke[],
  shownAtMs: (stroke: DrawnStroke) => number,
): Measurement[] {
  // a picture without a legible clock says nothing by the clock
  const samples = strokes
    .map((stroke) => shownAtMs(stroke) - stroke.sentAtMs)
    .filter((ms) => !Number.isNaN(ms))
    .sort((a, b) => a - b);
  const p95 = samples[Math.ceil(0.95 * samples.length) - 1] ?? NaN;
  return [
    { name, unit: 'ms', samples },
    { name: `${name}-p95`, unit: 'ms', samples: [p95], bound: { is: '<=', value: 500 } },
  ];
}

function parseSeconds(args: readonly string[]): number {
  const { values } = parseArgs({ args: [...args], options: { seconds: { type: 'string' } } });
  const seconds = Number(values.seconds ?? '20');
  if (seconds >= 5 && seconds <= 600) return seconds;
  throw new RangeError(`--seconds: expected 5 to 600, got ${String(values.seconds)}`);
}
