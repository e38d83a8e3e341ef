import type { Clock } from '../src/clock.ts';
import { asChalkreelError, ChalkreelError } from '../src/errors.ts';
import { delay } from '../src/lifecycle.ts';
import type { Log } from '../src/log.ts';
import type { ClipMedia, ClipWindow, Highlight } from '../src/model/highlight.ts';
import type { SegmentEntry, SegmentPlace } from '../src/model/segment.ts';
import type { HighlightRepository } from '../src/storage/highlight-repository.ts';
import { objectKeys } from '../src/storage/keys.ts';
import type { ObjectStore } from '../src/storage/object-store.ts';
import type { RecordingRepository } from '../src/storage/recording-repository.ts';
import type { SegmentIndex } from '../src/storage/segment-index.ts';
import { assembleClip, type AssembledClip } from './assemble-clip.ts';
import { waitForMedia, type RecordedMedia } from './wait-for-media.ts';
import { clampWindow, findMediaSpan, selectSegments } from './window.ts';

export type HighlightServices = {
  readonly recordings: RecordingRepository;
  readonly highlights: HighlightRepository;
  readonly segments: SegmentIndex;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
};

/** Waits between tries, ms: a full disk or a store that is away for a minute costs a clip nothing but time. */
const RETRY_DELAYS_MS = [500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000] as const;

/**
 * Makes a highlight's own media: waits for its segments, cuts, stores MP4 and poster once, and completes the record, or fails it with
 * its reason. May be repeated and killed at any moment: what is in the store stays, the rest is done again. Rejects only when the
 * record cannot be written, and with the signal's reason when aborted.
 */
export async function processHighlight(
  highlightId: string,
  services: HighlightServices,
  signal: AbortSignal,
): Promise<void> {
  const highlight = await services.highlights.find(highlightId);
  if (highlight === undefined || isDone(highlight)) return;
  const log = services.log.child({ highlightId, recordingId: highlight.recordingId });
  const startedAt = services.clock.monotonicMs();
  try {
    const made = await makeClipWithRetries(highlight, { ...services, log }, signal);
    const tookMs = Math.round(services.clock.monotonicMs() - startedAt);
    log.info({ tookMs, ...made }, 'clip completed');
  } catch (error) {
    signal.throwIfAborted();
    await settleFailure(highlight, asChalkreelError(error), { ...services, log });
  }
}

async function makeClipWithRetries(
  highlight: Highlight,
  services: HighlightServices,
  signal: AbortSignal,
): Promise<MadeClip> {
  for (const delayMs of RETRY_DELAYS_MS) {
    try {
      return await makeClip(highlight, services, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isRetryable(error)) throw error;
      services.log.warn({ err: error, delayMs }, 'clip not made, trying again');
      await delay(delayMs, signal);
    }
  }
  return makeClip(highlight, services, signal);
}

/** What is not ours (the disk, the operating system) may be mended by the next try. */
function isRetryable(error: unknown): boolean {
  return !(error instanceof ChalkreelError) || error.retryable;
}

function isDone({ state }: Highlight): boolean {
  return state === 'completed' || state === 'failed';
}

type MadeClip = Pick<AssembledClip, 'pictures' | 'segments'> & { readonly clip: ClipMedia };

async function makeClip(
  asked: Highlight,
  services: HighlightServices,
  signal: AbortSignal,
): Promise<MadeClip> {
  const media = await waitForMedia(asked, services, signal);
  const highlight = await fixWindow(asked, media, services);
  const assembled = await assemble(highlight, media, services, signal);
  const clip = await storeClip(highlight.id, assembled, services.store);
  await services.highlights.update(highlight.id, (current) => ({
    ...current,
    state: 'completed',
    clip,
    warnings: [...new Set([...current.warnings, ...assembled.warnings])],
  }));
  return { clip, pictures: assembled.pictures, segments: assembled.segments };
}

/**
 * Clamps the asked window to the recording and writes it down, once: a second try cuts the same span. What the request said of the
 * window was provisional (the first picture may not have been there yet): it is said anew, so that each cut is told once.
 */
function fixWindow(
  { id }: Highlight,
  media: RecordedMedia,
  { highlights }: HighlightServices,
): Promise<Highlight> {
  return highlights.update(id, (current) => {
    if (current.state !== 'open') return current;
    const span = findMediaSpan(media.entries, media);
    const asked = askedWindow(current);
    const clamped = span === undefined ? undefined : clampWindow(asked, span);
    if (clamped?.window === undefined) throw emptyWindow(asked, span);
    const warnings = [...media.warnings, ...clamped.warnings];
    return { ...current, state: 'assembling', window: clamped.window, warnings };
  });
}

function askedWindow({ triggeredAtMs, beforeMs, afterMs }: Highlight): ClipWindow {
  return { startMs: triggeredAtMs - beforeMs, endMs: triggeredAtMs + afterMs };
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

function assemble(
  { window, triggeredAtMs }: Highlight,
  { entries, originMs }: RecordedMedia,
  { store, log }: HighlightServices,
  signal: AbortSignal,
): Promise<AssembledClip> {
  const needed = selectSegments(entries, { window, originMs });
  return assembleClip({
    segments: needed.map((entry) => toClipSegment(entry, store)),
    originMs,
    window,
    posterAtMs: triggeredAtMs,
    signal,
    log,
  });
}

function toClipSegment(
  { n, place }: SegmentEntry,
  store: ObjectStore,
): { n: number; read(): Promise<Uint8Array> } {
  return { n, read: () => readPlace(place, store) };
}

async function readPlace(
  { object, offset, length }: SegmentPlace,
  store: ObjectStore,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const stream = await store.openStream(object, { start: offset, end: offset + length });
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The poster goes first: who sees the MP4 finds the poster too. */
async function storeClip(
  id: string,
  { mp4, poster, durationMs }: AssembledClip,
  store: ObjectStore,
): Promise<ClipMedia> {
  const posterObject =
    poster === null ? null : await keepFirst(objectKeys.clipPoster(id), poster, store);
  const mp4Object = await keepFirst(objectKeys.clipMp4(id), Buffer.concat(mp4), store);
  return { mp4: { ...mp4Object, durationMs }, poster: posterObject };
}

/** Stores an object unless it is there: one highlight never becomes two different files. */
async function keepFirst(
  key: string,
  bytes: Uint8Array,
  store: ObjectStore,
): Promise<{ readonly object: string; readonly length: number }> {
  try {
    await store.putOnce(key, bytes);
    return { object: key, length: bytes.length };
  } catch (error) {
    const existing =
      asChalkreelError(error).code === 'object-exists' ? await store.find(key) : undefined;
    if (existing === undefined) throw error;
    return { object: key, length: existing.length };
  }
}

async function settleFailure(
  { id }: Highlight,
  error: ChalkreelError,
  { highlights, store, log }: HighlightServices,
): Promise<void> {
  if (error.code === 'highlight-not-found') {
    // Deleted meanwhile: leave nothing behind.
    await store.delete(objectKeys.clipPoster(id));
    await store.delete(objectKeys.clipMp4(id));
    return;
  }
  log.error({ err: error }, 'clip failed');
  const [sentence = error.message] = error.message.split('\n');
  await highlights.update(id, (current) =>
    isDone(current)
      ? current
      : {
          ...current,
          state: 'failed',
          reason: error.code,
          warnings: [...current.warnings, sentence],
        },
  );
}
