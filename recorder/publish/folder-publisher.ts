import { constants, existsSync } from 'node:fs';
import { access, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ChalkreelError } from '../../src/errors.ts';
import { makeFolder } from '../../src/folders.ts';
import { SEGMENT_MS } from '../../src/model/grid.ts';
import { writeMediaPlaylist, type PlaylistSegment } from '../../src/media/playlist.ts';
import type { PublishResult, SegmentPublisher } from './publisher.ts';
import type { ClosedSegment } from './segmenter.ts';

/** A recording in a plain folder: `index.m3u8`, true at any moment, and `segments/`. */
export type FolderPublisher = SegmentPublisher & {
  readonly playlist: string;
  /** Writes the final playlist, with ENDLIST. */
  finish(): Promise<void>;
};

/** Throws `folder-not-writable` or `folder-not-empty`. */
export async function openFolderPublisher(folder: string): Promise<FolderPublisher> {
  const playlist = path.join(folder, 'index.m3u8');
  const entries: PlaylistSegment[] = [];
  let firstNumber: number | undefined;
  let lastCodecHash: string | undefined;
  await prepareFolder(folder);
  const write = async (ended: boolean): Promise<void> => {
    const text = writeMediaPlaylist({
      mediaSequence: firstNumber ?? 0,
      type: ended ? 'VOD' : 'EVENT',
      ended,
      segments: entries,
    });
    await writeFile(`${playlist}.part`, text);
    await rename(`${playlist}.part`, playlist);
  };
  const publish = async (segment: ClosedSegment): Promise<PublishResult> => {
    const uri = `segments/${path.basename(segment.file)}`;
    await rename(segment.file, path.join(folder, uri));
    firstNumber ??= segment.n;
    entries.push({
      uri,
      startMs: segment.startMs,
      durationMs: SEGMENT_MS,
      discontinuity: lastCodecHash !== undefined && lastCodecHash !== segment.codecHash,
    });
    lastCodecHash = segment.codecHash;
    await write(false);
    return 'published';
  };
  return { playlist, publish, finish: () => write(true) };
}

async function prepareFolder(folder: string): Promise<void> {
  try {
    await makeFolder(path.join(path.resolve(folder), 'segments'));
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw folderError('folder-not-writable', `cannot write to ${folder} (${String(cause)})`, cause);
  }
  if (existsSync(path.join(folder, 'index.m3u8'))) {
    throw folderError(
      'folder-not-empty',
      `${folder} holds a recording already; name another folder`,
    );
  }
}

function folderError(code: string, message: string, cause?: unknown): ChalkreelError {
  return new ChalkreelError(code, `out: ${message}`, {
    fault: 'input',
    cause,
    details: { field: 'out' },
  });
}
