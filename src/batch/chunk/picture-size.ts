import type { ReencodeVideo } from '../../model/reencode.ts';

/** Pixels. */
export type PictureSize = { readonly width: number; readonly height: number };

/** The size that a profile gives pictures of a source: its shorter side the profile's `height`, no larger than the source unless asked, both even. */
export function planPictureSize(
  { height, mayUpscale }: Pick<ReencodeVideo, 'height' | 'mayUpscale'>,
  source: PictureSize,
): PictureSize {
  const shorter = Math.min(source.width, source.height);
  if (height === shorter || (height > shorter && !mayUpscale)) {
    return { width: source.width, height: source.height };
  }
  const scaled = (side: number): number => 2 * Math.round((side * height) / shorter / 2);
  return { width: scaled(source.width), height: scaled(source.height) };
}
