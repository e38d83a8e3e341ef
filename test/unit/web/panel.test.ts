import { describe, expect, it } from 'vitest';
import type { HighlightView } from '../../../src/web/common/page-api.ts';
import { canSave, describeClass } from '../../../src/web/panel/class-state.ts';
import { Moments } from '../../../src/web/panel/moments.ts';
import type { PendingWish, Wish } from '../../../src/web/panel/outbox.ts';
import { createProgressWatch } from '../../../src/web/panel/progress-watch.ts';
import { createServerClock } from '../../../src/web/panel/server-clock.ts';

const NOW_MS = 1_772_000_000_000;

describe('createServerClock', () => {
  it('is the service’s time, however wrong this device’s clock is', () => {
    const clock = createServerClock(() => 500_000);
    clock.note({ sentAtMs: 499_900, receivedAtMs: 500_000, serverMs: NOW_MS });
    // Half the way there and back is what is taken to have passed since.
    expect(clock.nowMs()).toBe(NOW_MS + 50);
  });

  it('believes the answer that took the shortest way', () => {
    const clock = createServerClock(() => 10_000);
    clock.note({ sentAtMs: 9000, receivedAtMs: 9020, serverMs: 9010 + 5000 });
    clock.note({ sentAtMs: 9100, receivedAtMs: 9900, serverMs: 9500 + 5300 });
    expect(clock.nowMs()).toBe(15_000);
  });

  it('believes a newer answer once the best one is a minute old', () => {
    const clock = createServerClock(() => 100_000);
    clock.note({ sentAtMs: 9000, receivedAtMs: 9020, serverMs: 9010 + 5000 });
    clock.note({ sentAtMs: 99_000, receivedAtMs: 99_400, serverMs: 99_200 + 5100 });
    expect(clock.nowMs()).toBe(105_100);
  });

  it('notices that this device’s clock was set', () => {
    const clock = createServerClock(() => 3_610_000);
    clock.note({ sentAtMs: 9000, receivedAtMs: 9020, serverMs: 9010 });
    clock.note({ sentAtMs: 3_609_000, receivedAtMs: 3_609_400, serverMs: 9200 });
    expect(clock.nowMs()).toBe(10_000);
  });

  it('makes nothing of an answer during which the clock was set back', () => {
    const clock = createServerClock(() => 0);
    clock.note({ sentAtMs: 1000, receivedAtMs: 0, serverMs: NOW_MS });
    expect(clock.nowMs()).toBe(0);
  });
});

describe('describeClass', () => {
  const well = { isConnected: true, stalledMs: 0 };

  it.each([
    [{ state: 'queued', originMs: null }, well, 'Not begun'],
    [{ state: 'recording', originMs: NOW_MS }, well, 'Live'],
    [{ state: 'recording', originMs: NOW_MS }, { ...well, stalledMs: 8001 }, 'Reconnecting'],
    [{ state: 'recording', originMs: NOW_MS }, { ...well, isConnected: false }, 'Reconnecting'],
    [{ state: 'stopping', originMs: NOW_MS }, well, 'Ending'],
    [{ state: 'completed', originMs: NOW_MS }, { isConnected: false, stalledMs: 99_999 }, 'Over'],
    [{ state: 'failed', originMs: NOW_MS }, well, 'Interrupted'],
  ] as const)('%o, %o: %s', (recording, seen, badge) => {
    expect(describeClass(recording, seen).badge).toBe(badge);
  });
});

describe('canSave', () => {
  const started = { state: 'recording', atMs: NOW_MS - 60_000 } as const;
  const running = { state: 'recording', originMs: NOW_MS - 60_000, history: [started] } as const;

  it('saves while the class goes on, and not before there is anything', () => {
    expect(canSave(running, { beforeMs: 15_000, nowMs: NOW_MS })).toBe(true);
    expect(canSave({ ...running, originMs: null }, { beforeMs: 15_000, nowMs: NOW_MS })).toBe(
      false,
    );
  });

  it('saves what is reached back to, for a while after the end', () => {
    const ended = { state: 'completed', atMs: NOW_MS } as const;
    const over = { ...running, state: 'completed', history: [started, ended] } as const;
    expect(canSave(over, { beforeMs: 15_000, nowMs: NOW_MS + 14_999 })).toBe(true);
    expect(canSave(over, { beforeMs: 15_000, nowMs: NOW_MS + 15_000 })).toBe(false);
    expect(canSave(over, { beforeMs: 60_000, nowMs: NOW_MS + 15_000 })).toBe(true);
  });
});

describe('createProgressWatch', () => {
  it('says for how long a running recording has not grown', () => {
    let nowMs = 0;
    const watch = createProgressWatch(() => nowMs);
    const at = (ms: number, segments: number): number => {
      nowMs = ms;
      const progress = { segments, recordedMs: segments * 1600 };
      return watch.stalledMs({ state: 'recording', progress });
    };
    expect(at(1000, 1)).toBe(0);
    expect(at(3000, 1)).toBe(2000);
    expect(at(4000, 2)).toBe(0);
    expect(at(13_000, 2)).toBe(9000);
    nowMs = 20_000;
    expect(watch.stalledMs({ state: 'completed', progress: null })).toBe(0);
  });
});

describe('Moments', () => {
  const wish: Wish = { triggerId: 't1', atMs: NOW_MS, beforeMs: 30_000, afterMs: 5000 };
  const pending: PendingWish = { wish, state: 'sending', reason: null };
  const highlight = (id: string, triggeredAtMs: number, clip = false): HighlightView =>
    ({ id, triggeredAtMs, clip: clip ? { durationMs: 1, bytes: 1 } : null }) as HighlightView;

  it('keeps a moment’s line from the press until its clip is there', () => {
    const moments = new Moments();
    expect(moments.lines([pending])).toMatchObject([{ key: 't1', state: 'pending' }]);
    moments.confirm('h1', wish);
    expect(moments.lines([pending])).toMatchObject([{ key: 't1', state: 'confirmed' }]);
    moments.list([highlight('h1', NOW_MS)]);
    expect(moments.lines([])).toMatchObject([{ key: 't1', state: 'listed', isPlayable: false }]);
    moments.setPlayable('h1');
    expect(moments.lines([])).toMatchObject([{ key: 't1', isPlayable: true }]);
  });

  it('asks no more about clips that have a file', () => {
    const moments = new Moments();
    moments.list([highlight('h1', NOW_MS), highlight('h2', NOW_MS, true)]);
    expect(moments.unproven.map(({ id }) => id)).toEqual(['h1']);
  });

  it('shows one line where the service made one highlight of two presses', () => {
    const moments = new Moments();
    moments.confirm('h1', wish);
    moments.confirm('h1', { ...wish, triggerId: 't2' });
    moments.list([highlight('h1', NOW_MS)]);
    expect(moments.lines([]).map(({ key }) => key)).toEqual(['t1']);
  });

  it('has the newest moment first', () => {
    const moments = new Moments();
    moments.list([highlight('old', NOW_MS - 9000), highlight('older', NOW_MS - 99_000)]);
    expect(moments.lines([pending]).map(({ key }) => key)).toEqual(['t1', 'old', 'older']);
  });
});
