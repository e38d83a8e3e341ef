import { KEEP_TIMES, runProgram } from './programs.ts';

/** A part of the picture in fractions of its width and height. */
export type Region = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};
export type GrayFrame = {
  /** The frame's PTS in the container, s. */
  readonly ptsS: number;
  /** The region as `columns` × `rows` cells, each the mean luma of its area (0–255), row by row. */
  readonly cells: Uint8Array;
};

/** Every frame of a file or playlist, its region shrunk to a few cells; nothing is repeated, dropped or retimed. */
export async function readGrayFrames(
  path: string,
  options: { readonly region: Region; readonly columns: number; readonly rows: number },
): Promise<GrayFrame[]> {
  const { region, columns, rows } = options;
  const filter = [
    `crop=w=iw*${region.width}:h=ih*${region.height}:x=iw*${region.x}:y=ih*${region.y}`,
    `scale=${columns}:${rows}:flags=area`,
    'format=gray',
    'showinfo=checksum=0',
  ].join(',');
  const { stdout, stderr } = await runProgram('ffmpeg', [
    ...['-hide_banner', '-nostdin', '-nostats', '-threads', '1'],
    ...['-copyts', '-i', path, '-map', '0:v:0', '-filter:v', filter],
    ...['-fps_mode', 'passthrough', '-f', 'rawvideo', 'pipe:1'],
    ...KEEP_TIMES,
  ]);
  return pairFrames(stdout, showinfoTimes(stderr), columns * rows, path);
}

function pairFrames(
  pixels: Buffer,
  times: readonly number[],
  frameBytes: number,
  path: string,
): GrayFrame[] {
  if (pixels.length !== times.length * frameBytes) {
    throw new Error(
      `${path}: expected ${times.length} frames of ${frameBytes} bytes, got ${pixels.length} bytes`,
    );
  }
  return times.map((ptsS, i) => ({
    ptsS,
    cells: pixels.subarray(i * frameBytes, (i + 1) * frameBytes),
  }));
}

/** The integer PTS times its time base: the printed pts_time has six digits only. */
function showinfoTimes(log: string): number[] {
  const base = /config in time_base: (\d+)\/(\d+)/.exec(log);
  if (base === null) throw new Error('Expected a video stream, ffmpeg announced none.');
  const seconds = Number(base[1]) / Number(base[2]);
  return [...log.matchAll(/\bn: *\d+ pts: *(-?\d+) /g)].map((match) => Number(match[1]) * seconds);
}
