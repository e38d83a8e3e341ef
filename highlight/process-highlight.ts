import { asChalkreelError, ChalkreelError } from '../src/errors.ts';
import { delay } from '../src/lifecycle.ts';
import { isPending, type Highlight } from '../src/model/highlight.ts';
import { traceOf } from '../src/model/recording.ts';
import type { RetryLater } from '../src/queue/consume.ts';
import { objectKeys } from '../src/storage/keys.ts';
import { makeClip, type ClipServices, type MadeClip } from './make-clip.ts';

/** Waits between tries in one go, ms: what fails for a moment costs a clip no more than that. */
const RETRY_DELAYS_MS = [500, 1000, 2000] as const;
/** Where the disk is full or the store away, a clip is put back and tried again after a tenth of the time it has waited. */
const RETRY_SHARE = 0.1;
const MIN_RETRY_MS = 2000;
const MAX_RETRY_MS = 60_000;
/** After a day nobody will mend what is broken any more. */
const GIVE_UP_AFTER_MS = 24 * 3_600_000;

/**
 * Makes a highlight's own media: waits for its segments, cuts, stores MP4 and poster once, and completes the record, or fails it with
 * its reason. May be repeated and killed at any moment: what is in the store stays, the rest is done again. While the disk is full or the store
 * away it resolves to when to try again, and says why in the record's `reason`. Rejects only when the record cannot be written, and with the
 * signal's reason when aborted.
 */
export async function processHighlight(
  highlightId: string,
  services: ClipServices,
  signal: AbortSignal,
): Promise<RetryLater | undefined> {
  const highlight = await services.highlights.find(highlightId);
  if (highlight === undefined || !isPending(highlight)) return undefined;
  const log = services.log.child(await describeFor(highlight, services));
  const startedAt = services.clock.monotonicMs();
  try {
    const made = await makeClipWithRetries(highlight, { ...services, log }, signal);
    const tookMs = Math.round(services.clock.monotonicMs() - startedAt);
    log.info({ tookMs, ...made }, 'clip completed');
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (!isStoreTrouble(error)) {
      await settleFailure(highlight, asChalkreelError(error), { ...services, log });
      return undefined;
    }
    return putOff(highlight, error, { ...services, log });
  }
}

/** What every line about a clip carries. */
async function describeFor(
  { id, recordingId }: Highlight,
  { recordings }: ClipServices,
): Promise<Readonly<Record<string, string>>> {
  // Trouble with reading it is for what follows to meet, and to say.
  const recording = await recordings.find(recordingId).catch(() => undefined);
  return { highlightId: id, recordingId, traceId: traceOf(recording ?? { id: recordingId }) };
}

async function makeClipWithRetries(
  highlight: Highlight,
  services: ClipServices,
  signal: AbortSignal,
): Promise<MadeClip> {
  for (const delayMs of RETRY_DELAYS_MS) {
    try {
      return await makeAndComplete(highlight, services, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isRetryable(error)) throw error;
      services.log.warn({ err: error, delayMs }, 'clip not made, trying again');
      await delay(delayMs, signal);
    }
  }
  return makeAndComplete(highlight, services, signal);
}

async function makeAndComplete(
  highlight: Highlight,
  services: ClipServices,
  signal: AbortSignal,
): Promise<MadeClip> {
  const made = await makeClip(highlight, services, signal);
  await services.highlights.update(highlight.id, (current) =>
    current.state === 'completed'
      ? current
      : {
          ...current,
          state: 'completed',
          reason: null,
          clip: made.clip,
          warnings: [...new Set([...current.warnings, ...made.warnings])],
        },
  );
  return made;
}

/** What is not ours (the disk, the operating system) may be mended by the next try. */
function isRetryable(error: unknown): boolean {
  return !(error instanceof ChalkreelError) || error.retryable;
}

/** Errors of the operating system, and of a store or Redis that is away: nothing is wrong with the clip. */
function isStoreTrouble(error: unknown): boolean {
  if (!(error instanceof ChalkreelError)) return findSystemCode(error) !== undefined;
  return error.retryable && error.fault === 'dependency' && !error.code.startsWith('ffmpeg-');
}

function findSystemCode(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

async function putOff(
  highlight: Highlight,
  error: unknown,
  services: ClipServices,
): Promise<RetryLater | undefined> {
  // A window may be of last week.
  const dueAtMs = Math.max(highlight.createdAtMs, highlight.window.endMs);
  const ageMs = services.clock.nowMs() - dueAtMs;
  if (ageMs > GIVE_UP_AFTER_MS) {
    await settleFailure(highlight, asChalkreelError(error, 'storage-unavailable'), services);
    return undefined;
  }
  const code = findSystemCode(error);
  const reason = code === 'ENOSPC' || code === 'EDQUOT' ? 'storage-full' : 'storage-unavailable';
  const retryAfterMs = Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, RETRY_SHARE * ageMs));
  services.log.warn({ err: error, reason, retryAfterMs }, 'clip put off');
  // A full disk may not take the record either: then nobody is told why it takes so long.
  await services.highlights
    .update(highlight.id, (current) =>
      !isPending(current) || current.reason === reason ? current : { ...current, reason },
    )
    .catch(() => undefined);
  return { retryAfterMs };
}

async function settleFailure(
  { id }: Highlight,
  error: ChalkreelError,
  { highlights, store, log }: ClipServices,
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
    !isPending(current)
      ? current
      : {
          ...current,
          state: 'failed',
          reason: error.code,
          warnings: [...current.warnings, sentence],
        },
  );
}
