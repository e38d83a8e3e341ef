import type { Redis } from 'ioredis';
import { isPending, type Highlight } from '../../model/highlight.ts';
import type { HighlightFilter, HighlightPage } from './highlight-repository.ts';
import { readCursor, readPage, writeCursor, type ListPlace } from './recording-cursor.ts';
import { redisKeys } from '../redis-keys.ts';
import type { Membership } from './redis-records.ts';

/** Records looked at in one step while a page is filled, and in one request at most: a page may be short before its list is over. */
const LIST_STEP = 100;
const MAX_LOOKED_AT = 1000;

/** The lists a highlight is in, and whether its clip is still to be made. All have the time of the trigger as score, so any of them can be paged alike. */
export function membershipsOf(highlight: Highlight): readonly Membership[] {
  const { recordingId, participants, tags, triggeredAtMs: score } = highlight;
  const keys = [
    redisKeys.highlights,
    redisKeys.highlightsOfRecording(recordingId),
    ...teachersOf(highlight).map(redisKeys.highlightsOfTeacher),
    ...participants.map(redisKeys.highlightsOfParticipant),
    ...tags.map(redisKeys.highlightsOfTag),
    ...(isPending(highlight) ? [redisKeys.pendingHighlights] : []),
  ];
  return [...new Set(keys)].map((key) => ({ key, score }));
}

/**
 * A page of highlights, newest moment first. Whatever is added or removed meanwhile, going from page to page shows each of the others
 * exactly once: a cursor is a place in time, not a number of rows.
 */
export async function findHighlights(
  filter: HighlightFilter,
  { redis, findMany }: HighlightSource,
): Promise<HighlightPage> {
  const key = await pickList(redis, filter);
  const { fromMs = 0, toMs, limit, cursor } = filter;
  const highlights: Highlight[] = [];
  let after: ListPlace | undefined =
    cursor === undefined ? before(toMs) : nearer(readCursor(cursor), before(toMs));
  for (let lookedAt = 0; lookedAt < MAX_LOOKED_AT; lookedAt += LIST_STEP) {
    const places = await readPage(redis, key, { after, limit: LIST_STEP });
    const found = new Map((await findMany(places.map(({ id }) => id))).map((h) => [h.id, h]));
    for (const place of places) {
      if (place.createdAtMs < fromMs) return { highlights, nextCursor: null };
      const highlight = found.get(place.id);
      if (highlight !== undefined && isMatch(highlight, filter)) {
        if (highlights.length === limit) return { highlights, nextCursor: writeCursor(after) };
        highlights.push(highlight);
      }
      after = place;
    }
    if (places.length < LIST_STEP) return { highlights, nextCursor: null };
  }
  return { highlights, nextCursor: writeCursor(after) };
}

type HighlightSource = {
  readonly redis: Redis;
  readonly findMany: (ids: readonly string[]) => Promise<readonly Highlight[]>;
};

/** Who asked for it, and the recording's teacher. */
function teachersOf({ requestedBy, teacher = null }: Highlight): readonly string[] {
  return [requestedBy, teacher].filter((who) => who !== null);
}

/** The place ahead of everything older than a time: no id is less than none. */
function before(toMs: number | undefined): ListPlace | undefined {
  return toMs === undefined ? undefined : { createdAtMs: toMs, id: '' };
}

/** The place further on in a list that goes back in time. */
function nearer(a: ListPlace, b: ListPlace | undefined): ListPlace {
  return b === undefined || a.createdAtMs < b.createdAtMs ? a : b;
}

/** The shortest list that holds everything asked for; a viewer's favourites are known only by theirs. */
async function pickList(redis: Redis, filter: HighlightFilter): Promise<string> {
  const { recordingId, teacher, participant, tag, favouriteOf } = filter;
  if (favouriteOf !== undefined) return redisKeys.favouritesOfViewer(favouriteOf);
  const keys = [
    ...(recordingId === undefined ? [] : [redisKeys.highlightsOfRecording(recordingId)]),
    ...(teacher === undefined ? [] : [redisKeys.highlightsOfTeacher(teacher)]),
    ...(participant === undefined ? [] : [redisKeys.highlightsOfParticipant(participant)]),
    ...(tag === undefined ? [] : [redisKeys.highlightsOfTag(tag)]),
  ];
  if (keys.length < 2) return keys[0] ?? redisKeys.highlights;
  const sizes = await Promise.all(keys.map((key) => redis.zcard(key)));
  return keys[sizes.indexOf(Math.min(...sizes))] ?? redisKeys.highlights;
}

function isMatch(highlight: Highlight, filter: HighlightFilter): boolean {
  const { recordingId, teacher, participant, tag, state } = filter;
  return (
    (state === undefined || highlight.state === state) &&
    (recordingId === undefined || highlight.recordingId === recordingId) &&
    (teacher === undefined || teachersOf(highlight).includes(teacher)) &&
    (participant === undefined || highlight.participants.includes(participant)) &&
    (tag === undefined || highlight.tags.includes(tag))
  );
}
