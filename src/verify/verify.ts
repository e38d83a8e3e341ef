import { verifyClip } from './clip/verify-clip.ts';
import { findDecoder } from './decode.ts';
import type { Report } from './findings.ts';
import type { Context } from './options.ts';
import { openSource } from './source.ts';
import { verifyPlaylist } from './verify-playlist.ts';
import { verifySegment } from './verify-segment.ts';

export type TargetOptions = Omit<Context, 'decode' | 'name'> & {
  readonly bearer?: string | undefined;
  /** Whether to decode with ffmpeg where it is there. */
  readonly decode: boolean;
};

/** Checks a playlist with its segments, one segment or a clip, by path or URL; throws UnreadableInput. */
export async function verifyTarget(target: string, options: TargetOptions): Promise<Report> {
  const { input, ...reader } = await openSource(target, options.bearer);
  const decode = options.decode ? await findDecoder() : undefined;
  const context = { ...options, decode, name: target };
  if (isPlaylist(input)) return verifyPlaylist(Buffer.from(input).toString(), reader, context);
  if (isClip(input)) return verifyClip(input, context);
  return verifySegment(input, context);
}

function isPlaylist(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 4)).toString('latin1') === '#EXT';
}

function isClip(bytes: Uint8Array): boolean {
  const type = Buffer.from(bytes.subarray(4, 8)).toString('latin1');
  return ['ftyp', 'moov', 'mdat', 'styp'].includes(type);
}
