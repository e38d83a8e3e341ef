import type { Box } from '../../../recorder/classroom/layout/box.ts';
import { planGeometry } from '../../../recorder/classroom/layout/geometry.ts';
import { DEFAULT_LAYOUT, type ClassLayout } from '../../../src/model/layout.ts';

/** Where the classroom page shows the pictures of a teacher and students, at 1280×720, with board and chat. */
export function picturePlaces(count: number, layout: ClassLayout = DEFAULT_LAYOUT): readonly Box[] {
  const tiles = Array.from({ length: count }, (_, i) => ({
    ...{ name: `${i}`, participantId: `${i}`, isShown: true, spokeMs: Number.NEGATIVE_INFINITY },
    role: i === 0 ? ('teacher' as const) : ('student' as const),
  }));
  const nobody = { focus: null, spotlight: null };
  const page = { width: 1280, height: 720, hasBoard: true, hasChat: true, page: 1 };
  const geometry = planGeometry({ ...page, tiles, layout, view: 'audience', ...nobody });
  return geometry.tiles.map(({ picture }) => picture);
}
