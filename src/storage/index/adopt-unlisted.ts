import type { Log } from '../../log.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { readStoredIndex } from '../rebuild/rebuild-index.ts';
import type { SegmentIndex } from './segment-index.ts';

/**
 * An object younger than this may be on its way into the index, or be deleted by who has just been refused. A maker that is given up has
 * not been heard of for longer.
 */
const LEAST_AGE_MS = 3_000;

/**
 * Lists segments that were stored and never listed, because their maker died, or Redis lost its last second, in between. Looks only at what is
 * newer than the recording's journals. Resolves to how many there were.
 */
export async function adoptUnlisted(
  recordingId: string,
  parts: { readonly store: ObjectStore; readonly segments: SegmentIndex; readonly log: Log },
): Promise<number> {
  const { store, segments, log } = parts;
  const plan = await readStoredIndex(store, recordingId);
  const known = new Set((await segments.readAll(recordingId)).map(({ n }) => n));
  let adopted = 0;
  for (const entry of [...plan.entries.slice(plan.covered), ...plan.aside]) {
    const { n, lane, epoch } = entry;
    // From an object's name its entry's time is when that was stored.
    if (known.has(n) || Date.now() - entry.publishedAtMs < LEAST_AGE_MS) continue;
    const result = await segments.append(recordingId, entry, { isSalvaged: true });
    log.info({ event: 'unlisted-found', recordingId, n, lane, epoch, ...result });
    if (result.appended) adopted += 1;
  }
  return adopted;
}
