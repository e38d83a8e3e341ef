import { stat } from 'node:fs/promises';
import { complaintsOf, linesOf, miscount, runTool } from './program.ts';
import { asNobody } from './vlc.ts';

/** An MP4 as a player is shown it. */
export type PlayedClip = {
  readonly file: string;
  /** Pictures it has, all of which must be shown. */
  readonly pictures: number;
  /** A folder that anybody may write to. */
  readonly workDir: string;
};

/** Decoded pictures are written this small, so that they can be counted: 8 bit 4:2:0. */
const SIDE = 16;
const PICTURE_BYTES = (SIDE * SIDE * 3) / 2;
const GST_DEBUG = '1,qtdemux:2,h264parse:2,codecparsers_h264:2,aacparse:2,libav:2,videodecoder:2';

/** It does not know sample groups (ISO/IEC 14496-12 §8.9), and misses what only fragmented files have. */
const HARMLESS = /unknown QuickTime node type (sgpd|sbgp)|failed to find fragment defaults/;

/**
 * VLC's writer of raw pictures says so of each decoded picture that it leaves out. Its clock ticks once in
 * the mean time between two pictures, from wherever the machine's clock is, so that a picture shown for less
 * than that (a clip's first, where the clip starts within it) and the next may fall on one tick.
 */
const LEFT_OUT = 'avcodec encoder warning: almost fed libavcodec with two frames with the same PTS';

/** What ffmpeg, GStreamer and VLC say against an MP4 that they decode to its end; nothing is what is wanted. */
export async function playClipOutside(clip: PlayedClip): Promise<Record<string, string[]>> {
  const complaints = {
    ffmpeg: await playInFfmpeg(clip),
    GStreamer: await playInGstreamer(clip),
    VLC: await playInVlc(clip),
  };
  return Object.fromEntries(Object.entries(complaints).filter(([, said]) => said.length > 0));
}

async function playInFfmpeg({ file }: PlayedClip): Promise<string[]> {
  const run = await runTool('ffmpeg', [
    ...['-nostdin', '-hide_banner', '-loglevel', 'warning', '-xerror'],
    ...['-err_detect', '+crccheck+bitstream+buffer+explode', '-i', file],
    ...['-map', '0', '-fps_mode', 'passthrough', '-f', 'null', '-'],
  ]);
  return complaintsOf(run);
}

async function playInGstreamer({ file, pictures, workDir }: PlayedClip): Promise<string[]> {
  const output = `${workDir}/gstreamer.yuv`;
  const size = `video/x-raw,format=I420,width=${SIDE},height=${SIDE}`;
  const video = `demux.video_0 ! queue ! h264parse ! avdec_h264 ! videoscale ! ${size} ! filesink location=${output}`;
  const audio = 'demux.audio_0 ! queue ! aacparse ! avdec_aac ! fakesink';
  const pipeline = `filesrc location=${file} ! qtdemux name=demux ${video} ${audio}`;
  const run = await runTool('gst-launch-1.0', ['-q', ...pipeline.split(' ')], {
    env: { GST_DEBUG, GST_DEBUG_NO_COLOR: '1' },
  });
  return [
    ...complaintsOf(run, (line) => !HARMLESS.test(line)),
    ...miscount('pictures', await count(output), pictures),
  ];
}

async function playInVlc({ file, pictures, workDir }: PlayedClip): Promise<string[]> {
  const output = `${workDir}/vlc.yuv`;
  const decode = `transcode{vcodec=I420,width=${SIDE},height=${SIDE}}`;
  const sout = `#${decode}:std{access=file,mux=dummy,dst=${output}}`;
  const run = await runTool(
    'vlc',
    [
      ...['-I', 'dummy', '--no-color', '-vv', '--no-sout-audio', '--sout', sout],
      ...['--play-and-exit', file, 'vlc://quit'],
    ],
    asNobody(),
  );
  const lines = linesOf(run.output);
  const errors = lines.filter((line) =>
    /^\[[0-9a-f]+\] (mp4|h264|avcodec|main) (demux|decoder|packetizer) (error|warning)/.test(line),
  );
  // It tells what tables a file has as warnings.
  const told = errors.filter((line) => !/elst box found|STTS table of/.test(line));
  const decoded = (await count(output)) + lines.filter((line) => line.includes(LEFT_OUT)).length;
  return [...told, ...miscount('pictures', decoded, pictures)];
}

async function count(file: string): Promise<number> {
  return (await stat(file).catch(() => ({ size: 0 }))).size / PICTURE_BYTES;
}
