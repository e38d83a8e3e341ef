import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Resources } from '../../src/lifecycle.ts';
import { AAC_FRAMES_PER_SEGMENT, SEGMENT_TICKS } from '../../src/model/grid.ts';
import { readSegment } from '../../src/media/mpegts/segment-reader.ts';
import { verifyTarget } from '../../src/verify/verify.ts';
import { barcodePage } from '../support/barcode-page.ts';
import { runOutsideTools } from '../support/outside-tools.ts';
import { servePages } from '../support/page-server.ts';
import { recordPage, type RecordedPage } from '../support/record-page.ts';
import { makeFlashAndBeepFilm } from '../support/synthetic.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { measurePictures, type PictureFigures } from './exact-pictures.ts';
import { FILM_MARGIN_S, FILM_PAGE, mean, measureSync } from './exact-sync.ts';
import type { Measurement } from './measure.ts';
import type { Scenario } from './runner.ts';

const FPS = 30;
const FRAME_MS = 1000 / FPS;
/** How often the film is begun anew, each time in a Chrome of its own, and how long it is recorded. */
const STARTS = 5;
const FILM_SECONDS = 15;
/** Sound made late on purpose, to see whether the report notices. */
const SKEW_MS = 100;

/** Proves from outside that recordings are exact: places, times, sync, fill; and what other programs say of them. */
export const exactBench: Scenario = {
  about: 'how exact recordings are, from their pictures and sound alone; --seconds 60',
  run: async (args) => {
    const resources = new Resources();
    try {
      const seconds = parseSeconds(args);
      const folder = resources.use(await makeTempFolder('exact')).path;
      const pages = resources.use(await serveExactPages(folder));
      let recordings = 0;
      const record = (page: string, lengthS: number, ...args: string[]): Promise<RecordedPage> =>
        recordPage({
          url: `${pages.url}/${page}`,
          folder: path.join(folder, `${(recordings += 1)}`),
          seconds: lengthS,
          args,
        });
      const films: RecordedPage[] = [];
      for (let start = 0; start < STARTS; start += 1)
        films.push(await record('film', FILM_SECONDS));
      const skewed = await record('film', FILM_SECONDS, `--sound-skew=${SKEW_MS}`);
      const alone = await record('barcode', seconds);
      const both = await Promise.all([record('barcode', seconds), record('barcode', seconds)]);
      return [
        ...(await measureGrid([...films, alone, ...both])),
        ...(await measureOffsets(films, skewed)),
        ...(await measureSlots(alone, both)),
        ...(await measureComplaints([...films, alone, ...both])),
      ];
    } finally {
      await resources.close();
    }
  },
};

function parseSeconds(args: readonly string[]): number {
  const { values } = parseArgs({ args: [...args], options: { seconds: { type: 'string' } } });
  const seconds = Number(values.seconds ?? '60');
  if (seconds >= 10 && seconds <= 3600) return seconds;
  throw new RangeError(`--seconds: expected 10 to 3600, got ${String(values.seconds)}`);
}

async function serveExactPages(folder: string): ReturnType<typeof servePages> {
  const film = path.join(folder, 'film.mp4');
  await makeFlashAndBeepFilm(film, { durationS: FILM_SECONDS + FILM_MARGIN_S, lossless: true });
  return servePages({
    '/barcode': barcodePage({ fps: FPS }),
    '/film': FILM_PAGE,
    '/film.mp4': { type: 'video/mp4', body: await readFile(film) },
  });
}

/** Segment lengths and sound frames, of every segment there is. */
async function measureGrid(recordings: readonly RecordedPage[]): Promise<Measurement[]> {
  const durationErrors: number[] = [];
  const frameCounts: number[] = [];
  for (const { segments } of recordings) {
    let previous: number | undefined;
    for (const file of segments) {
      const { pictures, audioFrames } = readSegment(await readFile(file));
      const start = pictures[0]?.pts90k ?? NaN;
      if (previous !== undefined) durationErrors.push(Math.abs(start - previous - SEGMENT_TICKS));
      previous = start;
      frameCounts.push(audioFrames.length);
    }
  }
  return [
    {
      name: 'segment-duration-error',
      unit: 'ticks',
      samples: [Math.max(...durationErrors)],
      bound: { is: '==', value: 0 },
    },
    ...(['min', 'max'] as const).map((which) => ({
      name: `aac-frames-per-segment-${which}`,
      unit: 'frames',
      samples: [Math[which](...frameCounts)],
      bound: { is: '==' as const, value: AAC_FRAMES_PER_SEGMENT },
    })),
  ];
}

