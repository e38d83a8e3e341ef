import { beforeEach, describe, expect, it } from 'vitest';
import { SnapshotAssembly } from '../../../recorder/classroom/snapshot-assembly.ts';
import { Room } from '../../../src/demo/room.ts';
import type { ServerMessage, Snapshot } from '../../../src/protocol/signalling.ts';
import {
  MAX_SIGNALLING_BYTES,
  parseServerMessages,
  serverMessageSchema,
  SNAPSHOT_CHAT_TAIL,
} from '../../../src/protocol/signalling.ts';

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
      participantId: 'wang',
      name: '王',
      role: 'student',
      kind: 'whep',
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
    expect(snapshotFor('r')).toMatchObject({
      layout: 'small-class',
      highlights: [],
      endedAtMs: null,
    });
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
    expect(room.disconnect('s2')).toMatchObject([
      { to: 'everyone', message: { type: 'leave', participantId: 'wang', atMs: 1_000 } },
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
    expect(room.receive('t', { type: 'class-end', reason: 'bell' })).toMatchObject([
      { to: 'everyone', message: { type: 'class-end', atMs: 1_000, reason: 'bell' } },
    ]);
    nowMs = 2_000;
    expect(room.end()).toEqual([]);
    expect(snapshotFor('r').endedAtMs).toBe(1_000);
  });

  it('shows a recorder that asks to be seen, once however many there are', () => {
    const seen = { type: 'join', name: '录制', role: 'recorder', visible: true } as const;
    const [, announced] = room.receive('a', { ...seen, participantId: 'rec' });
    expect(announced).toMatchObject({ to: 'everyone', message: { type: 'join' } });
    room.receive('b', { ...seen, participantId: 'rec' });
    expect(room.roster.map(({ name }) => name)).toEqual(['李老师', '王', '录制']);
    expect(room.disconnect('a')).toEqual([]);
    expect(room.disconnect('b')).toMatchObject([{ message: { type: 'leave' } }]);
  });

  it('tells everybody that the class is recorded, from the first recorder to the last', () => {
    const recording = (connection: string, state: 'started' | 'stopped') =>
      room.receive(connection, { type: 'recording', state });
    for (const r of ['r1', 'r2']) snapshotFor(r);
    expect(errorCode(recording('s', 'started'))).toBe('not-allowed');
    const started = recording('r1', 'started');
    expect(started).toMatchObject([{ to: 'everyone', message: { state: 'started', atMs: 1_000 } }]);
    expect(recording('r2', 'started')).toEqual([]);
    expect(recording('r1', 'stopped')).toEqual([]);
    expect(snapshotFor('r3').recording).toEqual({ state: 'started', atMs: 1_000 });
    nowMs = 2_000;
    expect(room.disconnect('r2')).toMatchObject([{ message: { state: 'stopped', atMs: 2_000 } }]);
    expect(snapshotFor('r4').recording).toEqual({ state: 'stopped', atMs: 2_000 });
  });

  it('gives each event an id of its own, and who came the time of their coming', () => {
    nowMs = 5_000;
    const events = [
      ...room.receive('s', { type: 'raise-hand', raised: true }),
      ...room.receive('s', { type: 'mute', muted: true }),
      ...room.receive('t', { type: 'layout', layout: 'gallery' }),
      ...room.receive('t', { type: 'spotlight', participantId: null }),
    ];
    const ids = events.map(({ message }) => (message as { eventId?: string }).eventId);
    expect(new Set(ids).size).toBe(4);
    expect(ids).not.toContain(undefined);
    expect(snapshotFor('r').roster.map(({ joinedAtMs }) => joinedAtMs)).toEqual([1_000, 1_000]);
  });

  it('tells a thousand of a thousand in parts that are none too long', () => {
    for (let i = 0; i < 1_000; i += 1) {
      const name = `${'长'.repeat(98)}${i % 10}`;
      room.receive(`s${i}`, { type: 'join', name, role: 'student', participantId: `student-${i}` });
      room.receive(`s${i}`, { type: 'raise-hand', raised: true });
    }
    for (let i = 0; i < SNAPSHOT_CHAT_TAIL; i += 1) {
      room.receive('s1', { type: 'chat', text: '长'.repeat(2000) });
    }
    room.receive('t', { type: 'highlight', triggerId: 'h1' });
    const sent = room.receive('r', { type: 'join', name: 'R', role: 'recorder' });
    const assembly = new SnapshotAssembly();
    const whole = sent.flatMap(({ message }, i) => {
      const [parsed] = parseServerMessages(JSON.stringify(message));
      if (parsed?.kind !== 'message') throw new Error(`${i}: ${parsed?.kind ?? 'nothing'}`);
      expect(JSON.stringify(message).length).toBeLessThan(MAX_SIGNALLING_BYTES);
      return assembly.take(parsed.message as Snapshot) ?? [];
    });
    expect(whole).toHaveLength(1);
    expect(whole[0]?.roster).toEqual(room.roster);
    expect(whole[0]?.hands).toHaveLength(1_000);
    expect(whole[0]?.chat).toHaveLength(SNAPSHOT_CHAT_TAIL);
    expect(whole[0]?.highlights).toMatchObject([{ triggerId: 'h1' }]);
  });
});
