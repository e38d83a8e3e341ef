import { writeFile } from 'node:fs/promises';
import { BARCODE_COLUMNS, encodeBarcode, type BarcodeContent } from './barcode.ts';
import { runProgram } from './programs.ts';

const QUIET = ['-v', 'error', '-nostdin', '-y'];
const TS = ['-f', 'mpegts', '-muxdelay', '0'];

/** Writes an MPEG-TS film (H.264, 640×360) of the barcodes given, over a noise that moves as a class does. */
export async function makeBarcodeFilm(
  path: string,
  contents: readonly BarcodeContent[],
  options: { readonly fps: number; readonly bitrate: string },
): Promise<void> {
  const rows = 18;
  const frames = contents.map((content, i) => {
    const picture = new Uint8Array(BARCODE_COLUMNS * rows);
    encodeBarcode(content).forEach((bit, cell) => (picture[cell] = bit * 255));
    for (let cell = BARCODE_COLUMNS * 3; cell < picture.length; cell++) {
      picture[cell] = (cell * 73 + i * 29) % 256;
    }
    return picture;
  });
  await writeFile(`${path}.gray`, Buffer.concat(frames));
  await runProgram('ffmpeg', [
    ...QUIET,
    ...['-f', 'rawvideo', '-pix_fmt', 'gray', '-s', `${BARCODE_COLUMNS}x${rows}`],
    ...['-r', `${options.fps}`, '-i', `${path}.gray`],
    ...['-vf', 'scale=640:360:flags=neighbor:out_range=tv,format=yuv420p'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', options.bitrate, '-bf', '0'],
    ...[...TS, path],
  ]);
}

/** Writes sound of sines, each from and to given seconds, as MPEG-TS with AAC or as WAV by the path's ending. */
export async function makeTones(
  path: string,
  tones: readonly { readonly hz: number; readonly fromS: number; readonly toS: number }[],
  durationS: number,
): Promise<void> {
  const sum = tones
    .map(({ hz, fromS, toS }) => `0.25*sin(2*PI*${hz}*t)*gte(t,${fromS})*lt(t,${toS})`)
    .join('+');
  await runProgram('ffmpeg', [
    ...QUIET,
    ...['-f', 'lavfi', '-i', `aevalsrc=exprs='${sum}':s=48000:d=${durationS}`],
    ...(path.endsWith('.wav') ? [] : ['-c:a', 'aac', '-b:a', '128k', '-ac', '2', ...TS]),
    path,
  ]);
}

/**
 * Writes a film whose picture turns white for 100 ms with a 1 kHz beep at each full second from 1 s on; the sound is
 * `soundLateMs` late. H.264 and AAC, container by the path's ending; good for a `<video>` as well. `lossless` sound (FLAC)
 * has no priming, whose treatment differs from player to player.
 */
export async function makeFlashAndBeepFilm(
  path: string,
  options: {
    readonly durationS: number;
    readonly soundLateMs?: number;
    readonly fps?: number;
    readonly lossless?: true;
  },
): Promise<void> {
  const { durationS, soundLateMs = 0, fps = 30, lossless = false } = options;
  const late = soundLateMs / 1000;
  const on = (t: string): string => `gte(${t},0.999)*lt(mod(${t}+0.0001,1),0.1)`;
  await runProgram('ffmpeg', [
    ...QUIET,
    ...['-f', 'lavfi', '-i', `color=black:s=640x360:r=${fps}:d=${durationS}`],
    ...['-f', 'lavfi', '-i'],
    `aevalsrc=exprs='0.5*sin(2*PI*1000*(t-${late}))*${on(`(t-${late})`)}':s=48000:d=${durationS}`,
    ...['-vf', `drawbox=t=fill:color=white:enable='${on('t')}',format=yuv420p`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-g', `${fps}`],
    ...(lossless ? ['-c:a', 'flac', '-strict', '-2'] : ['-c:a', 'aac', '-b:a', '128k']),
    ...['-ac', '2'],
    ...(path.endsWith('.ts') ? TS : ['-movflags', '+faststart']),
    path,
  ]);
}
