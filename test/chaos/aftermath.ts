import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../../src/folders.ts';
import { SEGMENT_MS } from '../../src/model/grid.ts';
import type { Recording } from '../../src/model/recording.ts';
import { verifyTarget } from '../../src/verify/verify.ts';
import { readBarcodes } from '../support/barcode-reader.ts';
import { decodePcm, type Pcm } from '../support/pcm.ts';
import { FRAME_MS } from './class-page.ts';
import type { Fleet } from './fleet.ts';
import type { Lesson } from './lesson.ts';
import { findAbsences, placePictures, type Absence, type Shown } from './lost-time.ts';
import { readPlaylist, type ReadPlaylist } from './served-playlist.ts';

/** What is left of a recording that is over, read from outside alone. */
export type Aftermath = {
  readonly recording: Recording;
  /** The playlist that grew, and the final one. */
  readonly served: ReadPlaylist;
  readonly final: ReadPlaylist;
  /** Rules broken, by `verify`, in either. */
  readonly violations: readonly string[];
  readonly shown: readonly Shown[];
  readonly absences: readonly Absence[];
  readonly pcm: Pcm;
  /** Segments that were served at some time and are not in the final playlist, or cannot be downloaded. */
  readonly lostSegments: readonly string[];
  /** Numbers that have two objects in playlists. */
  readonly twice: readonly number[];
  /** Objects in the store that stand in no playlist. */
  readonly unlisted: readonly string[];
};

/** Downloads a finished recording over HTTP, verifies it and reads its pictures and sound back. */
export async function readAftermath(
  fleet: Fleet,
  lesson: Lesson,
  stoppedAtMs: number,
): Promise<Aftermath> {
  const recording = await lesson.find();
  if (recording === undefined) throw new Error('Expected the recording, the api did not have it');
  const folder = path.join(fleet.folder, 'downloaded');
  const base = `/v1/recordings/${lesson.id}`;
  const names = { served: 'index.m3u8', final: 'final.m3u8' };
  const served = await download(fleet, `${base}/${names.served}`, path.join(folder, names.served));
  const final = await download(fleet, `${base}/${names.final}`, path.join(folder, names.final));
  const whole = readPlaylist(String(final));
  const grown = readPlaylist(String(served));
  const uris = new Set(
    [...whole.entries, ...grown.entries].flatMap((e) => (e.isGap ? [] : [e.uri])),
  );
  const parts = new Map<string, Buffer>();
  const missing: string[] = [];
  for (const uri of uris) {
    const bytes = await download(fleet, `${base}/${uri}`, path.join(folder, uri)).catch(
      () => undefined,
    );
    if (bytes === undefined) missing.push(uri);
    else parts.set(uri, bytes);
  }
  const media = path.join(folder, 'whole.ts');
  await writeFile(media, Buffer.concat(whole.entries.flatMap(({ uri }) => parts.get(uri) ?? [])));
  const shown = placePictures(await readBarcodes(media), whole);
  const finalUris = new Set(whole.entries.map(({ uri }) => uri));
  return {
    recording,
    served: grown,
    final: whole,
    violations: [
      ...(await violationsOf(path.join(folder, names.final), true)),
      ...(await violationsOf(path.join(folder, names.served), false)),
    ],
    shown,
    absences: findAbsences(shown, { frameMs: FRAME_MS, endMs: stoppedAtMs }),
    pcm: await decodePcm(media),
    lostSegments: [...missing, ...[...lesson.seen.keys()].filter((uri) => !finalUris.has(uri))],
    twice: findTwice([...whole.entries, ...grown.entries]),
    unlisted: await findUnlisted(fleet, lesson.id, uris),
  };
}

/** The media a playlist says is missing, s. */
export function gapSeconds({ entries }: ReadPlaylist): number {
  return (entries.filter(({ isGap }) => isGap).length * SEGMENT_MS) / 1000;
}

async function download(fleet: Fleet, link: string, file: string): Promise<Buffer> {
  const answer = await fleet.request(link);
  if (!answer.ok) throw new Error(`${link} answered ${answer.status}: ${await answer.text()}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  await makeFolder(path.dirname(file));
  await writeFile(file, bytes);
  return bytes;
}

async function violationsOf(playlist: string, decode: boolean): Promise<string[]> {
  const { violations } = await verifyTarget(playlist, { decode });
  return violations.map(({ rule, segment, message }) => `${rule} ${segment}: ${message}`);
}

function findTwice(entries: ReadPlaylist['entries']): number[] {
  const uris = new Map<number, string>();
  const twice = new Set<number>();
  for (const { n, uri, isGap } of entries) {
    if (isGap) continue;
    if ((uris.get(n) ?? uri) !== uri) twice.add(n);
    uris.set(n, uri);
  }
  return [...twice];
}

async function findUnlisted(
  fleet: Fleet,
  id: string,
  listed: ReadonlySet<string>,
): Promise<string[]> {
  const folder = path.join(fleet.dataDir, 'storage/recordings', id, 'segments');
  const files = await readdir(folder).catch(() => []);
  return files.filter((file) => !listed.has(`segments/${file}`));
}
