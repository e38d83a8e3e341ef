import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { planGeometry } from '../../../recorder/classroom/layout/geometry.ts';
import {
  GeometryLog,
  type GeometryEvent,
} from '../../../recorder/classroom/layout/geometry-log.ts';
import type { ClassLayout } from '../../../src/model/layout.ts';
import { classEventSchema } from '../../../src/protocol/class-event.ts';
import { MAX_SOURCES } from '../../../src/protocol/classroom.ts';

/** The page's handshake refuses longer messages. */
const MAX_MESSAGE_CHARACTERS = 16_384;

describe('the log of what is where', () => {
  let told: GeometryEvent[];
  let log: GeometryLog;
  beforeEach(() => {
    vi.useFakeTimers();
    told = [];
    log = new GeometryLog((event) => told.push(event));
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const geometry = (layout: ClassLayout, count = 3): ReturnType<typeof planGeometry> =>
    planGeometry({
      ...{
        layout,
        view: 'audience',
        focus: null,
        spotlight: null,
        page: 1,
        width: 1280,
        height: 720,
      },
      ...{ hasBoard: true, hasChat: true },
      tiles: Array.from({ length: count }, (_, i) => ({
        name: `n${i}`,
        // as long as an id may be
        participantId: `${i}`.padEnd(200, '老'),
        role: 'student' as const,
        isShown: false,
        spokeMs: Number.NEGATIVE_INFINITY,
      })),
    });

  it('says at once what is shown and from when, in pixels of the picture', () => {
    const atMs = Date.now();
    log.take(geometry('gallery', 1));
    expect(told).toMatchObject([
      {
        type: 'geometry',
        atMs,
        layout: 'gallery',
        view: 'audience',
        size: [1280, 720],
        board: null,
      },
    ]);
    expect(told[0]?.tiles).toHaveLength(1);
    const [x = 0, , width = 0, height = 0] = told[0]?.tiles[0]?.box ?? [];
    expect(x + width).toBeLessThan(1280);
    expect(height).toBe(Math.round((width * 9) / 16));
  });

  it('says nothing again, and of many changes the last', () => {
    log.take(geometry('gallery'));
    for (const layout of ['spotlight', 'whiteboard', 'one-to-one'] as const)
      log.take(geometry(layout));
    expect(told).toHaveLength(1);
    vi.advanceTimersByTime(250);
    expect(told.map(({ layout }) => layout)).toEqual(['gallery', 'one-to-one']);
    log.take(geometry('one-to-one'));
    vi.advanceTimersByTime(1000);
    expect(told).toHaveLength(2);
  });

  it('is an event that the recorder takes, however many tiles there are', () => {
    log.take(geometry('gallery', MAX_SOURCES));
    const text = JSON.stringify({ type: 'event', event: told[0] });
    expect(text.length).toBeLessThan(MAX_MESSAGE_CHARACTERS);
    expect(classEventSchema.parse(told[0])).toMatchObject({ type: 'geometry' });
  });
});
