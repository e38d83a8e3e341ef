import { describe, expect, it } from 'vitest';
import {
  projectView,
  type Projection,
  type Size,
} from '../../../recorder/classroom/board/project-view.ts';

type Region = Parameters<typeof projectView>[0];

/** The region as it lies on the host, CSS pixels: Excalidraw's own arithmetic. */
function shownAt(region: Region, { scrollX, scrollY, zoom }: Projection): Region {
  return {
    x: (region.x + scrollX) * zoom,
    y: (region.y + scrollY) * zoom,
    width: region.width * zoom,
    height: region.height * zoom,
  };
}

const board = { x: 0, y: 0, width: 1600, height: 800 };

describe('the teacher’s view', () => {
  it.each<{ about: string; region: Region; size: Size; at: Region }>([
    {
      about: 'the same shape fills the host',
      ...{ region: board, size: { width: 800, height: 400 } },
      at: { x: 0, y: 0, width: 800, height: 400 },
    },
    {
      about: 'a wide region is shown whole, in the middle of a high host',
      ...{ region: board, size: { width: 800, height: 600 } },
      at: { x: 0, y: 100, width: 800, height: 400 },
    },
    {
      about: 'a high region is shown whole, in the middle of a wide host',
      ...{ region: { x: 50, y: -20, width: 100, height: 400 }, size: { width: 800, height: 400 } },
      at: { x: 350, y: 0, width: 100, height: 400 },
    },
    {
      about: 'a small region is enlarged',
      ...{ region: { x: 1000, y: 500, width: 40, height: 20 }, size: { width: 800, height: 400 } },
      at: { x: 0, y: 0, width: 800, height: 400 },
    },
  ])('$about', ({ region, size, at }) => {
    const shown = shownAt(region, projectView(region, size));
    for (const side of ['x', 'y', 'width', 'height'] as const) {
      expect(shown[side]).toBeCloseTo(at[side], 6);
    }
  });

  it('stays within what Excalidraw can zoom, and in the middle', () => {
    const vast = { x: 0, y: 0, width: 1_000_000, height: 500_000 };
    const far = projectView(vast, { width: 800, height: 400 });
    expect(far.zoom).toBe(0.1);
    expect(shownAt({ ...vast, x: 500_000, y: 250_000 }, far)).toMatchObject({ x: 400, y: 200 });
    const tiny = { x: 7, y: 7, width: 1, height: 1 };
    expect(projectView(tiny, { width: 800, height: 400 }).zoom).toBe(30);
  });
});
