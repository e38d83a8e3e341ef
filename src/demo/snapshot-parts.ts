import { MAX_ROSTER_PART, type Snapshot, type SnapshotPart } from '../protocol/signalling.ts';

/** Lists of a snapshot in one message, bytes: with all else in it, it stays far below what clients take. */
const PART_BYTES = 48 * 1024;

/** What a snapshot lists, whole. */
export type SnapshotLists = Pick<Snapshot, 'highlights' | 'roster' | 'hands' | 'chat'> & {
  readonly rewards: NonNullable<Snapshot['rewards']>;
};

/** What matters most comes first. */
const ORDER = ['highlights', 'rewards', 'roster', 'hands', 'chat'] as const;

/** Sizes of what does not change, known once: a thousand who join are told of the same thousand. */
const sizes = new WeakMap<object, number>();

/** Cuts lists into the parts of a snapshot: all of them in order, none too long. The first goes into the snapshot itself. */
export function planSnapshotParts(lists: SnapshotLists): readonly SnapshotLists[] {
  let part = emptyLists();
  let bytes = 0;
  const parts = [part];
  for (const list of ORDER) {
    for (const item of lists[list]) {
      const size = sizeOf(item);
      if (bytes + size > PART_BYTES || part[list].length >= MAX_ROSTER_PART) {
        part = emptyLists();
        parts.push(part);
        bytes = 0;
      }
      (part[list] as (typeof item)[]).push(item);
      bytes += size;
    }
  }
  return parts;
}

/** A part as the message that follows the snapshot: lists that are empty are left out. */
export function toPartMessage(part: SnapshotLists): SnapshotPart {
  const filled = ORDER.filter((list) => part[list].length > 0);
  return { type: 'snapshot-part', ...Object.fromEntries(filled.map((list) => [list, part[list]])) };
}

function emptyLists(): SnapshotLists {
  return { highlights: [], rewards: [], roster: [], hands: [], chat: [] };
}

function sizeOf(item: object | string): number {
  if (typeof item === 'string') return item.length * 3 + 3;
  const known = sizes.get(item);
  if (known !== undefined) return known;
  const size = Buffer.byteLength(JSON.stringify(item)) + 1;
  sizes.set(item, size);
  return size;
}
