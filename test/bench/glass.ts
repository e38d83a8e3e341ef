import path from 'node:path';
import { parseArgs } from 'node:util';
import { Resources } from '../../src/lifecycle.ts';
import type { QualityReport } from '../../src/model/report.ts';
import {
  readClocks,
  readPictures,
  tileBox,
  type RowPicture,
  type TileClock,
} from '../support/sources/read-tiles.ts';
import { recordRoom } from '../support/sources/record-room.ts';
import { PUPILS, startSfuClass } from '../support/sources/sfu-class.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { Measurement } from './measure.ts';
import type { Scenario } from './runner.ts';

/** Recorded and sent frames a second: a clock's step is seen within one frame of each, 67 ms at most. */
const FPS = 30;
/** Chrome, jitter buffers and the capture are settling. */
const STARTING_MS = 4000;

/**
 * From a publisher's clock to the time a recording states for the picture that shows it, on loopback: RTP, Janus, WebRTC, drawing,
 * capture, segment. Each step of each of the four clocks is a sample. Publishers encode small pictures as they go.
 */
export const glassBench: Scenario = {
  about: 'publisher to PROGRAM-DATE-TIME by WebRTC, ms; --seconds 20',
  run: async (args) => {
    const resources = new Resources();
    try {
      const seconds = parseSeconds(args);
      const { path: folder } = resources.use(await makeTempFolder('glass'));
      const room = resources.use(await startSfuClass({ fps: FPS, moves: true }));
      const classroom = room.describe(
        PUPILS.map(({ participantId }) => room.sourceOf(participantId)),
      );
      const out = path.join(folder, 'recording');
      const recorded = await recordRoom(classroom, { folder: out, seconds, fps: FPS });
      const { report, startMs } = recorded;
      const pictures = (await readPictures(recorded.playlist, startMs)).filter(
        ({ atMs }) => atMs > report.firstFrameMs + STARTING_MS,
      );
      return [
        ...measureAges(pictures),
        { name: 'slots-filled', unit: '%', samples: [filled(pictures)], bound: atLeast(99.5) },
        ...describeCapture(report),
        {
          name: 'freezes',
          unit: '',
          samples: report.sources.map(({ freezes }) => freezes),
          bound: { is: '==', value: 0 },
        },
        { name: 'cpu', unit: 'cores', samples: [(1000 * report.cpuSeconds) / report.wallMs] },
        { name: 'memory', unit: 'MB', samples: [report.memoryMb] },
      ];
    } finally {
      await resources.close();
    }
  },
};

const atLeast = (value: number): Measurement['bound'] & object => ({ is: '>=', value });

function parseSeconds(args: readonly string[]): number {
  const { values } = parseArgs({ args: [...args], options: { seconds: { type: 'string' } } });
  const seconds = Number(values.seconds ?? '20');
  if (seconds >= 8 && seconds <= 600) return seconds;
  throw new RangeError(`--seconds: expected 8 to 600, got ${String(values.seconds)}`);
}

/** Median over all streams, the 95th percentile, and the share of the clocks' steps that were seen at all. */
function measureAges(pictures: readonly RowPicture[]): Measurement[] {
  const perTile = PUPILS.map((_, i) => stepsOf(readClocks(pictures, tileBox(i, PUPILS.length))));
  const ages = perTile.flat().map(({ atMs, clockMs }) => atMs - clockMs);
  const sorted = [...ages].sort((a, b) => a - b);
  const spanMs = (pictures.at(-1)?.atMs ?? 0) - (pictures[0]?.atMs ?? 0);
  return [
    { name: 'glass-to-segment', unit: 'ms', samples: ages },
    {
      name: 'glass-to-segment-p95',
      unit: 'ms',
      samples: [sorted[Math.floor(0.95 * sorted.length)] ?? NaN],
    },
    {
      name: 'clock-steps-seen',
      unit: '%',
      samples: perTile.map((steps) => (100 * steps.length * 100) / spanMs),
      bound: atLeast(99.5),
    },
  ];
}

/** The first picture of each value of a clock. */
function stepsOf(clocks: readonly TileClock[]): TileClock[] {
  let last = clocks[0]?.clockMs ?? NaN;
  return clocks.filter(({ clockMs }) => {
    const isNew = clockMs > last;
    last = Math.max(last, clockMs);
    return isNew;
  });
}

/** Share of the slots with a picture of their own: one that is the same as the picture before is a filler. */
function filled(pictures: readonly RowPicture[]): number {
  const spanMs = (pictures.at(-1)?.atMs ?? 0) - (pictures[0]?.atMs ?? 0);
  const own = pictures.filter(({ luma }, i) => i > 0 && !isSame(luma, pictures[i - 1]?.luma));
  return (100 * own.length) / ((spanMs * FPS) / 1000);
}

function isSame(luma: Uint8Array, before: Uint8Array | undefined): boolean {
  return before !== undefined && Buffer.compare(luma, before) === 0;
}

/** Where slots may have lost their pictures, over the whole recording: not captured, captured too late, dropped before encoding. */
function describeCapture(report: QualityReport): Measurement[] {
  const slots = (report.durationMs * FPS) / 1000;
  const share = (name: string, count: number): Measurement => ({
    ...{ name, unit: '% of slots', samples: [(100 * count) / slots] },
  });
  return [
    share('frames-captured', report.framesCaptured),
    share('frames-late', report.framesLate),
    share('frames-dropped', report.framesDropped),
    share('slots-repeated', report.framesRepeated),
    share('slots-empty', report.emptySlots),
  ];
}
