import type { Redis } from 'ioredis';
import { ChalkreelError } from '../../errors.ts';
import type { Highlight } from '../../model/highlight.ts';
import { isFinal, type Recording } from '../../model/recording.ts';
import type { SegmentEntry } from '../../model/segment.ts';
import type { FavouriteRepository } from '../records/favourite-repository.ts';
import { readWhole } from '../rebuild/generation.ts';
import type { HighlightRepository } from '../records/highlight-repository.ts';
import { objectKeys } from '../keys.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { isPinning, pinnedEntries } from './pins.ts';
import type { RecordingRepository } from '../records/recording-repository.ts';
import { removeFolder } from '../objects/remove-folder.ts';
import type { SegmentIndex } from '../index/segment-index.ts';
import type { ShareRepository } from '../records/share-repository.ts';

export type RemovalServices = {
  readonly redis: { readonly client: Redis };
  readonly recordings: RecordingRepository;
  readonly highlights: HighlightRepository;
  readonly favourites: FavouriteRepository;
  readonly shares: ShareRepository;
  readonly segments: SegmentIndex;
  readonly store: ObjectStore;
};

/** What one pass took away, and what is still needed. */
export type RecordingRemoval = {
  readonly segments: number;
  /** All objects, segments and re-encodes included. */
  readonly objects: number;
  readonly bytes: number;
  readonly shares: number;
  /** Ids of highlights that keep segments until they have media of their own. Empty: nothing of the recording is left. */
  readonly pinnedBy: readonly string[];
};

/**
 * Begins a recording's deletion: from then on nobody sees it, and no highlight can be made of it. Nothing to do when there is none, or when
 * another process was quicker. Throws `recording-not-final` while it runs.
 */
export async function beginRemoval(
  id: string,
  { recordings }: Pick<RemovalServices, 'recordings'>,
  options: { readonly nowMs: number; readonly when?: (recording: Recording) => boolean },
): Promise<void> {
  const { nowMs, when = () => true } = options;
  await unlessGone(
    recordings.update(id, (recording) => {
      if (recording.deletedAtMs !== undefined || !when(recording)) return recording;
      if (!isFinal(recording.state)) throw notFinal(recording);
      return { ...recording, deletedAtMs: Math.round(nowMs) };
    }),
  );
}

/**
 * Removes what is left of a recording whose deletion has begun, or whose record is gone: all but what highlights still need; the record at
 * last, when they need nothing. May be repeated, by several at once, and after it was cut short.
 */
export async function removeWhatIsFree(
  id: string,
  services: RemovalServices,
  options: { readonly nowMs: number },
): Promise<RecordingRemoval> {
  const { redis, recordings, shares, segments, store } = services;
  // In one life of Redis: the index of one that was emptied meanwhile would know of nothing that is needed.
  const pins = await readWhole(redis.client, () => readPins(id, services));
  const { ofRecording, pinning, pinned } = pins;
  for (const highlight of ofRecording) {
    if (!isPinning(highlight)) await tellPlaylistGone(highlight.id, services, options.nowMs);
  }
  const revoked = await shares.revokeAll({ kind: 'recording', targetId: id });
  // Before the journals, so that nobody writes another one.
  if (pinning.length === 0) await segments.delete(id);
  const needed = new Set(pinned.map(({ place }) => place.object));
  const folder = objectKeys.recordingFolder(id);
  const segmentsFolder = objectKeys.segments(id);
  const media = await removeFolder(store, segmentsFolder, { keep: (key) => needed.has(key) });
  const rest = await removeFolder(store, folder, {
    keep: (key) => needed.has(key) || (pinning.length > 0 && isRecord(key, id)),
    last: objectKeys.recording(id),
  });
  // Nothing of it is needed by clips, and whoever re-encodes it looks for the record when he is through.
  const archive = await removeFolder(store, objectKeys.archiveFolder(id));
  if (pinning.length === 0) await recordings.delete(id);
  return {
    segments: media.objects,
    objects: media.objects + rest.objects + archive.objects,
    bytes: media.bytes + rest.bytes + archive.bytes,
    shares: revoked,
    pinnedBy: pinning.map((highlight) => highlight.id),
  };
}

type Pins = {
  readonly ofRecording: readonly Highlight[];
  /** Those of them that still need segments, and the segments. */
  readonly pinning: readonly Highlight[];
  readonly pinned: readonly SegmentEntry[];
};

async function readPins(
  id: string,
  { recordings, highlights, segments }: RemovalServices,
): Promise<Pins> {
  const recording = await recordings.find(id);
  if (recording !== undefined && recording.deletedAtMs === undefined) {
    throw new ChalkreelError('removal-not-begun', `The deletion of recording ${id} has not begun`);
  }
  // In this order: what pins after the deletion began, has pinned before.
  const ofRecording = await highlights.listByRecording(id);
  const pinning = ofRecording.filter(isPinning);
  const entries = pinning.length === 0 ? [] : await segments.readAll(id);
  const pinned = pinnedEntries(entries, recording?.originMs ?? null, pinning);
  return { ofRecording, pinning, pinned };
}

/** What tells of the segments that are left, should Redis be lost. */
function isRecord(key: string, id: string): boolean {
  const folders = [objectKeys.journals(id), objectKeys.formerHighlightsOf(id)];
  return key === objectKeys.recording(id) || folders.some((folder) => key.startsWith(folder));
}

/** Before the segments go, so that nobody is shown a playlist of what is not there. A highlight deleted meanwhile has none either. */
async function tellPlaylistGone(
  id: string,
  { highlights }: Pick<RemovalServices, 'highlights'>,
  nowMs: number,
): Promise<void> {
  const playlistGoneAtMs = Math.round(nowMs);
  await unlessGone(
    highlights.update(id, (highlight) =>
      highlight.playlistGoneAtMs === undefined ? { ...highlight, playlistGoneAtMs } : highlight,
    ),
  );
}

/** What is gone meanwhile needs no change. */
async function unlessGone(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    const code = error instanceof ChalkreelError ? error.code : undefined;
    if (code !== 'recording-not-found' && code !== 'highlight-not-found') throw error;
  }
}

function notFinal({ id, state }: Recording): ChalkreelError {
  return new ChalkreelError(
    'recording-not-final',
    `Recording ${id} is ${state}: stop it first, and wait for its end`,
    { fault: 'input', details: { field: 'id' } },
  );
}
