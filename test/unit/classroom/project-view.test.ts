import { describe, expect, it } from 'vitest';
import {
  planRefit,
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

/** Where a region drawn in one projection lies after it has been laid where another would draw it. */
function refitted(region: Region, drawn: Projection, wanted: Projection): Region {
  const { x, y, scale } = planRefit(drawn, wanted);
  const before = shownAt(region, drawn);
  return {
    x: x + before.x * scale,
    y: y + before.y * scale,
    width: before.width * scale,
    height: before.height * scale,
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

describe('a board whose place has changed', () => {
  it.each<{ about: string; from: Size; to: Size }>([
    { about: 'larger', from: { width: 400, height: 200 }, to: { width: 1200, height: 600 } },
    { about: 'smaller', from: { width: 1200, height: 600 }, to: { width: 300, height: 150 } },
    {
      about: 'of another shape',
      from: { width: 900, height: 300 },
      to: { width: 400, height: 700 },
    },
    { about: 'the same', from: { width: 800, height: 400 }, to: { width: 800, height: 400 } },
  ])('$about: what is drawn is laid where it would be drawn anew', ({ from, to }) => {
    for (const region of [board, { x: -300, y: 120, width: 640, height: 900 }]) {
      const [drawn, wanted] = [projectView(region, from), projectView(region, to)];
      // a part of it, so that its place counts and not the middle alone
      const part = { x: region.x + 10, y: region.y + 20, width: 30, height: 40 };
      const [at, should] = [refitted(part, drawn, wanted), shownAt(part, wanted)];
      for (const side of ['x', 'y', 'width', 'height'] as const)
        expect(at[side]).toBeCloseTo(should[side], 6);
    }
  });
});
