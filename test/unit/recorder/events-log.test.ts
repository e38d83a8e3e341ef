import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventsLog } from '../../../recorder/class/events-log.ts';
import { createLog } from '../../../src/log.ts';
import type { ClassEvent } from '../../../src/protocol/class-event.ts';
import type { HighlightTrigger } from '../../../src/protocol/highlight-trigger.ts';

const NOW_MS = 1_750_000_000_000;
/** The page's machine is 40 s behind the fleet. */
const AHEAD_MS = 40_000;

type Line = Record<string, unknown>;

function openLog(): { log: EventsLog; writes: Line[][]; fail: (times: number) => void } {
  const writes: Line[][] = [];
  let failures = 0;
  const log = new EventsLog({
    sink: async (lines) => {
      if (failures-- > 0) throw new Error('storage is away');
      writes.push(lines.map((line) => JSON.parse(line) as Line));
    },
    nowMs: () => NOW_MS + performance.now(),
    pageNowMs: () => NOW_MS + performance.now() - AHEAD_MS,
    log: createLog('test', 'silent'),
    signal: new AbortController().signal,
  });
  return { log, writes, fail: (times) => (failures = times) };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the events a worker keeps', () => {
  it('are written within a second, together, on the fleet’s clock', async () => {
    const { log, writes } = openLog();
    const atMs = NOW_MS + performance.now() - AHEAD_MS - 250;
    log.hear({ type: 'chat', eventId: 'c', atMs, text: '老师好' });
    log.hear({ type: 'geometry', offsetMs: 7 });
    expect(writes).toEqual([]);
    await vi.advanceTimersByTimeAsync(999);
    const heardMs = Math.round(atMs + AHEAD_MS);
    expect(writes).toEqual([
      [
        { type: 'chat', eventId: 'c', atMs: heardMs, text: '老师好' },
        { type: 'geometry', atMs: heardMs + 250 },
      ],
    ]);
  });

  it('are kept while storage is away, and written in order when it is back', async () => {
    const { log, writes, fail } = openLog();
    fail(3);
    log.hear({ type: 'chat', eventId: 'a' });
    await vi.advanceTimersByTimeAsync(800);
    log.hear({ type: 'chat', eventId: 'b' });
    await vi.advanceTimersByTimeAsync(5000);
    expect(writes.flat().map(({ eventId }) => eventId)).toEqual(['a', 'b']);
  });

  it('are the moments, too, and the same heard again is one', async () => {
    const { log, writes } = openLog();
    const run = new EventEmitter<{ highlight: [HighlightTrigger]; classEvent: [ClassEvent] }>();
    log.follow(run);
    run.emit('highlight', { triggerId: 'm', title: '那一刻', beforeMs: 9000 });
    run.emit('highlight', { triggerId: 'm', title: '那一刻', beforeMs: 9000 });
    run.emit('classEvent', { type: 'reward', eventId: 'm' });
    await vi.advanceTimersByTimeAsync(1000);
    expect(writes.flat()).toMatchObject([
      { type: 'highlight', eventId: 'm', title: '那一刻', beforeMs: 9000 },
      { type: 'reward', eventId: 'm' },
    ]);
  });

  it('are placed now where a page says nonsense', async () => {
    const { log, writes } = openLog();
    log.hear({ type: 'a', atMs: 0 });
    log.hear({ type: 'b', atMs: 1e15 });
    await vi.advanceTimersByTimeAsync(1000);
    const [past, future] = writes.flat();
    expect(NOW_MS - Number(past?.atMs)).toBeLessThanOrEqual(86_400_000);
    expect(Number(future?.atMs) - NOW_MS - performance.now()).toBeLessThanOrEqual(1000);
  });

  it('are bounded, and the log says how many were left out', async () => {
    const { log, writes } = openLog();
    for (let i = 0; i < 10_000; i++) log.hear({ type: 'flood', i });
    await vi.advanceTimersByTimeAsync(1000);
    const lines = writes.flat();
    const kept = lines.filter(({ type }) => type === 'flood').length;
    expect(kept).toBe(6000);
    expect(lines.at(-1)).toMatchObject({ type: 'dropped', why: 'rate', events: 10_000 - kept });
  });

  it('are all written when it is asked for', async () => {
    const { log, writes } = openLog();
    log.hear({ type: 'chat' });
    await log.settled();
    expect(writes.flat()).toHaveLength(1);
  });
});
