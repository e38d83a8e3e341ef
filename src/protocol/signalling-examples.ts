import type { EventLine } from './events-log.ts';
import type { ClientMessage, ServerMessage } from './signalling.ts';

/** A message and what it says, for docs/signalling.md. */
export type Example<T> = { readonly says: string; readonly message: T };

/** Unix ms at which the class of the examples began. */
const BEGAN_MS = 1_763_700_000_000;
const at = (seconds: number): number => BEGAN_MS + 1000 * seconds;

const LI = { participantId: 'li', name: '李老师 Ms Li', role: 'teacher' } as const;
const WANG = { participantId: 'wang', name: '王小明 Ming', role: 'student' } as const;
const liHere = { ...LI, muted: false, joinedAtMs: at(-60) };
const wangHere = { ...WANG, muted: true, joinedAtMs: at(3) };
const chatLine = { chatId: 'c-17', ...WANG, text: '老师好 👋', atMs: at(42) };
const moment = {
  ...{ triggerId: 'm-3', title: '勾股定理的证明', beforeMs: 30_000, afterMs: 5_000 },
  ...{ participants: ['wang'], requestedBy: LI.name, atMs: at(95) },
};
const reward = {
  ...{ rewardId: 'r-5', participantId: 'wang', title: '⭐', givenBy: LI.name },
  atMs: at(101),
};

/** One of each message a client sends, at least. */
export const CLIENT_EXAMPLES: readonly Example<ClientMessage>[] = [
  {
    says: 'A student joins: the first message of a connection.',
    message: { type: 'join', ...WANG },
  },
  {
    says: 'A recorder joins, unseen; with `visible` everybody sees it in the roster.',
    message: { type: 'join', name: 'Chalkreel', role: 'recorder' },
  },
  { says: 'They leave; closing the connection says the same.', message: { type: 'leave' } },
  { says: 'Their microphone is off.', message: { type: 'mute', muted: true } },
  { says: 'They say something to all.', message: { type: 'chat', text: '老师好 👋' } },
  {
    says: 'Their hand is up; `false` when it is down.',
    message: { type: 'raise-hand', raised: true },
  },
  { says: 'A teacher arranges the class.', message: { type: 'layout', layout: 'dual-teacher' } },
  {
    says: 'A teacher puts somebody in the spotlight; `null`: nobody.',
    message: { type: 'spotlight', participantId: 'wang' },
  },
  {
    says: 'A teacher saves the moment. `triggerId` is made by the client: said twice it is one.',
    message: { type: 'highlight', triggerId: 'm-3', title: '勾股定理的证明', beforeMs: 30_000 },
  },
  {
    says: 'A teacher gives a star.',
    message: { type: 'reward', rewardId: 'r-5', participantId: 'wang', title: '⭐' },
  },
  { says: 'A teacher begins the class.', message: { type: 'class-start' } },
  { says: 'A teacher ends it.', message: { type: 'class-end', reason: 'bell' } },
  {
    says: 'A recorder records from now on; `stopped` when it does no longer.',
    message: { type: 'recording', state: 'started' },
  },
];

