import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { EncodedPacketSink, FilePathSource, HLS_FORMATS, Input, type InputTrack } from 'mediabunny';
import { miscount } from './program.ts';
import type { Subject } from './stretch.ts';

/** A tick of 90 kHz is 11 µs; seconds of Unix time as a double are exact to 0.2 µs. */
const TOLERANCE_S = 2e-6;

/** mediabunny's complaints: its HLS reader on a playlist without holes, its TS reader on every stretch. */
export async function runMediabunny(subject: Subject): Promise<string[]> {
  const { playlist, holes, stretches } = subject;
  const complaints: string[] = [];
  for (const stretch of stretches) {
    complaints.push(...(await read(stretch.file, stretch, undefined)));
  }
  // It does not know EXT-X-GAP and opens the file that is not there.
  const [only] = stretches;
  if (holes.length === 0 && stretches.length === 1 && only !== undefined) {
    complaints.push(...(await read(playlist, only, await firstDateS(playlist))));
  }
  return complaints;
}

type Counts = { readonly pictures: number; readonly audioFrames: number };

async function read(file: string, expected: Counts, startS: number | undefined): Promise<string[]> {
  const input = new Input({ source: new FilePathSource(file), formats: HLS_FORMATS });
  try {
    const tracks = await input.getTracks();
    const counts = { pictures: 0, audioFrames: 0 };
    const complaints: string[] = [];
    for (const track of tracks) {
      const { packets, problems } = await readPackets(track, startS);
      counts[track.type === 'video' ? 'pictures' : 'audioFrames'] += packets;
      complaints.push(...problems);
    }
    return [
      ...miscount('tracks', tracks.length, expected.pictures > 0 ? 2 : 1),
      ...miscount('pictures', counts.pictures, expected.pictures),
      ...miscount('AAC frames', counts.audioFrames, expected.audioFrames),
      ...complaints,
    ];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  } finally {
    input.dispose();
  }
}

/** Counts a track's packets; times must rise, and start at `startS` (Unix time) where the playlist has dates. */
async function readPackets(
  track: InputTrack,
  startS: number | undefined,
): Promise<{ packets: number; problems: string[] }> {
  const problems: string[] = [];
  let packets = 0;
  let before: number | undefined;
  for await (const { timestamp } of new EncodedPacketSink(track).packets()) {
    if (before === undefined && startS !== undefined && differ(timestamp, startS)) {
      problems.push(`${track.type} starts at ${timestamp} s, expected ${startS} s`);
    }
    if (before !== undefined && timestamp <= before) {
      problems.push(`${track.type} goes from ${before} s to ${timestamp} s`);
    }
    before = timestamp;
    packets += 1;
  }
  return { packets, problems };
}

function differ(one: number, other: number): boolean {
  return Math.abs(one - other) > TOLERANCE_S;
}

async function firstDateS(playlist: string): Promise<number | undefined> {
  const date = /^#EXT-X-PROGRAM-DATE-TIME:(.+)$/m.exec(await readFile(playlist, 'utf8'))?.[1];
  return date === undefined ? undefined : Date.parse(date) / 1000;
}

/** The version of mediabunny that is installed. */
export async function mediabunnyVersion(): Promise<string> {
  const main = createRequire(import.meta.url).resolve('mediabunny');
  const root = main.slice(0, main.lastIndexOf(`${path.sep}dist${path.sep}`));
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}
