import { stat } from 'node:fs/promises';
import { AAC_FRAME_SAMPLES } from '../../../src/model/grid.ts';
import { complaintsOf, linesOf, miscount, runTool } from './program.ts';
import type { Stretch, Subject } from './stretch.ts';

/** Warnings of everything that reads or decodes the stream, errors of the rest (which warns about missing hardware). */
const CATEGORIES = [
  ...['mpegtspacketizer', 'mpegtsbase', 'tsdemux', 'pesparser', 'mpegts_sections'],
  ...['h264parse', 'codecparsers_h264', 'aacparse', 'baseparse'],
  ...['libav', 'videodecoder', 'audiodecoder', 'GST_PADS', 'basesink'],
];
const GST_DEBUG = ['1', ...CATEGORIES.map((category) => `${category}:2`)].join(',');

/** Pictures are written this small, so that they can be counted: 8 bit 4:2:0. */
const THUMBNAIL_SIDE = 16;
const THUMBNAIL_BYTES = (THUMBNAIL_SIDE * THUMBNAIL_SIDE * 3) / 2;
/** Decoded sound is 32-bit floating point, stereo. */
const BYTES_PER_AAC_FRAME = AAC_FRAME_SAMPLES * 2 * 4;

/** It says so where PTS pass 2^33, once; the times it hands on are right. */
const HARMLESS = 'WRAPAROUND detected';

/** GStreamer's complaints: tsdemux, h264parse and aacparse with libav's decoders, everything counted at the end. */
export async function runGstreamer({ stretches }: Subject): Promise<string[]> {
  const complaints: string[] = [];
  for (const stretch of stretches) complaints.push(...(await decode(stretch)));
  return complaints;
}

async function decode({ file, pictures, audioFrames }: Stretch): Promise<string[]> {
  const [thumbnails, samples] = [`${file}.pictures`, `${file}.samples`];
  const size = `video/x-raw,format=I420,width=${THUMBNAIL_SIDE},height=${THUMBNAIL_SIDE}`;
  const video = ['h264parse', 'avdec_h264', 'videoscale', size, `filesink location=${thumbnails}`];
  const audio = ['aacparse', 'avdec_aac', `filesink location=${samples}`];
  const branches = pictures > 0 ? [video, audio] : [audio];
  const run = await runTool(
    'gst-launch-1.0',
    [
      ...['-q', 'filesrc', `location=${file}`, '!', 'tsdemux', 'name=demux'],
      ...branches.flatMap((elements) => ['demux.', '!', ...chain(['queue', ...elements])]),
    ],
    { env: { GST_DEBUG, GST_DEBUG_NO_COLOR: '1' } },
  );
  return [
    ...complaintsOf(run, (line) => !line.includes(HARMLESS)),
    ...(pictures > 0
      ? miscount('pictures', (await sizeOf(thumbnails)) / THUMBNAIL_BYTES, pictures)
      : []),
    ...miscount('AAC frames', (await sizeOf(samples)) / BYTES_PER_AAC_FRAME, audioFrames),
  ];
}

function chain(elements: readonly string[]): string[] {
  return elements.flatMap((element, at) => [...(at > 0 ? ['!'] : []), ...element.split(' ')]);
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => ({ size: 0 }))).size;
}

/** The version of the GStreamer that is installed. */
export async function gstreamerVersion(): Promise<string> {
  const lines = linesOf((await runTool('gst-launch-1.0', ['--version'])).output);
  return /version ([\d.]+)/.exec(lines[0] ?? '')?.[1] ?? lines[0] ?? 'unknown';
}
