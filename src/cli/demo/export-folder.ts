import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../../folders.ts';
import { objectKeys } from '../../storage/keys.ts';
import type { ObjectStore } from '../../storage/objects/object-store.ts';

/** What a person needs of a recording; the rest of its folder is the system's own bookkeeping. */
const EXPORTED = /^(index\.m3u8|report\.json|events\.jsonl|segments\/.+\.ts)$/;

/** Copies a recording out of the store: `index.m3u8`, `report.json`, `events.jsonl`, `segments/`. */
export async function exportRecording(
  store: ObjectStore,
  id: string,
  folder: string,
): Promise<void> {
  const prefix = objectKeys.recordingFolder(id);
  for await (const { key } of store.list(prefix)) {
    const name = key.slice(prefix.length);
    if (!EXPORTED.test(name)) continue;
    const file = path.join(folder, name);
    await makeFolder(path.dirname(file));
    await writeFile(file, await store.read(key));
  }
}

/** Copies a clip: its MP4 and poster, and its playlist over the exported recording's segments beside it. */
export async function exportClip(
  store: ObjectStore,
  clip: { readonly id: string; readonly playlist: string },
  folder: string,
): Promise<void> {
  await makeFolder(folder);
  await writeFile(path.join(folder, 'clip.mp4'), await store.read(objectKeys.clipMp4(clip.id)));
  await writeFile(
    path.join(folder, 'poster.jpg'),
    await store.read(objectKeys.clipPoster(clip.id)),
  );
  const lines = clip.playlist
    .split('\n')
    .map((line) =>
      line === '' || line.startsWith('#')
        ? line
        : `../recording/segments/${path.posix.basename(line)}`,
    );
  await writeFile(path.join(folder, 'clip.m3u8'), lines.join('\n'));
}
