import type { ClassLayout, ClassView } from '../../../src/model/layout.ts';
import type { StreamSource } from '../../../src/model/recording.ts';

/** What is known of a stream when its place on screen is decided. */
export type LayoutTile = {
  /** Unique within the class. */
  readonly name: string;
  readonly participantId: string;
  readonly role: StreamSource['role'];
  /** Whether it is on screen now. */
  readonly isShown: boolean;
  /** When it was last heard to speak; −Infinity when never. */
  readonly spokeMs: number;
};

/** Whom the class or the platform wants to see, and with whose eyes. */
export type Attention = {
  readonly layout: ClassLayout;
  readonly view: ClassView;
  /** The participant the platform asks for, and the one the class has in its spotlight. */
  readonly focus: string | null;
  readonly spotlight: string | null;
};

/** The order tiles stand in: screens, then who teaches, then the others as they came; teachers see themselves last. */
export function displayOrder(tiles: readonly LayoutTile[], view: ClassView): readonly LayoutTile[] {
  const roles =
    view === 'audience'
      ? (['screen', 'teacher', 'tutor', 'student'] as const)
      : (['screen', 'student', 'tutor', 'teacher'] as const);
  return roles.flatMap((role) => tiles.filter((tile) => tile.role === role));
}

/** Who is shown large: who is asked for, a shared screen, then whomever the view is about. Undefined where there is nobody. */
export function findLead(
  tiles: readonly LayoutTile[],
  { layout, view, focus, spotlight }: Attention,
): LayoutTile | undefined {
  const ordered = displayOrder(tiles, view);
  const first = (role: LayoutTile['role']): LayoutTile | undefined =>
    ordered.find((tile) => tile.role === role);
  // in a dual-teacher class the lecturer stays on the big screen
  const wanted = focus ?? (layout === 'dual-teacher' ? null : spotlight);
  const asked = ordered.find(({ participantId }) => participantId === wanted);
  const found = asked ?? first('screen');
  if (found !== undefined) return found;
  if (view === 'audience') return first('teacher') ?? first('tutor') ?? ordered[0];
  const students = ordered.filter(({ role }) => role === 'student');
  const student = [...students].sort(byTime)[0];
  return layout === 'dual-teacher'
    ? (first('tutor') ?? student ?? ordered[0])
    : (student ?? ordered[0]);
}

/**
 * The tiles to show, in the order they stand in: who is asked for, screens and who teaches first, then who spoke last; among the others
 * those that are shown stay, so that nothing moves without a reason.
 */
export function chooseShown(
  tiles: readonly LayoutTile[],
  limit: number,
  { lead, attention }: { readonly lead: LayoutTile | undefined; readonly attention: Attention },
): readonly LayoutTile[] {
  const rank = (tile: LayoutTile): number => (tile === lead ? 4 : rankOf(tile, attention));
  const ranked = [...tiles].sort((a, b) => rank(b) - rank(a) || bySpeech(a, b));
  const chosen = new Set(ranked.slice(0, limit));
  return displayOrder(tiles, attention.view).filter((tile) => chosen.has(tile));
}

function rankOf({ participantId, role }: LayoutTile, { focus, spotlight }: Attention): number {
  if (participantId === focus || participantId === spotlight) return 3;
  if (role === 'screen') return 2;
  return role === 'student' ? 0 : 1;
}

function bySpeech(a: LayoutTile, b: LayoutTile): number {
  return byTime(a, b) || Number(b.isShown) - Number(a.isShown);
}

/** Who spoke last first; sorting keeps the order of equals. Subtraction is no number where both never spoke. */
function byTime(a: LayoutTile, b: LayoutTile): number {
  return a.spokeMs === b.spokeMs ? 0 : b.spokeMs - a.spokeMs;
}
