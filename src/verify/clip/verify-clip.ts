import { createHash } from 'node:crypto';
import { attempt } from '../attempt.ts';
import { createFindings, type Complain, type Report } from '../findings.ts';
import type { Context } from '../options.ts';
import type { Sps } from '../video/sps.ts';
import { findBox, getBox, parseBoxes, type Box } from './boxes.ts';
import { checkSound, checkVideo } from './check-codec.ts';
import { checkOverlap, checkTables, checkTimes, presentedDuration } from './check-track.ts';
import { readHeader, readTrack, type Track } from './track.ts';

/** What an end of picture and sound may differ by: one AAC frame, or one picture where that is longer. */
const AAC_FRAME_S = 1024 / 48_000;

/** Checks a clip: an MP4 that plays at once, exact in its times. */
export async function verifyClip(bytes: Uint8Array, context: Context): Promise<Report> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const findings = createFindings();
  const complain = findings.about(context.name);
  const refuse = (message: string): void => {
    complain('mp4-boxes', null, message);
  };
  const clip = attempt(() => checkClip(file, context.fps, complain), refuse) ?? NO_CLIP;
  const failure = await context.decode?.([bytes], 'mp4');
  if (failure) complain('decode', null, failure);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (context.expected && context.expected[0]?.sha256 !== sha256) {
    complain('content-changed', null, 'the file differs');
  }
  const count = (kind: Track['kind']) =>
    clip.tracks.find((track) => track.kind === kind)?.samples.length ?? 0;
  return {
    violations: findings.violations,
    summary: {
      input: context.name,
      kind: 'clip',
      segments: 0,
      gaps: 0,
      pictures: count('video'),
      audioFrames: count('audio'),
      bytes: bytes.length,
      fps: context.fps ?? null,
      width: clip.sps?.width ?? null,
      height: clip.sps?.height ?? null,
      ptsOrigin: null,
      decoded: context.decode !== undefined,
      notes: [],
      digests: [{ segment: context.name, n: null, sha256 }],
    },
  };
}

type Clip = { readonly tracks: readonly Track[]; readonly sps: Sps | undefined };

const NO_CLIP: Clip = { tracks: [], sps: undefined };

function checkClip(file: Buffer, fps: number | undefined, complain: Complain): Clip {
  const boxes = parseBoxes(file);
  checkOrder(boxes, complain);
  const moov = getBox(boxes, 'moov');
  const movie = readHeader(getBox(moov.children, 'mvhd').body);
  const traks = moov.children.filter((box) => box.type === 'trak');
  const tracks = traks.flatMap((trak) => readTrack(trak) ?? []);
  const kinds = tracks.map((track) => track.kind).sort().join(' and '); // prettier-ignore
  // A recording of sound alone gives clips of sound alone.
  if (kinds !== 'audio and video' && kinds !== 'audio') {
    complain('mp4-boxes', moov.start, `tracks: ${kinds || 'none'}`);
  }
  const mdats = boxes.filter((box) => box.type === 'mdat');
  let sps: Sps | undefined;
  for (const track of tracks) {
    checkTables(track, mdats, complain);
    checkTimes(track, movie.timescale, complain);
    if (track.kind === 'audio') checkSound(track, complain);
    else sps = checkVideo(track, { file, rate: fps ?? rateOf(track) }, complain);
  }
  checkOverlap(tracks, complain);
  checkMovieTimes(tracks, movie, complain);
  return { tracks, sps };
}

function checkOrder(boxes: readonly Box[], complain: Complain): void {
  if (boxes[0]?.type !== 'ftyp') complain('mp4-boxes', 0, `${boxes[0]?.type} comes first`);
  if (findBox(boxes, 'moof')) complain('mp4-boxes', 0, 'the file is fragmented');
  const [moov, mdat] = [getBox(boxes, 'moov'), getBox(boxes, 'mdat')];
  if (moov.start > mdat.start) complain('mp4-fast-start', moov.start, 'moov comes after mdat');
}

/**
 * Pictures a second: the mean, or what the middle one of their durations says where that is less. The first and the last may be
 * cut by a window whose ends lie inside a slot; the mean alone would make 361 pictures of 30 a second in 12 s.
 */
function rateOf({ samples, mediaDuration, timescale }: Track): number | undefined {
  const ticks = samples.map(({ duration }) => duration).sort((x, y) => x - y);
  const middle = ticks[Math.floor(ticks.length / 2)] ?? 0;
  if (mediaDuration <= 0 || middle <= 0) return undefined;
  return Math.min((samples.length * timescale) / mediaDuration, timescale / middle);
}

type Movie = { readonly timescale: number; readonly mediaDuration: number };

function checkMovieTimes(tracks: readonly Track[], movie: Movie, complain: Complain): void {
  const durations = tracks.map((track) => presentedDuration(track, movie.timescale));
  const longest = Math.max(0, ...durations);
  if (Math.abs(movie.mediaDuration - longest) > 1) {
    complain('mp4-duration', null, `mvhd says ${movie.mediaDuration}, tracks last ${longest}`);
  }
  const video = tracks.find((track) => track.kind === 'video');
  const pictureS = (video?.samples.at(-1)?.duration ?? 0) / (video?.timescale ?? 1);
  const allowed = Math.max(AAC_FRAME_S, pictureS) * movie.timescale + 1;
  if (longest - Math.min(longest, ...durations) > allowed) {
    const text = durations.map((duration) => duration / movie.timescale).join(' s and ');
    complain('mp4-duration', null, `picture and sound end apart: ${text} s`);
  }
}
