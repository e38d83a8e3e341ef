import { delay } from '../../lifecycle.ts';
import { findGeneration } from './generation.ts';
import type { Redis } from 'ioredis';
import { objectKeys } from '../keys.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import {
  reindexRecording,
  type RecordingFinding,
  type ReindexServices,
} from './reindex-recording.ts';

const POLL_MS = 200;
/** Recordings asked of Redis at once. */
const PAGE = 100;

/** What a look at everything found. */
export type Reindex = {
  readonly recordings: number;
  /** Those with something to tell: not in step, or with orphans or lost media. */
  readonly findings: readonly RecordingFinding[];
  /** Highlights that Redis did not know. */
  readonly highlights: number;
};

/**
 * Compares Redis with the store, recording by recording, and unless `dryRun` brings into Redis what is missing there. Waits for a rebuild that
 * is under way. `onFinding` is told each finding at once.
 */
export async function reindex(
  services: ReindexServices & { readonly redis: Redis },
  options: {
    readonly dryRun: boolean;
    /** Just this recording. */
    readonly recordingId?: string | undefined;
    readonly onFinding?: (finding: RecordingFinding) => void;
    readonly signal: AbortSignal;
  },
): Promise<Reindex> {
  const { dryRun, recordingId, signal } = options;
  const fence = dryRun ? '' : await untilComplete(services.redis, signal);
  const ids = recordingId === undefined ? await findAll(services) : [recordingId];
  const findings: RecordingFinding[] = [];
  for (const id of ids) {
    signal.throwIfAborted();
    const finding = await reindexRecording(id, services, { dryRun, fence, nowMs: Date.now() });
    if (finding.state === 'in-step' && isQuiet(finding)) continue;
    findings.push(finding);
    options.onFinding?.(finding);
  }
  const highlights = await restoreHighlights(services, { dryRun, recordingId, fence, signal });
  return { recordings: ids.length, findings, highlights };
}

function isQuiet({ orphans, missingInStore }: RecordingFinding): boolean {
  return orphans.length === 0 && missingInStore === 0;
}

/** The id of the generation, once all is back that was lost. */
async function untilComplete(redis: Redis, signal: AbortSignal): Promise<string> {
  for (;;) {
    const generation = await findGeneration(redis);
    if (generation?.isComplete === true) return generation.id;
    await delay(POLL_MS, signal);
  }
}

/** Ids in the store, then those that only Redis knows. */
async function findAll({
  redis,
  store,
  recordings,
}: ReindexServices & { readonly redis: Redis }): Promise<readonly string[]> {
  const ids = new Set<string>();
  for await (const id of store.listFolders(objectKeys.recordings)) ids.add(id);
  if ((await findGeneration(redis)) === undefined) return [...ids];
  let cursor: string | undefined;
  do {
    const page = await recordings.list({ limit: PAGE, cursor });
    for (const { id } of page.recordings) ids.add(id);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return [...ids];
}

/** Of one recording those that are open: the others have come with it. */
async function restoreHighlights(
  { store, restorer }: ReindexServices,
  options: {
    readonly dryRun: boolean;
    readonly recordingId: string | undefined;
    readonly fence: string;
    readonly signal: AbortSignal;
  },
): Promise<number> {
  const { dryRun, recordingId, fence, signal } = options;
  const missing = new Set<string>();
  for await (const id of findHighlights(store, { isOpenOnly: recordingId !== undefined })) {
    signal.throwIfAborted();
    if (await restorer.knowsHighlight(id)) continue;
    const stored = await restorer.findHighlight(id);
    if (stored === undefined) continue;
    if (recordingId !== undefined && stored.recordingId !== recordingId) continue;
    if (dryRun || (await restorer.restoreHighlight(id, fence)) !== undefined) missing.add(id);
  }
  return missing.size;
}

/** Ids in the store; those that are open may come twice. */
async function* findHighlights(
  store: ObjectStore,
  { isOpenOnly }: { readonly isOpenOnly: boolean },
): AsyncIterable<string> {
  const open = objectKeys.openHighlights;
  for await (const { key } of store.list(open)) yield key.slice(open.length);
  if (!isOpenOnly) yield* store.listFolders(objectKeys.highlights);
}
