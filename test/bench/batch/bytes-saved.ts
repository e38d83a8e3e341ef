import path from 'node:path';
import { planSettings } from '../../../src/batch/settings/plan-settings.ts';
import { mapLimited } from '../../../src/map-limited.ts';
import { readPictureTimes } from '../../../src/batch/chunk/picture-times.ts';
import { SampleSource } from '../../../src/batch/settings/probe-sample.ts';
import { measureQuality } from '../../../src/batch/proof/quality.ts';
import { toDb } from '../../../src/batch/proof/quality-summary.ts';
import { createLog } from '../../../src/log.ts';
import { Resources } from '../../../src/lifecycle.ts';
import type { ReencodeProfile } from '../../../src/model/reencode.ts';
import { reencodeProfileSchema } from '../../../src/protocol/reencode.ts';
import { sampleRecording } from '../../support/sample-records.ts';
import type { TestServices } from '../../support/test-services.ts';
import type { Measurement } from '../measure.ts';
import type { Material } from './material.ts';
import { encodeByLadder } from './one-ffmpeg.ts';
import { CORES, openWhole, type Whole } from './whole.ts';

/** The 720p rung of a ladder that is the same for all classes: enough for faces. */
const LADDER_BITRATE = 1_500_000;
/** The ladder's GOP, as HLS has it: 3.2 s, throughout. */
const LADDER_GOP_SEGMENTS = 2;
/** Encodes of a whole until one is better and one is worse than the ladder's. */
const MAX_ENCODES = 10;

/** What of a whole class an encode took, and how good it is. */
type Point = { readonly crf: number; readonly bytes: number; readonly ssimDb: number };

/** How many bytes of pictures the product's own choice of CRF and GOPs saves a class against a fixed ladder, at equal SSIM-Y and at its own target. */
export async function measureSaving(
  services: TestServices,
  options: { readonly name: string; readonly material: Material; readonly folder: string },
): Promise<Measurement[]> {
  const { name, folder } = options;
  console.error(`bytes-saved: ${name}`);
  const profile = adaptiveProfile();
  const resources = new Resources();
  try {
    const whole = await openWhole(services, options.material, { folder, profile });
    const ladder = await measureLadder(whole, path.join(folder, `${name}-ladder.mp4`));
    const adaptive = await openAdaptive(services, whole, { profile, folder, resources });
    const own = await adaptive.encode(adaptive.crf);
    const bytes = await bytesAt(ladder.ssimDb, own, adaptive.encode);
    const share = (of: number): number => 100 * (1 - of / ladder.bytes);
    return [
      { name: `bytes-saved-${name}`, unit: '%', samples: [share(bytes)] },
      { name: `bytes-saved-${name}-at-target`, unit: '%', samples: [share(own.bytes)] },
      { name: `ladder-${name}-ssim-y`, unit: 'dB', samples: [ladder.ssimDb] },
      { name: `chosen-${name}-ssim-y`, unit: 'dB', samples: [own.ssimDb] },
      { name: `chosen-${name}-crf`, unit: '', samples: [own.crf] },
      { name: `chosen-${name}-gop`, unit: 'segments', samples: adaptive.gops },
      { name: `bytes-ladder-${name}`, unit: 'MB', samples: [ladder.bytes / 1e6] },
      { name: `bytes-source-${name}`, unit: 'MB', samples: [whole.stored.bytes / 1e6] },
    ];
  } finally {
    await resources.close();
  }
}

/** As it is by default: CRF and GOPs are the product's choice. */
function adaptiveProfile(): ReencodeProfile {
  return reencodeProfileSchema.parse({ name: 'adaptive', video: { codec: 'avc', height: 720 } });
}

async function measureLadder(whole: Whole, output: string): Promise<Omit<Point, 'crf'>> {
  const settings = { ...whole.settings, gopSegments: LADDER_GOP_SEGMENTS };
  await encodeByLadder(whole.input, settings, { bitrate: LADDER_BITRATE, output });
  const { bytes } = await readPictureTimes(output);
  const { ssimDb } = await measureQuality(whole.input.file, output);
  return { bytes, ssimDb };
}

