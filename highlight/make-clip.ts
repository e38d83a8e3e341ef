import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { asChalkreelError, ChalkreelError } from '../src/errors.ts';
import type { Log } from '../src/log.ts';
import type { ClipMedia, ClipWindow, Highlight } from '../src/model/highlight.ts';
import type { SegmentEntry } from '../src/model/segment.ts';
import { objectKeys } from '../src/storage/keys.ts';
import type { ObjectBody, ObjectStore } from '../src/storage/objects/object-store.ts';
import { readPlace } from '../src/storage/objects/read-place.ts';
import { ClipAssembly, type AssembledClip, type ClipCut } from './clip-assembly.ts';
import type { ClipSegment } from './clip-segment.ts';
import type { CutWindow } from './cut-plan.ts';
import { followMedia, type MediaServices, type RecordedMedia } from './follow-media.ts';
import type { Gate } from './gate.ts';
import {
  askedWindow,
  clampWindow,
  lastSegmentOf,
  selectSegments,
  wholeSegments,
} from './window.ts';

export type ClipServices = MediaServices & {
  readonly store: ObjectStore;
  readonly log: Log;
  /** Folder for clips being made; on the store's disk, so that they are moved and not copied. */
  readonly workDir: string;
  /** Programs that encode wait their turn here. */
  readonly encoders: Gate;
};

/** What a clip was made of, for the log. */
export type MadeClip = Pick<AssembledClip, 'pictures' | 'segments'> & {
  readonly clip: ClipMedia;
  readonly warnings: readonly string[];
};

/**
 * Makes a highlight's own media and stores it: follows its window until it is closed, preparing what is there, fixes the window in the record, cuts,
 * and stores poster and MP4, each once. May be repeated, and be done by several at once: the window is fixed by the first, and what is in the store
 * stays. Throws `clip-window-empty`, and what `followMedia`, `ClipAssembly` and the store throw.
 */
export async function makeClip(
  highlight: Highlight,
  services: ClipServices,
  signal: AbortSignal,
): Promise<MadeClip> {
  let assembly: ClipAssembly | undefined;
  try {
    for await (const media of followMedia(highlight, services, signal)) {
      if (media.originMs !== 0) assembly ??= openAssembly(media, services, signal);
      if (media.isClosed) return await completeClip(media, assembly, services);
      const window = findWindow(media);
      if (window !== undefined)
        await assembly?.prepare(toCut(window, media, services), media.decided);
    }
    throw new ChalkreelError('clip-media-lost', 'Expected the window to be closed in the end.');
  } finally {
    await assembly?.discard();
  }
}

function openAssembly(
  { highlight: { id, triggeredAtMs }, originMs, fps }: RecordedMedia,
  { workDir, encoders, log }: ClipServices,
  signal: AbortSignal,
): ClipAssembly {
  const file = path.join(workDir, `${id}-${randomUUID()}.mp4`);
  return new ClipAssembly({
    file,
    originMs,
    fps,
    posterAtMs: triggeredAtMs,
    encoders,
    signal,
    log,
  });
}

/** The window as it will be if the recording goes on; undefined while nothing of it is there. */
function findWindow({ highlight, span, originMs, entries }: RecordedMedia): ClipWindow | undefined {
  if (span === undefined) return undefined;
  const { window } = clampWindow(askedWindow(highlight), { ...span, endMs: Infinity });
  if (window === undefined || highlight.precision === 'frame') return window;
  const last = { n: lastSegmentOf(window, originMs) };
  return wholeSegments(window, [...entries, last], originMs)?.window;
}

async function completeClip(
  media: RecordedMedia,
  assembly: ClipAssembly | undefined,
  services: ClipServices,
): Promise<MadeClip> {
  const fixed = await fixWindow(media, services);
  const whole =
    fixed.precision === 'segment'
      ? wholeSegments(fixed.window, media.entries, media.originMs)
      : undefined;
  const window = whole?.window ?? fixed.window;
  if (assembly === undefined) throw emptyWindow(fixed.window, undefined);
  const assembled = await assembly.finish(toCut(window, media, services));
  const clip = await storeClip(fixed.id, assembled, services.store).finally(() =>
    // Moved into the store, unless that failed or one is there already.
    rm(assembled.file, { force: true }),
  );
  const { pictures, segments } = assembled;
  const warnings = [...(whole?.warnings ?? []), ...describeHoles(assembled, media.originMs)];
  return { clip, pictures, segments, warnings };
}

