import type { StreamSource } from '../../src/model/recording.ts';
import type { ClassroomLayout } from '../../src/protocol/signalling.ts';

/** Tiles that fit a layout at 1280×720 with names legible. The rest is heard, and shown when its turn comes. */
export const MAX_TILES: Readonly<Record<ClassroomLayout, number>> = {
  board: 6,
  speaker: 7,
  grid: 9,
};

/** What is known of a stream when its place on screen is decided. */
export type Candidate = {
  readonly name: string;
  readonly source: Pick<StreamSource, 'participantId' | 'role'>;
  readonly isShown: boolean;
  /** When it was last heard to speak; −Infinity when never. */
  readonly spokeMs: number;
};

/**
 * Names of the streams to show, in their order: screens, the spotlit one and who teaches first, then who spoke last; among the
 * others those that are shown stay, so that nothing moves without a reason.
 */
export function chooseShown(
  candidates: readonly Candidate[],
  options: { readonly limit: number; readonly spotlight: string | null },
): readonly string[] {
  if (candidates.length <= options.limit) return candidates.map(({ name }) => name);
  const ranked = candidates
    .map((candidate, order) => ({
      ...candidate,
      order,
      rank: rankOf(candidate, options.spotlight),
    }))
    .sort(
      (a, b) =>
        b.rank - a.rank ||
        compare(b.spokeMs, a.spokeMs) ||
        Number(b.isShown) - Number(a.isShown) ||
        a.order - b.order,
    );
  return ranked
    .slice(0, options.limit)
    .sort((a, b) => a.order - b.order)
    .map(({ name }) => name);
}

function rankOf({ source }: Candidate, spotlight: string | null): number {
  if (source.participantId === spotlight) return 3;
  if (source.role === 'screen') return 2;
  return source.role === 'student' ? 0 : 1;
}

/** Subtraction is no number where both never spoke. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
