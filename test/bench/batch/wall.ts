import path from 'node:path';
import { readPictureTimes } from '../../../src/batch/chunk/picture-times.ts';
import { measureQuality } from '../../../src/batch/proof/quality.ts';
import type { Quality } from '../../../src/batch/proof/quality-summary.ts';
import type { TestServices } from '../../support/test-services.ts';
import type { Measurement } from '../measure.ts';
import type { Material } from './material.ts';
import { encodeByOneFfmpeg } from './one-ffmpeg.ts';
import { runProduct, type ProductRun } from './product-run.ts';
import { CORES, FIXED_PROFILE, openWhole, type Whole } from './whole.ts';

type Round = { readonly oneSeconds: number; readonly product: ProductRun };

/**
 * The product's chunks, encoded by a worker process a core and joined, against one ffmpeg of the whole with the same settings: how long both take in
 * alternating order, how large and how good what they make is, and whether seams can be seen.
 */
export async function measureWall(
  services: TestServices,
  options: {
    readonly material: Material;
    readonly folder: string;
    readonly rounds: number;
    readonly parts: { readonly wall: boolean; readonly seam: boolean };
  },
): Promise<Measurement[]> {
  const { material, folder, rounds, parts } = options;
  const whole = await openWhole(services, material, { folder, profile: FIXED_PROFILE });
  const outputs = { one: path.join(folder, 'one.mp4'), product: path.join(folder, 'product.mp4') };
  const made: Round[] = [];
  for (let round = 0; round < rounds; round += 1) {
    console.error(`wall: round ${round + 1} of ${rounds}`);
    made.push(await runRound(whole, { material, outputs, isProductFirst: round % 2 === 1 }));
  }
  const [one, product] = [await judge(whole, outputs.one), await judge(whole, outputs.product)];
  return [
    ...(parts.wall ? describeWall(made, one, product) : []),
    ...(parts.seam ? describeSeams(one.quality, product.quality) : []),
  ];
}

async function runRound(
  whole: Whole,
  options: {
    readonly material: Material;
    readonly outputs: { readonly one: string; readonly product: string };
    readonly isProductFirst: boolean;
  },
): Promise<Round> {
  const { material, outputs, isProductFirst } = options;
  const runOne = (): Promise<number> => encodeByOneFfmpeg(whole.input, whole.settings, outputs.one);
  const early = isProductFirst ? undefined : await runOne();
  const product = await runProduct({
    material,
    profile: FIXED_PROFILE,
    workers: CORES,
    output: outputs.product,
  });
  return { product, oneSeconds: early ?? (await runOne()) };
}

type Judged = { readonly bytes: number; readonly quality: Quality };

async function judge(whole: Whole, output: string): Promise<Judged> {
  const { bytes } = await readPictureTimes(output);
  const quality = await measureQuality(whole.input.file, output, { seamsMs: whole.seamsMs });
  return { bytes, quality };
}

function describeWall(rounds: readonly Round[], one: Judged, product: Judged): Measurement[] {
  const megabytes = ({ bytes }: Judged): number => bytes / 1e6;
  return [
    {
      name: 'wall-vs-one-ffmpeg',
      unit: 'ratio',
      samples: rounds.map(({ oneSeconds, product }) => product.encodeSeconds / oneSeconds),
      bound: { is: '<=', value: 1.05 },
    },
    { name: 'wall', unit: 's', samples: rounds.map((round) => round.product.encodeSeconds) },
    { name: 'wall-one-ffmpeg', unit: 's', samples: rounds.map(({ oneSeconds }) => oneSeconds) },
    { name: 'verify-wall', unit: 's', samples: rounds.map((round) => round.product.proveSeconds) },
    { name: 'picture-bytes', unit: 'MB', samples: [megabytes(product)] },
    { name: 'picture-bytes-one-ffmpeg', unit: 'MB', samples: [megabytes(one)] },
    { name: 'ssim-y', unit: 'dB', samples: [product.quality.ssimDb] },
    { name: 'ssim-y-one-ffmpeg', unit: 'dB', samples: [one.quality.ssimDb] },
  ];
}

function describeSeams(one: Quality, product: Quality): Measurement[] {
  const [ours, theirs] = [product.seamSsimDb, one.seamSsimDb];
  // One chunk alone has no seam.
  if (ours === null || theirs === null) return [];
  return [
    {
      name: 'seam',
      unit: 'dB',
      samples: [ours - theirs],
      bound: { is: '>=', value: -0.2 },
    },
    { name: 'seam-ssim-y', unit: 'dB', samples: [ours] },
    { name: 'seam-ssim-y-one-ffmpeg', unit: 'dB', samples: [theirs] },
    { name: 'seam-pictures', unit: '', samples: [product.seamPictures] },
  ];
}
