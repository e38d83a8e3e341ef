import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateTextSize, findBoardElement } from '../../../src/protocol/board-element.ts';
import { boardFileSchema, boardPresenceSchema } from '../../../src/protocol/whiteboard.ts';

const rectangle = { type: 'rectangle', x: 10, y: 20, width: 30, height: 40 };

describe('an element of a board', () => {
  it('gets what Excalidraw needs, and the id under which it lies', () => {
    expect(findBoardElement('e1', { ...rectangle, id: 'another' })).toMatchObject({
      ...rectangle,
      ...{ id: 'e1', strokeColor: '#1e1e1e', opacity: 100, groupIds: [], isDeleted: false },
    });
  });

  it('keeps nothing that could load something', () => {
    const element = findBoardElement('e1', {
      ...rectangle,
      link: 'https://example.org/',
      customData: { generationData: { html: '<script>' } },
    });
    expect(Object.keys(element ?? {})).not.toContain('link');
    expect(Object.keys(element ?? {})).not.toContain('customData');
  });

  it.each(['embeddable', 'iframe', 'magicframe', 'selection', 'canvas', undefined])(
    'is none where its type is %s',
    (type) => {
      expect(findBoardElement('e1', { ...rectangle, type })).toBeUndefined();
    },
  );

  it.each([
    { x: NaN },
    { width: Infinity },
    { y: 2e6 },
    { x: '10' },
    { strokeColor: 'url(https://example.org/x.svg#a)' },
    { strokeColor: 'var(--x)' },
    { strokeWidth: 1000 },
    { groupIds: 'g' },
  ])('is none with %o', (fields) => {
    expect(findBoardElement('e1', { ...rectangle, ...fields })).toBeUndefined();
  });

  it('is none where it is no object, nor wide as the world', () => {
    for (const value of [null, undefined, 5, 'x', true, [], 7n, new Uint8Array(4)]) {
      expect(findBoardElement('e1', value)).toBeUndefined();
    }
  });

  it('never throws, whatever is written', () => {
    fc.assert(
      fc.property(fc.anything(), fc.object(), (value, fields) => {
        findBoardElement('e1', value);
        findBoardElement('e1', { ...rectangle, ...fields });
      }),
    );
  });

  it('takes a growing stroke as points by twos, up to what may be drawn', () => {
    const stroke = (points: readonly number[]): unknown =>
      findBoardElement('e1', { element: { type: 'freedraw', x: 5, y: 6 }, points });
    expect(stroke([0, 0, 3, 4, 9])).toMatchObject({
      ...{ type: 'freedraw', x: 5, y: 6, simulatePressure: true },
      points: [
        [0, 0],
        [3, 4],
      ],
    });
    expect(stroke([0, NaN])).toBeUndefined();
    const long = stroke(Array.from({ length: 100_000 }, (_, i) => i % 100));
    expect((long as { points: unknown[] }).points).toHaveLength(20_000);
  });

  it('measures a text that has no size, wide enough for the script it is written in', () => {
    const text = { type: 'text', x: 0, y: 0, text: '勾股定理\nab', fontSize: 40 };
    expect(findBoardElement('e1', text)).toMatchObject({ width: 160, height: 100 });
    expect(findBoardElement('e1', { ...text, width: 200, height: 90 })).toMatchObject({
      ...{ width: 200, height: 90 },
    });
    const size = { fontSize: 100, lineHeight: 1 };
    expect(estimateTextSize('👩‍🏫', size).width).toBeGreaterThanOrEqual(130);
  });
});

describe('an image of a board', () => {
  const base64 = Buffer.from('not looked into').toString('base64');

  it('is a data URL of pixels, of the type it says', () => {
    const file = { mimeType: 'image/png', dataURL: `data:image/png;base64,${base64}` };
    expect(boardFileSchema.parse(file)).toEqual(file);
    for (const other of [
      { ...file, mimeType: 'image/svg+xml' },
      { ...file, mimeType: 'image/jpeg' },
      { mimeType: 'image/svg+xml', dataURL: `data:image/svg+xml;base64,${base64}` },
      { ...file, dataURL: 'https://example.org/x.png' },
      { ...file, dataURL: 'data:image/png,x' },
      { ...file, dataURL: `${file.dataURL}"onload` },
      { ...file, dataURL: `data:image/png;base64,${'A'.repeat(3_000_000)}` },
    ]) {
      expect(boardFileSchema.safeParse(other).success).toBe(false);
    }
  });
});

describe('a participant’s presence', () => {
  it('is a place and a tool; what the awareness has beside it is left out', () => {
    const pointer = { x: 1, y: 2, tool: 'laser' };
    expect(boardPresenceSchema.parse({ pointer, selectedElementIds: { a: true } })).toEqual({
      ...{ pointer, button: 'up' },
    });
    expect(boardPresenceSchema.safeParse({ pointer: { ...pointer, x: NaN } }).success).toBe(false);
  });
});
