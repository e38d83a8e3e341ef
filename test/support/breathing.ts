import { runProgram } from './programs.ts';

/** What happens where a segment follows another in a recording of a still page: last P picture against IDR picture. */
export type KeyStep = {
  /** Number of the segment that begins. */
  readonly n: number;
  /** PSNR of the IDR picture against the page less that of the picture before it, dB: negative where it gets coarser. */
  readonly stepDb: number;
  /** PSNR of the one against the other, dB: how alike they look. */
  readonly alikeDb: number;
};

type Size = { readonly width: number; readonly height: number };

/** Equal pictures, dB: above anything that 8 bits can differ by. */
const EQUAL_DB = 100;
const LIMITED_BT709 = 'scale=in_range=pc:out_color_matrix=bt709:out_range=tv';

/** Reads the steps between segments, from luma alone; `pageFile` is a picture of the page as it was shown. */
export async function readKeySteps(
  segments: readonly string[],
  { pageFile, ...size }: Size & { readonly pageFile: string },
): Promise<readonly KeyStep[]> {
  const [page] = await readLuma(pageFile, size, LIMITED_BT709);
  const edges = await Promise.all(
    segments.map(async (file) => {
      const pictures = await readLuma(file, size, 'null');
      return { first: pictures[0], last: pictures.at(-1) };
    }),
  );
  return edges.slice(1).map(({ first }, i) => {
    const last = edges[i]?.last;
    if (!page || !first || !last) throw new Error(`${segments[i + 1]}: expected pictures`);
    return {
      n: i + 1,
      stepDb: psnr(first, page) - psnr(last, page),
      alikeDb: psnr(first, last),
    };
  });
}

async function readLuma(file: string, size: Size, filter: string): Promise<Buffer[]> {
  const { stdout } = await runProgram('ffmpeg', [
    ...['-v', 'error', '-nostdin', '-threads', '1', '-i', file, '-map', '0:v:0', '-vf', filter],
    ...['-fps_mode', 'passthrough', '-pix_fmt', 'yuv420p', '-f', 'rawvideo', 'pipe:1'],
  ]);
  const luma = size.width * size.height;
  const picture = luma * 1.5;
  const count = Math.floor(stdout.length / picture);
  return Array.from({ length: count }, (_, i) => stdout.subarray(i * picture, i * picture + luma));
}

function psnr(one: Uint8Array, other: Uint8Array): number {
  let squares = 0;
  for (let i = 0; i < one.length; i++) squares += ((one[i] ?? 0) - (other[i] ?? 0)) ** 2;
  return squares === 0 ? EQUAL_DB : 10 * Math.log10((255 ** 2 * one.length) / squares);
}
