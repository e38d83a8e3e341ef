import type { SegmentPlace } from '../../model/segment.ts';
import type { ObjectStore } from './object-store.ts';

/** Reads a part of a segment's bytes, from `start` to before `end` of its own. Throws `object-not-found`. */
export async function readPlace(
  store: ObjectStore,
  { object, offset }: SegmentPlace,
  { start, end }: { readonly start: number; readonly end: number },
): Promise<Buffer> {
  if (end <= start) return Buffer.alloc(0);
  const chunks: Buffer[] = [];
  const stream = await store.openStream(object, { start: offset + start, end: offset + end });
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}
