import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AAC_FRAMES_PER_SEGMENT } from '../../../src/model/grid.ts';
import { runProgram } from '../programs.ts';

/** Segments without a hole or a change of parameter sets between them, as one file: what a broadcast tool can read. */
export type Stretch = {
  readonly file: string;
  readonly segments: number;
  /** What ffprobe counts; every other tool must count the same. */
  readonly pictures: number;
  readonly audioFrames: number;
};

/** A recording as the tools are shown it. */
export type Subject = {
  readonly playlist: string;
  /** The same playlist over HTTP, for programs that run as another user or in a browser. */
  readonly url: string;
  readonly segments: number;
  /** Places of EXT-X-GAP entries in the playlist, from 0. */
  readonly holes: readonly number[];
  readonly stretches: readonly Stretch[];
};

/** Cuts the recording of a playlist into stretches, written into `workDir`. Throws where a segment is missing. */
export async function readSubject(
  { playlist, url }: Pick<Subject, 'playlist' | 'url'>,
  workDir: string,
): Promise<Subject> {
  const text = await readFile(playlist, 'utf8');
  const { groups, holes, segments } = readEntries(text);
  const stretches = await Promise.all(
    groups.map(async (uris, index) => {
      const files = uris.map((uri) => readFile(path.resolve(path.dirname(playlist), uri)));
      const file = path.join(workDir, `stretch-${index}.ts`);
      await writeFile(file, Buffer.concat(await Promise.all(files)));
      const pictures = await countPictures(file);
      const audioFrames = uris.length * AAC_FRAMES_PER_SEGMENT;
      return { file, segments: uris.length, pictures, audioFrames };
    }),
  );
  return { playlist, url, segments, holes, stretches };
}

type Entries = {
  readonly groups: readonly (readonly string[])[];
  readonly holes: readonly number[];
  readonly segments: number;
};

function readEntries(playlist: string): Entries {
  const groups: string[][] = [[]];
  const holes: number[] = [];
  let segments = 0;
  let isGap = false;
  for (const line of playlist.split(/\r?\n/)) {
    if (line === '#EXT-X-GAP') isGap = true;
    if (line === '#EXT-X-GAP' || line === '#EXT-X-DISCONTINUITY') groups.push([]);
    if (line === '' || line.startsWith('#')) continue;
    if (isGap) holes.push(segments);
    else groups.at(-1)?.push(line);
    isGap = false;
    segments += 1;
  }
  return { groups: groups.filter((uris) => uris.length > 0), holes, segments };
}

async function countPictures(file: string): Promise<number> {
  const { stdout } = await runProgram('ffprobe', [
    ...['-v', 'error', '-select_streams', 'v', '-count_packets'],
    ...['-show_entries', 'stream=nb_read_packets', '-of', 'csv=p=0', file],
  ]);
  return Number.parseInt(stdout.toString('utf8'), 10) || 0;
}
