import type { HeardEvent } from '../../protocol/events-log.ts';
import { readEventChunks } from './event-chunks.ts';
import { joinEvents } from './join-events.ts';
import { objectKeys } from '../keys.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { removeFolder } from '../objects/remove-folder.ts';

/** Joined events as the text of `events.jsonl`, one JSON object a line. */
export function writeEventLog(events: readonly HeardEvent[], originMs: number): string {
  return events
    .map(({ atMs, type, ...rest }) => {
      const line = { offsetMs: Math.round(atMs - originMs), atMs, type, ...rest };
      return `${JSON.stringify(line)}\n`;
    })
    .join('');
}

/** A recording's log as it stands: `events.jsonl` once it is over, before that what was heard so far. */
export async function readEventLog(
  store: ObjectStore,
  recording: { readonly id: string; readonly originMs: number | null },
): Promise<Buffer> {
  const { id, originMs } = recording;
  const key = objectKeys.events(id);
  if ((await store.find(key)) !== undefined) return store.read(key);
  if (originMs === null) return Buffer.alloc(0);
  const heard = await readEventChunks(store, id);
  // It may have been written, and what it was made of removed, while that was read.
  if ((await store.find(key)) !== undefined) return store.read(key);
  return Buffer.from(writeEventLog(joinEvents(heard), originMs));
}

/**
 * Writes `events.jsonl` of a recording that is over, and removes what it was made of. May be repeated, also after it was cut short: a log
 * that is there is whole.
 */
export async function finishEventLog(
  store: ObjectStore,
  recording: { readonly id: string; readonly originMs: number | null },
): Promise<void> {
  const { id, originMs } = recording;
  if (originMs === null) return;
  const key = objectKeys.events(id);
  if ((await store.find(key)) === undefined) {
    await store.put(key, await readEventLog(store, recording));
  }
  await removeFolder(store, objectKeys.eventChunks(id));
}