/** One of each message a server sends, at least. */
export const SERVER_EXAMPLES: readonly Example<ServerMessage>[] = [
  {
    says: 'Answers a join: how the class stands. Here one part follows.',
    message: {
      type: 'snapshot',
      participantId: 'wang',
      title: '初二数学 Grade 8 Maths',
      roster: [liHere, wangHere],
      chat: [chatLine],
      hands: ['wang'],
      layout: 'large-class',
      spotlight: 'wang',
      highlights: [moment],
      rewards: [reward],
      spotlightChange: { eventId: 's-2', participantId: 'wang', atMs: at(90) },
      startedAtMs: at(0),
      endedAtMs: null,
      recording: { state: 'started', atMs: at(1) },
      parts: 1,
      heartbeatMs: 5_000,
      nowMs: at(120),
    },
  },
  {
    says: 'More of the snapshot: what did not fit into one message.',
    message: {
      type: 'snapshot-part',
      roster: [{ ...liHere, participantId: 'chen', name: '陈雨桐', role: 'student' }],
      hands: ['chen'],
    },
  },
  { says: 'Somebody came.', message: { type: 'join', participant: wangHere } },
  {
    says: 'Somebody left, with their last connection.',
    message: { type: 'leave', participantId: 'wang', eventId: 'e-8', atMs: at(300) },
  },
  {
    says: 'Somebody is muted, or no longer.',
    message: { type: 'mute', participantId: 'wang', muted: false, eventId: 'e-3', atMs: at(50) },
  },
  { says: 'Somebody said something.', message: { type: 'chat', line: chatLine } },
  {
    says: 'A hand is up, or down.',
    message: {
      ...{ type: 'raise-hand', participantId: 'wang', raised: true },
      ...{ eventId: 'e-4', atMs: at(60) },
    },
  },
  {
    says: 'The class is arranged so.',
    message: { type: 'layout', layout: 'dual-teacher', eventId: 'e-5', atMs: at(70) },
  },
  {
    says: 'Somebody is in the spotlight, since then.',
    message: {
      type: 'spotlight',
      participantId: 'wang',
      change: { eventId: 's-2', participantId: 'wang', atMs: at(90) },
    },
  },
  {
    says: 'Nobody is any more.',
    message: { type: 'spotlight', participantId: null, eventId: 'e-6', atMs: at(99) },
  },
  { says: 'A moment was saved.', message: { type: 'highlight', moment } },
  { says: 'A star was given.', message: { type: 'reward', reward } },
  {
    says: 'Streams came, changed (`set`) or went (`remove`): docs/streams.md.',
    message: {
      type: 'sources',
      set: [{ ...WANG, kind: 'hls', url: 'https://example.org/wang/index.m3u8' }],
      remove: [{ participantId: 'chen', role: 'student' }],
    },
  },
  { says: 'The class has begun.', message: { type: 'class-start', atMs: at(0), eventId: 'e-1' } },
  {
    says: 'The class is over: a recording ends at the next boundary.',
    message: { type: 'class-end', atMs: at(2_700), reason: 'bell', eventId: 'e-9' },
  },
  {
    says: 'This class is being recorded; `stopped` when the last recorder has stopped or is gone.',
    message: { type: 'recording', state: 'started', eventId: 'e-2', atMs: at(1) },
  },
  {
    says: 'Nothing has happened; the connection is good.',
    message: { type: 'heartbeat', nowMs: at(125) },
  },
  {
    says: 'A message was refused; the class is unchanged.',
    message: {
      type: 'error',
      code: 'malformed',
      message: 'Message "chat" refused: text: Invalid input: expected string, received undefined.',
      field: 'text',
    },
  },
];

/** Several messages in one. */
export const BATCH_EXAMPLE: Example<{ type: 'batch'; messages: readonly ServerMessage[] }> = {
  says: 'What happened within 100 ms, in order.',
  message: {
    type: 'batch',
    messages: [
      { type: 'join', participant: wangHere },
      { type: 'chat', line: chatLine },
    ],
  },
};

const place = (seconds: number): { readonly offsetMs: number; readonly atMs: number } => ({
  offsetMs: 1000 * seconds,
  atMs: at(seconds),
});

/** One of each line of `events.jsonl`, in order. */
export const LINE_EXAMPLES: readonly EventLine[] = [
  { ...place(-60), type: 'join', eventId: `li@${at(-60)}`, found: true, ...LI },
  { ...place(-2), type: 'signalling', state: 'open' },
  { ...place(0), type: 'layout', found: true, layout: 'large-class' },
  { ...place(0), type: 'class-start', eventId: 'e-1' },
  { ...place(1), type: 'recording', eventId: 'e-2', state: 'started' },
  { ...place(42), type: 'chat', eventId: 'c-17', ...WANG, text: '老师好 👋' },
  { ...place(50), type: 'mute', eventId: 'e-3', participantId: 'wang', muted: false },
  { ...place(60), type: 'raise-hand', eventId: 'e-4', participantId: 'wang', raised: true },
  { ...place(90), type: 'spotlight', eventId: 's-2', participantId: 'wang' },
  {
    ...place(95),
    type: 'highlight',
    eventId: 'm-3',
    title: '勾股定理的证明',
    requestedBy: LI.name,
  },
  { ...place(99), type: 'spotlight-end', eventId: 'e-6' },
  { ...place(101), type: 'reward', eventId: 'r-5', participantId: 'wang', title: '⭐' },
  { ...place(200), type: 'dropped', events: 120, why: 'rate' },
  { ...place(300), type: 'leave', eventId: 'e-8', participantId: 'wang' },
  { ...place(2_700), type: 'class-end', eventId: 'e-9', reason: 'bell' },
];
