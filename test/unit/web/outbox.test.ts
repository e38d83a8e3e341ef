import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createOutbox, type SendResult, type Wish } from '../../../src/web/panel/outbox.ts';

const WISH: Wish = { triggerId: 'one', atMs: 1_000_000, beforeMs: 30_000, afterMs: 5000 };

let stored: string | null;
let sent: Wish[];
/** What the service does with each attempt, in order; the last one again and again. */
let answers: (SendResult | 'lost')[];

beforeEach(() => {
  vi.useFakeTimers();
  stored = null;
  sent = [];
  answers = ['saved'];
});
afterEach(() => {
  vi.useRealTimers();
});

function open(): ReturnType<typeof createOutbox> {
  return createOutbox({
    storage: { read: () => stored, write: (text) => void (stored = text) },
    async send(wish) {
      sent.push(wish);
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer === undefined || answer === 'lost') throw new Error('no connection');
      return answer;
    },
    onChanged: () => undefined,
  });
}

describe('createOutbox', () => {
  it('sends a wish at once and forgets it when the service has it', async () => {
    const outbox = open();
    outbox.add(WISH);
    expect(outbox.pending).toEqual([{ wish: WISH, state: 'sending', reason: null }]);
    expect(stored).toContain('"one"');
    await vi.advanceTimersByTimeAsync(0);
    expect(outbox.pending).toEqual([]);
    expect(stored).toBe('[]');
    expect(sent).toEqual([WISH]);
  });

  it('sends the same wish again, less and less often, until it gets through', async () => {
    answers = ['lost', 'lost', 'lost', 'saved'];
    const outbox = open();
    outbox.add(WISH);
    await vi.advanceTimersByTimeAsync(499);
    expect(outbox.pending).toMatchObject([{ state: 'waiting' }]);
    expect(sent).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1 + 1000 + 2000);
    expect(sent).toEqual([WISH, WISH, WISH, WISH]);
    expect(outbox.pending).toEqual([]);
  });

  it('tries at once when the connection is back', async () => {
    answers = ['lost', 'saved'];
    const outbox = open();
    outbox.add(WISH);
    await vi.advanceTimersByTimeAsync(0);
    outbox.retryAll();
    await vi.advanceTimersByTimeAsync(0);
    expect(outbox.pending).toEqual([]);
  });

  it('does not send a wish twice at the same time', async () => {
    let answer: (result: SendResult) => void = () => undefined;
    const send = vi.fn(
      () =>
        new Promise<SendResult>((resolve) => {
          answer = resolve;
        }),
    );
    const storage = { read: () => null, write: () => undefined };
    const outbox = createOutbox({ storage, send, onChanged: () => undefined });
    outbox.add(WISH);
    outbox.retry(WISH.triggerId);
    outbox.retryAll();
    expect(send).toHaveBeenCalledTimes(1);
    answer('saved');
    await vi.advanceTimersByTimeAsync(0);
    expect(outbox.pending).toEqual([]);
  });

  it('keeps what the service refuses, with its reason, until it is removed', async () => {
    answers = [{ refused: 'The class is over' }];
    const outbox = open();
    outbox.add(WISH);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(outbox.pending).toMatchObject([{ state: 'refused', reason: 'The class is over' }]);
    expect(sent).toHaveLength(1);
    outbox.discard(WISH.triggerId);
    expect(outbox.pending).toEqual([]);
    expect(stored).toBe('[]');
  });

  it('can try again what was refused', async () => {
    answers = [{ refused: 'Not yet' }, 'saved'];
    const outbox = open();
    outbox.add(WISH);
    await vi.advanceTimersByTimeAsync(0);
    outbox.retry(WISH.triggerId);
    expect(outbox.pending).toMatchObject([{ state: 'sending', reason: null }]);
    await vi.advanceTimersByTimeAsync(0);
    expect(outbox.pending).toEqual([]);
  });

  it('goes on, after a reload, with what was not sent', async () => {
    answers = ['lost'];
    open().add(WISH);
    await vi.advanceTimersByTimeAsync(0);
    vi.clearAllTimers();
    [sent, answers] = [[], ['saved']];
    const reopened = open();
    expect(reopened.pending).toMatchObject([{ wish: WISH }]);
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual([WISH]);
    expect(stored).toBe('[]');
  });

  it.each(['', '{', 'null', '[1, {"triggerId": "x"}]', '{"triggerId": "x"}'])(
    'begins empty when what was kept cannot be read: %s',
    (text) => {
      stored = text;
      expect(open().pending).toEqual([]);
    },
  );
});
