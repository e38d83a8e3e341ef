import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { readLasers } from '../../../recorder/classroom/board/lasers.ts';
import { BoardScene } from '../../../recorder/classroom/board/scene.ts';
import {
  elementsName,
  FILES,
  MAX_PAGE_ELEMENTS,
  PAGES,
  STATE,
  VIEW,
} from '../../../src/protocol/whiteboard.ts';

const shape = { type: 'ellipse', x: 0, y: 0, width: 10, height: 10 };
const stroke = (points: readonly number[]): Y.Map<unknown> =>
  new Y.Map<unknown>([
    ['element', { type: 'freedraw', x: 0, y: 0 }],
    ['points', Y.Array.from([...points])],
  ]);

/** A document, its first page's map, and a scene that reads it. */
function openScene(): {
  doc: Y.Doc;
  page: Y.Map<unknown>;
  scene: BoardScene;
  changes: () => number;
  ids: () => string[];
} {
  const doc = new Y.Doc();
  let count = 0;
  const scene = new BoardScene(doc, () => (count += 1));
  const ids = (): string[] => scene.read().elements.map(({ id }) => id);
  return { doc, page: doc.getMap(elementsName('1')), scene, changes: () => count, ids };
}

describe('a board’s scene', () => {
  it('shows the default view of the first page, where the document says nothing', () => {
    const { doc, page, scene, ids } = openScene();
    page.set('a', shape);
    expect(scene.read().view).toEqual({ page: '1', x: 0, y: 0, width: 1600, height: 800 });
    expect(ids()).toEqual(['a']);
    doc.getArray(PAGES).push([{ id: 'first', background: '#ffffff' }]);
    expect(scene.read()).toMatchObject({ view: { page: 'first' }, background: '#ffffff' });
  });

  it('follows page and region, and goes back to the default for a view that is none', () => {
    const { doc, scene, ids } = openScene();
    doc.getMap(elementsName('two')).set('b', shape);
    const view = { page: 'two', x: -5, y: 7, width: 300, height: 200 };
    doc.getMap(STATE).set(VIEW, view);
    expect(scene.read().view).toEqual(view);
    expect(ids()).toEqual(['b']);
    doc.getMap(STATE).set(VIEW, { ...view, width: 0 });
    expect(scene.read().view.page).toBe('1');
    expect(ids()).toEqual([]);
  });

  it('hears of changes to the page that is shown only', () => {
    const { doc, page, scene, changes } = openScene();
    scene.read();
    const before = changes();
    page.set('a', shape);
    expect(changes()).toBe(before + 1);
    doc.getMap(elementsName('2')).set('b', shape);
    expect(changes()).toBe(before + 1);
  });

  it('makes a new object of what changed, and keeps the others', () => {
    const { page, scene } = openScene();
    const growing = stroke([0, 0, 1, 1]);
    page.set('a', shape);
    page.set('b', growing);
    const [a, b] = scene.read().elements;
    (growing.get('points') as Y.Array<number>).push([2, 2]);
    const after = scene.read().elements;
    expect(after[0]).toBe(a);
    expect(after[1]).not.toBe(b);
    expect(after[1]).toMatchObject({
      points: [
        [0, 0],
        [1, 1],
        [2, 2],
      ],
    });
    expect(scene.read().elements).toBe(after);
  });

  it('sends the new points of a stroke, not the stroke', () => {
    const { doc, page } = openScene();
    const growing = stroke(Array.from({ length: 20_000 }, (_, i) => i % 500));
    page.set('b', growing);
    const sizes: number[] = [];
    doc.on('update', (update: Uint8Array) => sizes.push(update.length));
    (growing.get('points') as Y.Array<number>).push([501, 502, 503, 504]);
    expect(sizes).toHaveLength(1);
    expect(sizes[0]).toBeLessThan(100);
  });

  it('draws by index, then by time', () => {
    const { page, ids } = openScene();
    page.set('late', { ...shape, updated: 9 });
    page.set('early', { ...shape, updated: 3 });
    page.set('second', { ...shape, index: 'a1' });
    page.set('first', { ...shape, index: 'a0' });
    expect(ids()).toEqual(['first', 'second', 'early', 'late']);
  });

  it(
    'leaves out what is bad or too much, counts it, and shows the rest',
    { timeout: 20_000 },
    () => {
      const { page, scene, ids } = openScene();
      page.set('good', shape);
      page.set('gone', { ...shape, isDeleted: true });
      page.set('frame', { ...shape, type: 'iframe' });
      page.set('text', new Y.Text('x'));
      page.set('none', undefined);
      expect(ids()).toEqual(['good']);
      expect(scene.skipped).toBe(3);
      page.set('frame', shape);
      page.delete('text');
      expect(ids()).toEqual(['frame', 'good']);
      expect(scene.skipped).toBe(1);
      page.doc?.transact(() => {
        for (let i = 0; i < MAX_PAGE_ELEMENTS; i++) page.set(`e${i}`, shape);
      });
      expect(ids()).toHaveLength(MAX_PAGE_ELEMENTS);
      expect(scene.skipped).toBe(3);
    },
  );

  it('hands out each image once, and counts those that are none', () => {
    const { doc, scene } = openScene();
    const image = { mimeType: 'image/png', dataURL: 'data:image/png;base64,AAAA' };
    doc.getMap(FILES).set('i', image);
    doc
      .getMap(FILES)
      .set('s', { mimeType: 'image/svg+xml', dataURL: 'data:image/svg+xml;base64,AAAA' });
    expect(scene.takeNewFiles()).toEqual([{ id: 'i', ...image }]);
    expect(scene.takeNewFiles()).toEqual([]);
    expect(scene.skipped).toBe(1);
  });
});

describe('lasers', () => {
  const pointing = { pointer: { x: 1, y: 2, tool: 'laser' }, button: 'down' };

  it('are those of others on the page that is shown, and nobody’s mouse', () => {
    const states = new Map<number, unknown>([
      [1, { ...pointing, page: 'p', user: { name: 'Li', color: '#00ff00' } }],
      [2, { ...pointing, page: 'other' }],
      [3, { pointer: { x: 1, y: 2, tool: 'pointer' }, button: 'down' }],
      [4, { ...pointing, user: { color: 'url(x)' } }],
      [5, {}],
      [6, { ...pointing, button: 'up' }],
    ]);
    expect(readLasers(states, 'p')).toEqual([
      { id: 1, x: 1, y: 2, isDown: true, color: '#00ff00' },
      { id: 6, x: 1, y: 2, isDown: false, color: '#e03131' },
    ]);
  });
});
