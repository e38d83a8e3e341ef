import { beforeEach, describe, expect, it } from 'vitest';
import { Room } from '../../../src/demo/room.ts';
import type { ServerMessage, Snapshot } from '../../../src/protocol/signalling.ts';
import { serverMessageSchema, SNAPSHOT_CHAT_TAIL } from '../../../src/protocol/signalling.ts';

describe('room', () => {
  let room: Room;
  let nowMs = 0;

  beforeEach(() => {
    let ids = 0;
    nowMs = 1_000;
    room = new Room({ title: '数学', nowMs: () => nowMs, newId: () => `id${ids++}` });
    room.receive('t', { type: 'join', name: '李老师', role: 'teacher', participantId: 'li' });
    room.receive('s', { type: 'join', name: '王', role: 'student', participantId: 'wang' });
  });

  const snapshotFor = (connection: string): Snapshot => {
    const [first] = room.receive(connection, { type: 'join', name: 'R', role: 'recorder' });
    if (first?.message.type !== 'snapshot') throw new Error('expected a snapshot');
    return first.message;
  };
  const errorCode = (outgoing: readonly { message: ServerMessage }[]): string | undefined =>
    outgoing[0]?.message.type === 'error' ? outgoing[0].message.code : undefined;

  it('gives who joins a snapshot of everything, valid by the protocol', () => {
    room.receive('t', { type: 'class-start' });
    room.receive('s', { type: 'chat', text: '老师好' });
    room.receive('s', { type: 'raise-hand', raised: true });
    room.receive('s', { type: 'mute', muted: true });
    room.receive('t', { type: 'layout', layout: 'spotlight' });
    room.receive('t', { type: 'spotlight', participantId: 'wang' });
    room.receive('t', { type: 'highlight', triggerId: 'h1', title: '证明' });
    const snapshot = snapshotFor('r');
    expect(serverMessageSchema.safeParse(snapshot).success).toBe(true);
    expect(snapshot).toMatchObject({
      title: '数学',
      hands: ['wang'],
      layout: 'spotlight',
      spotlight: 'wang',
      startedAtMs: 1_000,
      chat: [{ text: '老师好', participantId: 'wang' }],
      highlights: [{ triggerId: 'h1', title: '证明', requestedBy: '李老师', atMs: 1_000 }],
    });
    expect(snapshot.roster.map(({ participantId, muted }) => [participantId, muted])).toEqual([
      ['li', false],
      ['wang', true],
    ]);
  });

  it('tells recorders, and nobody else, of streams that come, change and go, also before they joined', () => {
    const stream = {
      ...{ participantId: 'wang', name: '王', role: 'student', kind: 'whep' },
      url: 'http://127.0.0.1/whep/wang',
    } as const;
    const gone = { participantId: 'chen', role: 'student' } as const;
    expect(snapshotFor('first').sources).toEqual({ set: [], remove: [] });
    const [told, ...others] = room.changeSources({ set: [stream], remove: [gone] });
    expect(told).toEqual({
      to: 'first',
      message: { type: 'sources', set: [stream], remove: [gone] },
    });
    expect(others).toEqual([]);
    expect(serverMessageSchema.safeParse(told?.message).success).toBe(true);
    const [pupil] = room.receive('s2', { type: 'join', name: '小', role: 'student' });
    expect(pupil?.message).not.toHaveProperty('sources');
    room.changeSources({ set: [{ ...stream, participantId: 'chen' }], remove: [stream] });
    expect(snapshotFor('r').sources).toEqual({
      set: [{ ...stream, participantId: 'chen' }],
      remove: [{ participantId: 'wang', role: 'student' }],
    });
  });

  it('keeps a recorder invisible and silent', () => {
    expect(room.receive('r', { type: 'join', name: 'R', role: 'recorder' })).toHaveLength(1);
    expect(room.roster).toHaveLength(2);
    expect(errorCode(room.receive('r', { type: 'chat', text: 'hi' }))).toBe('read-only');
    expect(errorCode(room.receive('r', { type: 'highlight', triggerId: 'x' }))).toBe('read-only');
    expect(room.disconnect('r')).toEqual([]);
  });

  it('lets only teachers and tutors lead', () => {
    for (const message of [
      { type: 'layout', layout: 'gallery' },
      { type: 'spotlight', participantId: 'wang' },
      { type: 'highlight', triggerId: 'x' },
      { type: 'class-end' },
    ] as const) {
      expect(errorCode(room.receive('s', message))).toBe('not-allowed');
    }
    expect(snapshotFor('r')).toMatchObject({ layout: 'small-class', highlights: [], endedAtMs: null });
  });

  it('expects join first, and once', () => {
    expect(errorCode(room.receive('x', { type: 'chat', text: 'hi' }))).toBe('not-joined');
    expect(errorCode(room.receive('s', { type: 'join', name: 'W', role: 'teacher' }))).toBe(
      'already-joined',
    );
  });

  it('announces the same trigger once', () => {
    expect(room.receive('t', { type: 'highlight', triggerId: 'h1' })).toHaveLength(1);
    expect(room.receive('t', { type: 'highlight', triggerId: 'h1' })).toEqual([]);
  });

  it('announces the same reward once, and keeps it and who is in the spotlight since when for who was away', () => {
    const reward = { type: 'reward', rewardId: 'r1', participantId: 'wang', title: '⭐' } as const;
    expect(errorCode(room.receive('s', reward))).toBe('not-allowed');
    expect(room.receive('t', reward)).toHaveLength(1);
    expect(room.receive('t', reward)).toEqual([]);
    const [lit] = room.receive('t', { type: 'spotlight', participantId: 'wang' });
    const { rewards, spotlightChange } = snapshotFor('r');
    expect(rewards).toEqual([
      { rewardId: 'r1', participantId: 'wang', title: '⭐', givenBy: '李老师', atMs: 1_000 },
    ]);
    expect(lit?.message).toMatchObject({ participantId: 'wang', change: spotlightChange });
    expect(spotlightChange).toMatchObject({ participantId: 'wang', atMs: 1_000 });
    room.receive('t', { type: 'spotlight', participantId: null });
    expect(snapshotFor('r2').spotlightChange).toBeNull();
  });

  it('keeps a participant until their last connection is gone, and then their hand is down', () => {
    room.receive('s2', { type: 'join', name: '王', role: 'student', participantId: 'wang' });
    room.receive('s', { type: 'raise-hand', raised: true });
    expect(room.disconnect('s')).toEqual([]);
    expect(room.disconnect('s2')).toEqual([
      { to: 'everyone', message: { type: 'leave', participantId: 'wang' } },
    ]);
    expect(snapshotFor('r').hands).toEqual([]);
  });

  it('remembers only the tail of the chat', () => {
    for (let i = 0; i < SNAPSHOT_CHAT_TAIL + 5; i++) {
      room.receive('s', { type: 'chat', text: `line ${i}` });
    }
    const { chat } = snapshotFor('r');
    expect(chat).toHaveLength(SNAPSHOT_CHAT_TAIL);
    expect(chat.at(-1)?.text).toBe(`line ${SNAPSHOT_CHAT_TAIL + 4}`);
  });

  it('ends the class once', () => {
    expect(room.receive('t', { type: 'class-end', reason: 'bell' })).toEqual([
      { to: 'everyone', message: { type: 'class-end', atMs: 1_000, reason: 'bell' } },
    ]);
    nowMs = 2_000;
    expect(room.end()).toEqual([]);
    expect(snapshotFor('r').endedAtMs).toBe(1_000);
  });
});