/**
 * Clamps the asked window to the recording and writes it down, once: a second try cuts the same span. What the request said of the
 * window was provisional (the first picture may not have been there yet): it is said anew, so that each cut is told once.
 */
function fixWindow(media: RecordedMedia, { highlights }: ClipServices): Promise<Highlight> {
  return highlights.update(media.highlight.id, (current) => {
    if (current.state !== 'open') return current;
    if (current.afterMs > media.highlight.afterMs) {
      // By a merge, in the moment it closed: followed again, to its new end.
      const message = 'Expected the window that was followed: it has grown meanwhile';
      throw new ChalkreelError('window-grown', message, { retryable: true });
    }
    const asked = askedWindow(current);
    const clamped = media.span === undefined ? undefined : clampWindow(asked, media.span);
    if (clamped?.window === undefined) throw emptyWindow(asked, media.span);
    const warnings = [...media.warnings, ...clamped.warnings];
    return { ...current, state: 'assembling', window: clamped.window, warnings };
  });
}

function emptyWindow(asked: ClipWindow, span: ClipWindow | undefined): ChalkreelError {
  const say = ({ startMs, endMs }: ClipWindow): string =>
    `${new Date(startMs).toISOString()} to ${new Date(endMs).toISOString()}`;
  return new ChalkreelError(
    'clip-window-empty',
    `Nothing was recorded in the window: asked for ${say(asked)}, ` +
      (span === undefined ? 'the recording has no segments.' : `recorded was ${say(span)}.`),
    { fault: 'input', details: { field: 'window' } },
  );
}

function toCut(
  window: ClipWindow,
  { entries, originMs }: RecordedMedia,
  { store }: ClipServices,
): ClipCut {
  const segments = selectSegments(entries, { window, originMs });
  return { window, segments: segments.map((entry) => toClipSegment(entry, store)) };
}

function toClipSegment({ n, place }: SegmentEntry, store: ObjectStore): ClipSegment {
  const read = (start: number, end: number): Promise<Buffer> =>
    readPlace(store, place, { start, end });
  return { n, bytes: { length: place.length, read } };
}

function describeHoles({ holes, poster }: AssembledClip, originMs: number): string[] {
  const say = ({ startMs, endMs }: CutWindow): string =>
    `Nothing was recorded from ${new Date(originMs + startMs).toISOString()} for ${endMs - startMs} ms: ` +
    (poster === null ? 'silence there.' : 'the last picture stays, without sound.');
  return holes.map(say);
}

/** The poster goes first: who sees the MP4 finds the poster too. */
async function storeClip(
  id: string,
  { file, length, poster, durationMs }: AssembledClip,
  store: ObjectStore,
): Promise<ClipMedia> {
  const posterObject =
    poster === null
      ? null
      : await keepFirst({ key: objectKeys.clipPoster(id), length: poster.length }, poster, store);
  const mp4 = await keepFirst({ key: objectKeys.clipMp4(id), length }, { file }, store);
  return { mp4: { ...mp4, durationMs }, poster: posterObject };
}

/** Stores an object unless it is there: one highlight never becomes two different files. */
async function keepFirst(
  { key, length }: { readonly key: string; readonly length: number },
  body: ObjectBody,
  store: ObjectStore,
): Promise<{ readonly object: string; readonly length: number }> {
  try {
    await store.putOnce(key, body);
    return { object: key, length };
  } catch (error) {
    const existing =
      asChalkreelError(error).code === 'object-exists' ? await store.find(key) : undefined;
    if (existing === undefined) throw error;
    return { object: key, length: existing.length };
  }
}
