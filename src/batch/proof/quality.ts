import { ChalkreelError } from '../../errors.ts';
import { runFfmpeg, type FfmpegArgs } from '../../media/ffmpeg.ts';
import { scaleFilter } from '../chunk/encode-command.ts';
import { readLines } from '../../lines.ts';
import { readPictureTimes, type LongRun, type PictureTimes } from '../chunk/picture-times.ts';
import { summarizeQuality, type PictureQuality, type Quality } from './quality-summary.ts';

export type ComparePicturesOptions = LongRun & {
  /** Of each decoder, and of the comparison. Default: as many as ffmpeg likes. */
  readonly threads?: number | undefined;
};

export type MeasureQualityOptions = ComparePicturesOptions & {
  /** Where chunks begin, ms from the first picture; one at the very end stands for the chunk that would follow. */
  readonly seamsMs?: readonly number[];
};

/** Containers may round times to whole ms: pictures that are no farther apart are the same. Slots are 16 ms or more. */
const ROUNDING_MS = 1;
/** The comparison is killed when it is slower than this: far below what one core does of 1080p at idle priority. */
const MS_PER_PICTURE = 1000;
const LEAST_TIMEOUT_MS = 120_000;

/**
 * How like their source pictures are after encoding: SSIM of luma, picture by picture, each compared with the one that is shown at the same time. Both are files or
 * playlists; times may begin anywhere and be uneven. Where sizes differ the source is scaled first, as it is for encoding. Errors:
 * `quality-pictures-differ` when a picture is missing, too many or moved, `media-without-picture`, those of `runFfmpeg`; the
 * signal's reason when aborted.
 */
export async function measureQuality(
  reference: string,
  distorted: string,
  { seamsMs, ...options }: MeasureQualityOptions = {},
): Promise<Quality> {
  return summarizeQuality(await comparePictures(reference, distorted, options), seamsMs);
}

/** The same, picture by picture. */
export async function comparePictures(
  reference: string,
  distorted: string,
  { threads, ...run }: ComparePicturesOptions = {},
): Promise<readonly PictureQuality[]> {
  const [source, result] = await Promise.all([
    readPictureTimes(reference, run),
    readPictureTimes(distorted, run),
  ]);
  assertSameTimes(source.timesMs, result.timesMs);
  const compared: PictureQuality[] = [];
  const lines = readLines((line) => {
    const ssimY = /^n:\d+ Y:([\d.]+) /.exec(line)?.[1];
    if (ssimY === undefined) return;
    compared.push({ atMs: source.timesMs[compared.length] ?? 0, ssimY: Number(ssimY) });
  });
  await runFfmpeg({
    ...run,
    args: comparison({ reference, distorted, source, result, threads }),
    onStdout: lines.take,
    timeoutMs: Math.max(LEAST_TIMEOUT_MS, source.timesMs.length * MS_PER_PICTURE),
  });
  lines.end();
  if (compared.length === source.timesMs.length) return compared;
  return differ(`${source.timesMs.length} decoded pictures of both`, String(compared.length));
}

/**
 * Pictures are paired by their number, which is their time, since the lists of times are known to be equal: by times the filter would pair a
 * picture with its neighbour, and say nothing.
 */
function comparison(options: {
  readonly reference: string;
  readonly distorted: string;
  readonly source: PictureTimes;
  readonly result: PictureTimes;
  readonly threads: number | undefined;
}): FfmpegArgs {
  const { source, result } = options;
  const threads = options.threads === undefined ? [] : ['-threads', String(options.threads)];
  const isScaled = source.width !== result.width || source.height !== result.height;
  const scale = isScaled ? [scaleFilter(result)] : [];
  const luma = ['format=yuv420p', 'extractplanes=y', 'settb=1/1000', 'setpts=N'];
  return [
    ['-filter_complex_threads', String(options.threads ?? 0)],
    [...threads, '-i', options.distorted],
    [...threads, '-i', options.reference],
    [
      '-filter_complex',
      [
        `[0:v:0]${luma.join(',')}[distorted]`,
        `[1:v:0]${[...scale, ...luma].join(',')}[reference]`,
        // A line a picture on stdout. Ends with the shorter one, so that a picture that cannot be decoded is missed.
        `[distorted][reference]ssim=stats_file=-:shortest=1:repeatlast=0[compared]`,
      ].join(';'),
    ],
    ['-map', '[compared]', '-fps_mode', 'passthrough', '-f', 'null', '-'],
  ];
}

function assertSameTimes(source: readonly number[], result: readonly number[]): void {
  const at = source.findIndex((ms, i) => Math.abs(ms - (result[i] ?? Infinity)) > ROUNDING_MS);
  if (at >= 0) differ(`picture ${at} at ${describe(source[at])}`, describe(result[at]));
  if (result.length > source.length) {
    differ(`${source.length} pictures`, `another at ${describe(result[source.length])}`);
  }
}

function describe(ms: number | undefined): string {
  return ms === undefined ? 'no more pictures' : `${ms.toFixed(3)} ms`;
}

function differ(expected: string, got: string): never {
  throw new ChalkreelError(
    'quality-pictures-differ',
    `Expected ${expected} as in the source, got ${got}: other pictures than the source's cannot be compared with it.`,
    { details: { expected, got } },
  );
}