type Adaptive = {
  /** Chosen by samples for the profile's target. */
  readonly crf: number;
  /** Of each chunk. */
  readonly gops: readonly number[];
  /** Encodes every chunk with its own GOP. */
  readonly encode: (crf: number) => Promise<Point>;
};

async function openAdaptive(
  services: TestServices,
  { stored, chunks, settings }: Whole,
  options: {
    readonly profile: ReencodeProfile;
    readonly folder: string;
    readonly resources: Resources;
  },
): Promise<Adaptive> {
  const { store } = services;
  const recording = sampleRecording({ id: stored.id, originMs: stored.originMs });
  const log = createLog('bench', 'silent');
  const planned = await planSettings(chunks, {
    ...{ ...options, store, recording, log },
    concurrency: CORES,
  });
  const sources = chunks.map(({ segments }) =>
    options.resources.use(
      new SampleSource(segments, { store, recording, folder: options.folder, ffmpeg: undefined }),
    ),
  );
  const gops = planned.chunks.map(({ gopSegments }) => gopSegments ?? LADDER_GOP_SEGMENTS);
  const encode = async (crf: number): Promise<Point> => {
    console.error(`  all chunks with CRF ${crf}`);
    const probes = await mapLimited([...sources.entries()], CORES, ([i, source]) =>
      source.probe({ ...settings, crf, gopSegments: gops[i] ?? LADDER_GOP_SEGMENTS }),
    );
    const pictures = probes.reduce((sum, probe) => sum + probe.pictures, 0);
    const ssimY = probes.reduce((sum, probe) => sum + probe.ssimY * probe.pictures, 0) / pictures;
    const bytes = probes.reduce((sum, probe) => sum + probe.bytes, 0);
    return { crf, bytes, ssimDb: toDb(ssimY) };
  };
  return { crf: planned.chunks[0]?.crf ?? 0, gops, encode };
}

/**
 * The bytes with which an encode would be exactly so good: between two CRFs, of which one gives more and one less, by the logarithm of bytes. Where
 * the lowest CRF does not reach it, what that takes.
 */
async function bytesAt(
  ssimDb: number,
  start: Point,
  encode: (crf: number) => Promise<Point>,
): Promise<number> {
  let [better, worse] = start.ssimDb >= ssimDb ? [start, undefined] : [undefined, start];
  for (let i = 0; i < MAX_ENCODES && !isPair(better, worse); i += 1) {
    const crf = nextCrf(ssimDb, better, worse);
    if (crf < 1 || crf > 51) break;
    const point = await encode(crf);
    if (point.ssimDb >= ssimDb) better = point;
    else worse = point;
  }
  if (better === undefined || worse === undefined) return (better ?? worse ?? start).bytes;
  const share = (better.ssimDb - ssimDb) / (better.ssimDb - worse.ssimDb);
  return Math.exp(Math.log(better.bytes) * (1 - share) + Math.log(worse.bytes) * share);
}

/** About what a step of CRF costs, dB. */
const DB_PER_CRF = 0.5;
/** Near enough to each other for a straight line between them. */
const NEAR_CRF = 2;

function isPair(better: Point | undefined, worse: Point | undefined): boolean {
  return better !== undefined && worse !== undefined && worse.crf - better.crf <= NEAR_CRF;
}

function nextCrf(ssimDb: number, better: Point | undefined, worse: Point | undefined): number {
  if (better !== undefined && worse !== undefined) {
    return Math.floor((better.crf + worse.crf) / 2);
  }
  const known = better ?? worse;
  if (known === undefined) return NaN;
  const steps = (known.ssimDb - ssimDb) / DB_PER_CRF;
  return (
    known.crf +
    (better === undefined ? Math.min(-1, Math.floor(steps)) : Math.max(1, Math.ceil(steps)))
  );
}
