import { MAX_ROSTER, type Snapshot, type SnapshotPart } from '../../src/protocol/signalling.ts';

/** A snapshot with all its parts. */
export type WholeSnapshot = Omit<Snapshot, 'parts'>;

/** What came beyond this is not kept: no class has it. */
const MAX_ITEMS = {
  roster: MAX_ROSTER,
  hands: MAX_ROSTER,
  chat: 200,
  highlights: 100,
  rewards: 100,
};
const LISTS = ['roster', 'hands', 'chat', 'highlights', 'rewards'] as const;

/** Puts a snapshot together from its parts. */
export class SnapshotAssembly {
  #snapshot: WholeSnapshot | undefined;
  #partsLeft = 0;

  get hasBegun(): boolean {
    return this.#snapshot !== undefined;
  }

  /** The snapshot, when this was all that was missing. A part without a snapshot says nothing. */
  take(message: Snapshot | SnapshotPart): WholeSnapshot | undefined {
    if (message.type === 'snapshot') {
      const { parts = 0, ...snapshot } = message;
      this.#snapshot = snapshot;
      this.#partsLeft = parts;
    } else if (this.#snapshot === undefined || this.#partsLeft === 0) {
      return undefined;
    } else {
      this.#snapshot = withPart(this.#snapshot, message);
      this.#partsLeft -= 1;
    }
    return this.#partsLeft === 0 ? this.#snapshot : undefined;
  }
}

function withPart(snapshot: WholeSnapshot, part: SnapshotPart): WholeSnapshot {
  const joined = LISTS.map((list) => {
    const items: readonly unknown[] = [...(snapshot[list] ?? []), ...(part[list] ?? [])];
    return [list, items.slice(0, MAX_ITEMS[list])] as const;
  });
  return { ...snapshot, ...Object.fromEntries(joined) };
}
