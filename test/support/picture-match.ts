/** A gray picture, one byte a pixel, row after row. */
export type GrayPicture = {
  readonly luma: Uint8Array;
  readonly width: number;
};
/** A part of a picture, whole pixels. */
export type PixelBox = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};

/**
 * How alike two pictures are within a box: the correlation of their luma, 1 for the same drawing whatever its brightness and
 * contrast, about 0 for different ones, 0 where either shows nothing at all.
 */
export function correlatePictures(a: GrayPicture, b: GrayPicture, box: PixelBox): number {
  const [left, right] = [cut(a, box), cut(b, box)];
  const [leftMean, rightMean] = [mean(left), mean(right)];
  let product = 0;
  let leftSquares = 0;
  let rightSquares = 0;
  left.forEach((value, i) => {
    const [l, r] = [value - leftMean, (right[i] ?? 0) - rightMean];
    product += l * r;
    leftSquares += l * l;
    rightSquares += r * r;
  });
  const size = Math.sqrt(leftSquares * rightSquares);
  return size === 0 ? 0 : product / size;
}

/** A part of a picture as a picture of its own. */
export function cropPicture(picture: GrayPicture, box: PixelBox): GrayPicture {
  return { luma: Uint8Array.from(cut(picture, box)), width: box.width };
}

function cut({ luma, width }: GrayPicture, box: PixelBox): number[] {
  const values: number[] = [];
  for (let y = box.y; y < box.y + box.height; y++) {
    for (let x = box.x; x < box.x + box.width; x++) values.push(luma[y * width + x] ?? 0);
  }
  return values;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
