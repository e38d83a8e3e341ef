import type { Redis } from 'ioredis';
import { inputError } from '../../errors.ts';

/** A place in a list of recordings, newest first; ids decide between recordings of the same millisecond. */
export type ListPlace = { readonly createdAtMs: number; readonly id: string };

/** A place as the opaque text that clients send back. */
export function writeCursor(place: ListPlace | undefined): string | null {
  if (place === undefined) return null;
  return Buffer.from(`${place.createdAtMs}:${place.id}`).toString('base64url');
}

/** Reads what `writeCursor` wrote; throws an input error for anything else. */
export function readCursor(cursor: string): ListPlace {
  const match = /^(\d+(?:\.\d+)?):(.+)$/.exec(Buffer.from(cursor, 'base64url').toString());
  const [, createdAtMs, id] = match ?? [];
  if (createdAtMs === undefined || id === undefined) {
    throw inputError('cursor', 'Expected a cursor from the page before');
  }
  return { createdAtMs: Number(createdAtMs), id };
}

/** Up to `limit` members of a sorted set by falling score, then falling id, after a place. */
export async function readPage(
  redis: Redis,
  key: string,
  options: { readonly after: ListPlace | undefined; readonly limit: number },
): Promise<readonly ListPlace[]> {
  const { after, limit } = options;
  const places: ListPlace[] = [];
  for (let offset = 0; ; offset += limit) {
    const chunk = await redis.zrevrangebyscore(
      key,
      after?.createdAtMs ?? '+inf',
      '-inf',
      'WITHSCORES',
      'LIMIT',
      offset,
      limit,
    );
    for (let i = 0; i + 1 < chunk.length; i += 2) {
      const place = { id: String(chunk[i]), createdAtMs: Number(chunk[i + 1]) };
      if (isAfter(place, after)) places.push(place);
      if (places.length === limit) return places;
    }
    if (chunk.length < 2 * limit) return places;
  }
}

function isAfter(place: ListPlace, after: ListPlace | undefined): boolean {
  if (after === undefined || place.createdAtMs < after.createdAtMs) return true;
  return place.createdAtMs === after.createdAtMs && place.id < after.id;
}
