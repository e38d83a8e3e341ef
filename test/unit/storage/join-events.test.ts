import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeardEvent } from '../../../src/protocol/events-log.ts';
import { joinEvents } from '../../../src/storage/events/join-events.ts';

const T = 1_750_000_000_000;
const join = (who: string, at: number, change: object = {}): HeardEvent => ({
  ...{ type: 'join', participantId: who, eventId: `${who}@${at}`, atMs: T + at },
  ...change,
});
const leave = (who: string, at: number): HeardEvent => ({
  ...{ type: 'leave', participantId: who, eventId: `l-${who}-${at}`, atMs: T + at },
});
const chat = (id: string, at: number): HeardEvent => ({
  ...{ type: 'chat', participantId: 'wang', text: id, eventId: id, atMs: T + at },
});
const found = { found: true };

describe('the log of a class', () => {
  it('has each event once though two lanes heard it, in order of time', () => {
    const heard = [chat('a', 0), chat('b', 20), leave('wang', 30)];
    const late = heard.map((event) => ({ ...event, atMs: event.atMs + 3 }));
    const log = joinEvents([
      { writer: '0-1', events: heard },
      { writer: '1-1', events: [...late, chat('c', 25)] },
    ]);
    expect(log.map(({ eventId }) => eventId)).toEqual(['a', 'b', 'c', 'l-wang-30']);
    expect(log.map(({ atMs }) => atMs - T)).toEqual([0, 20, 25, 30]);
  });

  it('takes what two hear without an id within 2 s as one, and what one hears twice as two', () => {
    const said = { type: 'chat', participantId: 'wang', text: 'hi' };
    const log = joinEvents([
      { writer: '0-1', events: [0, 500, 9000].map((at) => ({ ...said, atMs: T + at })) },
      { writer: '1-1', events: [{ ...said, atMs: T + 700 }] },
    ]);
    expect(log.map(({ atMs }) => atMs - T)).toEqual([0, 500, 9000]);
  });

  it('is not told again how the class stands by a worker that takes over', () => {
    const before = [
      join('wang', 0),
      { type: 'mute', participantId: 'wang', muted: true, eventId: 'm', atMs: T + 5 },
      { type: 'layout', layout: 'gallery', eventId: 'y', atMs: T + 6 },
    ];
    const after = [
      join('wang', 0, found),
      { type: 'mute', participantId: 'wang', muted: true, atMs: T + 9000, ...found },
      { type: 'layout', layout: 'gallery', atMs: T + 9000, ...found },
      { type: 'raise-hand', participantId: 'wang', raised: true, atMs: T + 9000, ...found },
      { type: 'roster', participants: 1, atMs: T + 9000, ...found },
    ];
    const log = joinEvents([
      { writer: '0-1', events: before },
      { writer: '0-2', events: after },
    ]);
    expect(log.map(({ type }) => type)).toEqual(['join', 'mute', 'layout', 'raise-hand']);
  });

  it('lets those leave who left while nobody listened, and no others', () => {
    const before = [join('wang', 0), join('chen', 1), join('zhao', 2), leave('zhao', 3)];
    const found9 = [
      join('chen', 1, found),
      { type: 'roster', participants: 1, atMs: T + 9, ...found },
    ];
    const log = joinEvents([
      { writer: '0-1', events: before },
      { writer: '0-2', events: found9 },
    ]);
    expect(log.slice(4)).toEqual([
      { type: 'leave', participantId: 'wang', atMs: T + 9, found: true },
    ]);
    const incomplete = [{ type: 'roster', participants: 2, atMs: T + 9, ...found }];
    const unsure = joinEvents([
      { writer: '0-1', events: before },
      { writer: '0-2', events: incomplete },
    ]);
    expect(unsure).toHaveLength(4);
  });

  it('is the same however what was heard is shared out among workers', () => {
    const everything = Array.from({ length: 30 }, (_, i) => chat(`c${i}`, i * 7));
    const shares = fc.array(fc.constantFrom('0-1', '1-1', 'both'), {
      minLength: everything.length,
      maxLength: everything.length,
    });
    fc.assert(
      fc.property(shares, (who) => {
        const of = (writer: string): HeardEvent[] =>
          everything.filter((_, i) => who[i] === writer || who[i] === 'both');
        const heard = ['0-1', '1-1'].map((writer) => ({ writer, events: of(writer) }));
        expect(joinEvents(heard)).toEqual(everything);
      }),
    );
  });
});
