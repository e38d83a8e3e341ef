import { describe, expect, it } from 'vitest';
import { planEvent, planSnapshotEvents } from '../../../recorder/classroom/class-log.ts';
import { SnapshotAssembly } from '../../../recorder/classroom/snapshot-assembly.ts';
import { applyMessage, applySnapshot, emptyClass } from '../../../recorder/classroom/state.ts';
import { Room } from '../../../src/demo/room.ts';
import type { ServerMessage } from '../../../src/protocol/signalling.ts';

/** The server's clock is an hour ahead of the page's. */
const HOUR_MS = 3_600_000;
const PAGE_MS = 1_750_000_000_000;

function openRoom(): { room: Room; later: (ms: number) => void; pageNow: () => number } {
  let [serverMs, ids] = [PAGE_MS + HOUR_MS, 0];
  const room = new Room({ title: '数学', nowMs: () => serverMs, newId: () => `e${ids++}` });
  room.receive('t', { type: 'join', name: '李老师', role: 'teacher', participantId: 'li' });
  room.receive('s', { type: 'join', name: '王', role: 'student', participantId: 'wang' });
  return { room, later: (ms) => (serverMs += ms), pageNow: () => serverMs - HOUR_MS };
}

function snapshotOf(room: Room, connection: string) {
  const assembly = new SnapshotAssembly();
  for (const { message } of room.receive(connection, {
    ...{ type: 'join', name: 'R', role: 'recorder' },
  })) {
    if (message.type !== 'snapshot' && message.type !== 'snapshot-part') continue;
    const whole = assembly.take(message);
    if (whole !== undefined) return whole;
  }
  throw new Error('expected a whole snapshot');
}

describe('what a class says to the recording’s log', () => {
  it('begins with how it stands, as found, in this machine’s time', () => {
    const { room, later, pageNow } = openRoom();
    room.receive('t', { type: 'class-start' });
    room.receive('s', { type: 'mute', muted: true });
    room.receive('s', { type: 'raise-hand', raised: true });
    room.receive('s', { type: 'chat', text: '老师好' });
    room.receive('t', { type: 'spotlight', participantId: 'wang' });
    later(5000);
    const options = { nowMs: pageNow(), isFirst: true };
    const events = planSnapshotEvents(emptyClass(''), snapshotOf(room, 'r'), options);
    expect(events.every(({ found }) => found === true)).toBe(true);
    expect(events.map(({ type }) => type)).toEqual([
      ...['join', 'join', 'mute', 'raise-hand', 'layout', 'spotlight', 'class-start'],
      ...['chat', 'roster'],
    ]);
    expect(events.find(({ type }) => type === 'chat')).toMatchObject({
      ...{ participantId: 'wang', name: '王', role: 'student', text: '老师好' },
      atMs: PAGE_MS,
    });
    expect(events.at(-1)).toMatchObject({ participants: 2 });
  });

  it('goes on, after a lost connection, with what has changed alone', () => {
    const { room, later, pageNow } = openRoom();
    room.receive('t', { type: 'class-start' });
    const model = emptyClass('');
    applySnapshot(model, snapshotOf(room, 'r'), pageNow());
    room.disconnect('r');
    later(3000);
    room.disconnect('s');
    room.receive('c', { type: 'join', name: '陈', role: 'student', participantId: 'chen' });
    room.receive('c', { type: 'chat', text: '我来了' });
    room.receive('t', { type: 'layout', layout: 'gallery' });
    const options = { nowMs: pageNow(), isFirst: false };
    const events = planSnapshotEvents(model, snapshotOf(room, 'r'), options);
    expect(events).toMatchObject([
      { type: 'join', participantId: 'chen', atMs: PAGE_MS + 3000 },
      { type: 'leave', participantId: 'wang' },
      { type: 'layout', layout: 'gallery' },
      { type: 'chat', text: '我来了' },
    ]);
  });

  it('names an event the same whether it was heard or found', () => {
    const { room, pageNow } = openRoom();
    const clocks = { serverNowMs: PAGE_MS + HOUR_MS, nowMs: PAGE_MS };
    const heard = [
      ...room.receive('c', { type: 'join', name: '陈', role: 'student', participantId: 'chen' }),
      ...room.receive('c', { type: 'chat', text: '大家好' }),
      ...room.receive('t', { type: 'reward', rewardId: 'star', participantId: 'chen' }),
      ...room.receive('t', { type: 'spotlight', participantId: 'chen' }),
    ].flatMap(({ to, message }) =>
      to === 'everyone' ? [planEvent(message as never, clocks)] : [],
    );
    const options = { nowMs: pageNow(), isFirst: true };
    const found = planSnapshotEvents(emptyClass(''), snapshotOf(room, 'r'), options);
    for (const event of heard) {
      const twin = found.find(
        ({ type, eventId }) => type === event?.type && eventId === event.eventId,
      );
      expect(twin, event?.type).toEqual({ ...event, found: true });
    }
    expect(heard).toHaveLength(4);
  });

  it('takes a time that cannot be as now', () => {
    const clocks = { serverNowMs: 10_000_000, nowMs: PAGE_MS };
    const mute = (atMs: number): ServerMessage => ({
      ...{ type: 'mute', participantId: 'wang', muted: true },
      atMs,
    });
    const placed = (atMs: number): unknown => planEvent(mute(atMs) as never, clocks)?.atMs;
    expect(placed(9_999_900)).toBe(PAGE_MS - 100);
    expect(placed(10_050_000)).toBe(PAGE_MS);
    expect(placed(1)).toBe(PAGE_MS);
  });
});

describe('what the page keeps of a class', () => {
  it('is bounded, whatever the server says', () => {
    const model = emptyClass('');
    for (let i = 0; i < 6000; i++) {
      const participantId = `p${i}`;
      const participant = { participantId, name: 'n', role: 'student', muted: false } as const;
      applyMessage(model, { type: 'join', participant });
      applyMessage(model, { type: 'raise-hand', participantId, raised: true });
      const line = { ...participant, chatId: `c${i}`, text: 'x', atMs: i };
      applyMessage(model, { type: 'chat', line });
    }
    expect([model.roster.size, model.hands.size, model.chat.length]).toEqual([5000, 5000, 60]);
  });
});
