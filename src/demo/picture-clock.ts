/**
 * The running clock of a camera, readable by machines: a row of black and white cells along the desk that
 * spell the Unix time of the frame in tenths of a second. Cells, left to right: white, black (these
 * set the threshold), 20 bits of `floor(unixMs / 100) mod 2^20`, most significant first, even parity, white.
 */
const CELLS = 24;
const BITS = 20;
const CELL_WIDTH = 12;
/** Place of the row within the camera's 320x180 picture, pixels. */
const ROW = { x: 16, y: 162, width: CELLS * CELL_WIDTH, height: 12 } as const;
const PICTURE = { width: 320, height: 180 } as const;
/** How long one value is shown. */
export const PICTURE_CLOCK_STEP_MS = 100;
/** Values repeat after this: about 29 h. */
const WRAP_STEPS = 2 ** BITS;
/** White and black must differ by this much luma (of 219) to count as a row: far more than coding noise. */
const MIN_CONTRAST = 60;

/** The ffmpeg filters that draw the cells of a frame whose `t` is Unix time in seconds. */
export function pictureClockFilters(): string[] {
  const bit = (k: number): string => `mod(floor(ld(0)/${2 ** k}),2)`;
  const steps = `st(0,floor(t*10))`;
  const bits = Array.from({ length: BITS }, (_, i) => bit(BITS - 1 - i));
  const enables = ['1', '0', ...bits, `mod(${bits.join('+')},2)`, '1'];
  const row = `drawbox=x=${ROW.x}:y=${ROW.y}:w=${ROW.width}:h=${ROW.height}:color=black:t=fill`;
  const cells = enables.flatMap((enable, i) =>
    enable === '0'
      ? []
      : `drawbox=x=${ROW.x + i * CELL_WIDTH}:y=${ROW.y}:w=${CELL_WIDTH}:h=${ROW.height}:color=white:t=fill:enable='${steps}*0+${enable}'`,
  );
  return [row, ...cells];
}

export type LumaPicture = {
  /** One byte a pixel, row after row. */
  readonly luma: Uint8Array;
  readonly width: number;
  readonly height: number;
};
export type PictureBox = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};

/**
 * Reads a camera's clock from a picture in which the camera is shown in `box` (pixels, fractions allowed).
 * Returns the Unix ms nearest to `nearMs` that the cells spell, or undefined where no row is legible.
 */
export function findPictureClock(
  picture: LumaPicture,
  box: PictureBox,
  nearMs: number,
): number | undefined {
  const levels = Array.from({ length: CELLS }, (_, i) => cellLuma(picture, box, i));
  const [white = 0, black = 255] = levels;
  if (white - black < MIN_CONTRAST) return undefined;
  const bits = levels.map((level) => (level > (white + black) / 2 ? 1 : 0));
  const data = bits.slice(2, 2 + BITS);
  const parity = data.reduce<number>((sum, bit) => sum + bit, 0) % 2;
  if (bits[2 + BITS] !== parity || bits[CELLS - 1] !== 1) return undefined;
  const steps = data.reduce<number>((value, bit) => value * 2 + bit, 0);
  const near = Math.floor(nearMs / PICTURE_CLOCK_STEP_MS);
  const turns = Math.round((near - steps) / WRAP_STEPS);
  return (steps + turns * WRAP_STEPS) * PICTURE_CLOCK_STEP_MS;
}

/** Mean luma of the middle third of a cell: its edges are blurred by scaling and coding. */
function cellLuma(picture: LumaPicture, box: PictureBox, cell: number): number {
  const scaleX = box.width / PICTURE.width;
  const scaleY = box.height / PICTURE.height;
  const left = box.x + (ROW.x + (cell + 1 / 3) * CELL_WIDTH) * scaleX;
  const top = box.y + (ROW.y + ROW.height / 3) * scaleY;
  let sum = 0;
  let count = 0;
  for (let y = Math.round(top); y <= Math.round(top + (ROW.height / 3) * scaleY); y++) {
    for (let x = Math.round(left); x <= Math.round(left + (CELL_WIDTH / 3) * scaleX); x++) {
      sum += picture.luma[y * picture.width + x] ?? 0;
      count += 1;
    }
  }
  return sum / count;
}
