import type { FfmpegArgs } from '../../media/ffmpeg.ts';
import { SEGMENT_MS } from '../../model/grid.ts';
import type { ReencodeCodec, ReencodeVideo } from '../../model/reencode.ts';
import type { PictureSize } from './picture-size.ts';

/** Everything that decides an encoder's output but its input: hashed into a chunk's name. */
export type EncodeSettings = {
  readonly video: ReencodeVideo;
  readonly crf: number;
  /** Segments from IDR to IDR. */
  readonly gopSegments: number;
  /** Pixels of the output; undefined keeps the source's. */
  readonly scaleTo: PictureSize | undefined;
  /** Video slots a second of the recording: what levels and rate control are judged by. */
  readonly fps: number;
};

export const ENCODERS: Readonly<Record<ReencodeCodec, string>> = {
  avc: 'libx264',
  hevc: 'libx265',
  av1: 'libsvtav1',
};

/** Pictures between the decoder and the pipe: fragments of a second, so that progress is seen and a lost reader noticed. */
const FRAGMENT_US = 1_000_000;

/** The arguments of an encode of `segments` segments from a file to a pipe. Nothing in it depends on when or where it runs. */
export function encodeArgs(
  input: { readonly file: string; readonly segments: number; readonly hasLeadOut: boolean },
  settings: EncodeSettings,
): FfmpegArgs {
  const { scaleTo } = settings;
  const size = scaleTo === undefined ? [] : [scaleFilter(scaleTo)];
  return [
    // decode on one thread; times as they are
    ['-threads', '1', '-copyts', '-i', input.file],
    ['-map', '0:v:0', '-an', '-sn', '-dn'],
    ['-vf', [...size, 'format=yuv420p', ...firstPictureFilters(settings)].join(',')],
    // every picture at its own time
    ['-fps_mode', 'passthrough', '-enc_time_base', '1:90000'],
    // an IDR picture at the start of each GOP, and nowhere else
    ['-force_key_frames', keyTimes(input, settings.gopSegments)],
    encoderArgs(settings),
    ['-color_range', 'tv', '-colorspace', 'bt709'],
    ['-color_primaries', 'bt709', '-color_trc', 'bt709'],
    // equal input, equal bytes
    ['-fflags', '+bitexact', '-flags:v', '+bitexact', '-map_metadata', '-1'],
    // a pipe that reads as it goes
    ['-video_track_timescale', '90000', '-movflags', '+empty_moov+default_base_moof+frag_keyframe'],
    ['-frag_duration', `${FRAGMENT_US}`, '-f', 'mp4', 'pipe:1'],
  ];
}

/** x264's own, and the QP by which it lets quality fall with CRF in exchange for what its macroblock tree gives back. */
const X264_QCOMP = 0.6;
const X264_TREE_QP = 13.5;
/** Seconds of a picture at x264's base rate of 25 a second; six steps of QP double what a step is. */
const X264_BASE_S = 0.04;
const QP_PER_OCTAVE = 6;
const QP_RANGE = 51;

/**
 * x264 gives a key picture the QP of the pictures before it, and the first of all, which has none, its CRF: 4 to 6 more than all later ones
 * (ratecontrol.c, ABR_INIT_QP). A chunk's first picture is brought to where the others are, or each chunk would begin 3 dB worse.
 */
function firstPictureFilters({ video, fps }: EncodeSettings): string[] {
  if (video.codec !== 'avc') return [];
  const qcomp = Number(video.encoderArgs.qcomp ?? X264_QCOMP);
  const qp = (1 - qcomp) * (X264_TREE_QP - QP_PER_OCTAVE * Math.log2(X264_BASE_S * fps));
  const offset = Math.max(-1, -qp / QP_RANGE).toFixed(4);
  return [
    'split[head][tail];[head]trim=end_frame=1',
    `addroi=0:0:iw:ih:${offset}[first];[tail]trim=start_frame=1[others];[first][others]interleave`,
  ];
}

/** The scaling that profiles and quality measurements use: the same on every CPU. */
export function scaleFilter({ width, height }: PictureSize): string {
  return `scale=${width}:${height}:flags=bicubic+accurate_rnd+full_chroma_int+bitexact`;
}

/** Numbers of segments, from the first, that begin with an IDR picture. */
export function keySegments(segments: number, gopSegments: number): number[] {
  return Array.from({ length: Math.ceil(segments / gopSegments) }, (_, gop) => gop * gopSegments);
}

/** Whole milliseconds, as ffmpeg reads times. A lead-out begins a GOP, so that nothing before it refers to it. */
function keyTimes(
  { segments, hasLeadOut }: { readonly segments: number; readonly hasLeadOut: boolean },
  gopSegments: number,
): string {
  return [...keySegments(segments, gopSegments), ...(hasLeadOut ? [segments] : [])]
    .map((segment) => ((segment * SEGMENT_MS) / 1000).toFixed(3))
    .join(',');
}

function encoderArgs({ video, crf, fps }: EncodeSettings): string[] {
  const { codec, preset, threads } = video;
  const common = ['-c:v', ENCODERS[codec], '-preset', preset, '-crf', `${crf}`];
  switch (codec) {
    case 'avc':
      return [
        ...[...common, '-threads', `${threads}`, '-forced-idr', '1'],
        ...['-x264-params', joined({ ...video.encoderArgs, ...x264Params(fps) })],
      ];
    case 'hevc':
      return [
        ...[...common, '-forced-idr', '1', '-tag:v', 'hvc1'],
        ...['-x265-params', joined({ ...video.encoderArgs, ...x265Params(fps, threads) })],
      ];
    case 'av1':
      return [
        ...[...common, '-g', `${MAX_AV1_GOP}`],
        ...['-svtav1-params', joined({ ...video.encoderArgs, ...svtParams(threads) })],
      ];
  }
}

/** `stitchable`: headers do not depend on the pictures, so that chunks share theirs. */
function x264Params(fps: number): Record<string, string> {
  return {
    ...{ keyint: 'infinite', 'min-keyint': '1', scenecut: '0', 'open-gop': '0' },
    // every picture as if it lasted as long: or a chunk's first would be worse than others
    ...{
      'force-cfr': '1',
      stitchable: '1',
      'sliced-threads': '0',
      'lookahead-threads': '1',
      fps: `${fps}`,
    },
  };
}

/** Pools and frame threads are pinned: the output depends on them. */
function x265Params(fps: number, threads: number): Record<string, string> {
  return {
    ...{ keyint: '-1', 'min-keyint': '1', scenecut: '0', 'open-gop': '0', 'repeat-headers': '0' },
    ...{ 'frame-threads': '1', pools: threads === 1 ? 'none' : `${threads}`, fps: `${fps}` },
    ...{ wpp: threads === 1 ? '0' : '1', info: '0', 'log-level': 'warning' },
  };
}

/** No key picture but those asked for. */
const MAX_AV1_GOP = 1_000_000;

function svtParams(threads: number): Record<string, string> {
  return { lp: `${threads}`, scd: '0', 'enable-force-key-frames': '1' };
}

function joined(params: Readonly<Record<string, string>>): string {
  return Object.entries(params)
    .map(([name, value]) => `${name}=${value}`)
    .join(':');
}
