import { ChalkreelError } from '../src/errors.ts';
import type { Log } from '../src/log.ts';
import { runFfmpeg } from '../src/media/ffmpeg.ts';
import type { Sps } from '../src/media/h264-parameter-sets.ts';
import { NAL_TYPE, nalType, nalUnits } from '../src/media/h264.ts';

export type EncodeHeadOptions = {
  /** Annex B access units from a key picture on. */
  readonly decode: readonly Uint8Array[];
  /** Pictures at the start of `decode` that are needed for decoding only. */
  readonly skip: number;
  /** What the pictures behind the head are like: the head is made the same. */
  readonly body: Sps;
  /** Id of the head's SPS and PPS, one that the body does not use. */
  readonly parameterSetId: number;
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log | undefined;
};

/** Visually lossless for screen and faces: the head is short, so bits are no concern. */
const CRF = 18;
/** Pictures between key pictures, where a whole clip is encoded anew: one segment's worth at 30 fps. */
const KEY_INTERVAL = 48;
const PROFILES: Readonly<Record<number, string>> = { 66: 'baseline', 77: 'main', 100: 'high' };

/**
 * Encodes pictures anew with x264 so that the first is a key picture: same profile, level and size as the body, one reference, no
 * B pictures, BT.709 limited range, other parameter set ids (lab: with equal ids players fail at the join). Resolves to one Annex B
 * access unit a picture. Errors as `runFfmpeg`; `clip-head-incomplete` when pictures are missing.
 */
export async function encodeHead(options: EncodeHeadOptions): Promise<Uint8Array[]> {
  const { decode, skip, signal, log } = options;
  const { stdout } = await runFfmpeg({ args: headArgs(options), input: decode, signal, log });
  const units = splitAtDelimiters(stdout);
  const expected = decode.length - skip;
  if (units.length === expected) return units;
  throw new ChalkreelError(
    'clip-head-incomplete',
    `Expected ${expected} pictures from the head's encoder, got ${units.length} (${decode.length} handed in).`,
  );
}

function headArgs({ skip, body, parameterSetId }: EncodeHeadOptions): string[][] {
  const x264 = [
    `sps-id=${parameterSetId}`,
    // a delimiter before each picture, to split at; dropped again
    'aud=1',
    // one reference, no look-ahead reordering, one slice a picture
    'ref=1:bframes=0:weightp=0:scenecut=0:sliced-threads=0',
    `keyint=${KEY_INTERVAL}:min-keyint=1`,
    'colorprim=bt709:transfer=bt709:colormatrix=bt709:fullrange=off',
  ];
  return [
    // access units as they are; the nominal rate only feeds rate control, times are the plan's
    ['-f', 'h264', '-framerate', '30', '-i', 'pipe:0'],
    // the pictures before the clip's first are for decoding only
    ['-vf', `trim=start_frame=${skip}`, '-fps_mode', 'passthrough'],
    ['-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency', '-crf', String(CRF)],
    ['-profile:v', PROFILES[body.profileIdc] ?? 'high', '-level', String(body.levelIdc / 10)],
    ['-pix_fmt', 'yuv420p', '-s', `${body.width}x${body.height}`, '-threads', '1'],
    ['-x264-params', x264.join(':')],
    ['-f', 'h264', 'pipe:1'],
  ];
}

/** Cuts an Annex B stream before each access unit delimiter (ITU-T H.264 §7.4.1.2.3). */
function splitAtDelimiters(stream: Buffer): Uint8Array[] {
  const starts: number[] = [];
  for (const nal of nalUnits(stream)) {
    if (nalType(nal) === NAL_TYPE.aud) starts.push(nal.byteOffset - stream.byteOffset - 3);
  }
  return starts.map((start, i) => stream.subarray(start, starts[i + 1] ?? stream.length));
}