async function measureOffsets(
  films: readonly RecordedPage[],
  skewed: RecordedPage,
): Promise<Measurement[]> {
  const starts = await Promise.all(films.map(measureSync));
  const skewedMs = mean(await measureSync(skewed));
  const means = starts.map(mean);
  return [
    { name: 'av-offset', unit: 'ms', samples: means },
    {
      name: 'av-offset-mean',
      unit: 'ms',
      samples: [Math.max(...means.map(Math.abs))],
      bound: { is: '<=', value: 20 },
    },
    {
      name: 'av-offset-worst',
      unit: 'frames',
      samples: [Math.max(...starts.flat().map(Math.abs)) / FRAME_MS],
      bound: { is: '<=', value: 1.5 },
    },
    { name: 'av-offset-skewed', unit: 'ms', samples: [skewedMs] },
    {
      name: 'av-estimate-error',
      unit: 'ms',
      samples: [
        Math.max(
          ...films.map((film, i) => Math.abs(estimateOf(film) - (means[i] ?? NaN))),
          Math.abs(estimateOf(skewed) - skewedMs),
        ),
      ],
      bound: { is: '<=', value: 15 },
    },
  ];
}

/** The recording's own estimate, ms, positive where sound is late. */
function estimateOf({ report }: RecordedPage): number {
  return (report as { readonly avOffsetMs: number }).avOffsetMs;
}

async function measureSlots(
  alone: RecordedPage,
  both: readonly RecordedPage[],
): Promise<Measurement[]> {
  const one = await measurePictures(alone, FPS);
  const two = await Promise.all(both.map((recorded) => measurePictures(recorded, FPS)));
  const worst = (pick: (figures: PictureFigures) => readonly number[]): number =>
    Math.max(...[one, ...two].flatMap(pick));
  const least = (pick: (figures: PictureFigures) => number): number => Math.min(...two.map(pick));
  const filled = { unit: '%', bound: { is: '>=', value: 99.9 } } as const;
  return [
    {
      name: 'pdt-error',
      unit: 'frames',
      samples: [worst(({ clockErrors }) => clockErrors)],
      bound: { is: '<=', value: 1 },
    },
    { name: 'slots-filled', samples: [one.slotsFilled], ...filled },
    { name: 'slots-drawn', unit: '%', samples: [one.slotsDrawn] },
    {
      name: 'slots-filled-two-at-once',
      samples: [least(({ slotsFilled }) => slotsFilled)],
      ...filled,
    },
    {
      name: 'slots-drawn-two-at-once',
      unit: '%',
      samples: [least(({ slotsDrawn }) => slotsDrawn)],
    },
    {
      name: 'frames-out-of-order',
      unit: 'frames',
      samples: [worst(({ outOfOrder }) => [outOfOrder])],
      bound: { is: '==', value: 0 },
    },
  ];
}

/** What the independent checker and the programs of others find wrong. */
async function measureComplaints(recordings: readonly RecordedPage[]): Promise<Measurement[]> {
  let violations = 0;
  let errors = 0;
  for (const { playlist } of recordings) {
    const report = await verifyTarget(playlist, { decode: true });
    for (const violation of report.violations) console.error(`${playlist}:`, violation);
    violations += report.violations.length;
    for (const tool of await runOutsideTools(playlist)) {
      for (const error of tool.errors) console.error(`${playlist}: ${tool.tool}: ${error}`);
      errors += tool.errors.length;
    }
  }
  const bound = { is: '==', value: 0 } as const;
  return [
    { name: 'verify-violations', unit: 'rules', samples: [violations], bound },
    { name: 'outside-tools-errors', unit: 'errors', samples: [errors], bound },
  ];
}
