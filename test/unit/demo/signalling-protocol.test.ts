import { describe, expect, it } from 'vitest';
import {
  clientMessageSchema,
  MAX_SERVER_MESSAGE_BYTES,
  MAX_SIGNALLING_BYTES,
  parseClientMessage,
  parseServerMessages,
} from '../../../src/protocol/signalling.ts';

const CLIENT_MESSAGES = [
  { type: 'join', name: '王小明', role: 'student' },
  { type: 'join', name: 'Chalkreel', role: 'recorder', participantId: 'r1' },
  { type: 'leave' },
  { type: 'mute', muted: true },
  { type: 'chat', text: '老师好 👋' },
  { type: 'raise-hand', raised: false },
  { type: 'layout', layout: 'spotlight' },
  { type: 'spotlight', participantId: null },
  { type: 'highlight', triggerId: 't1', beforeMs: 15_000, afterMs: 0, title: '证明' },
  { type: 'highlight', triggerId: 't2', participants: ['wang'], tags: ['proof'], merge: true },
  { type: 'reward', rewardId: 'r1', participantId: 'wang', title: '⭐' },
  { type: 'class-start' },
  { type: 'class-end', reason: 'bell' },
  { type: 'recording', state: 'started' },
];

describe('signalling protocol', () => {
  it.each(CLIENT_MESSAGES)('takes $type as it is', (message) => {
    expect(parseClientMessage(JSON.stringify(message))).toEqual({ kind: 'message', message });
  });

  it('covers every client message in the samples above', () => {
    const types = clientMessageSchema.options.map((option) => option.shape.type.value);
    expect(new Set(CLIENT_MESSAGES.map(({ type }) => type))).toEqual(new Set(types));
  });

  it('drops fields it does not know', () => {
    const parsed = parseClientMessage('{"type":"mute","muted":true,"volume":3}');
    expect(parsed).toEqual({ kind: 'message', message: { type: 'mute', muted: true } });
  });

  it('calls a type it does not know unknown, in both directions', () => {
    const text = '{"type":"confetti","amount":3}';
    expect(parseClientMessage(text)).toEqual({ kind: 'unknown', type: 'confetti' });
    expect(parseServerMessages(text)).toEqual([{ kind: 'unknown', type: 'confetti' }]);
  });

  it('names the field of a malformed message', () => {
    const parsed = parseClientMessage('{"type":"highlight","triggerId":"t","beforeMs":-1}');
    expect(parsed).toMatchObject({ kind: 'refused', code: 'malformed', field: 'beforeMs' });
  });

  it('names the limit when it refuses an oversized message', () => {
    const text = JSON.stringify({ type: 'chat', text: '长'.repeat(MAX_SIGNALLING_BYTES / 3) });
    const parsed = parseClientMessage(text);
    expect(parsed).toMatchObject({ kind: 'refused', code: 'too-large' });
    expect(parsed).toHaveProperty('message', expect.stringContaining(String(MAX_SIGNALLING_BYTES)));
  });

  it('takes the messages of a batch one by one', () => {
    const leave = { type: 'leave', participantId: 'wang' };
    const messages = [leave, { type: 'confetti' }, { type: 'mute', muted: 'yes' }, 7];
    expect(parseServerMessages(JSON.stringify({ type: 'batch', messages }))).toMatchObject([
      { kind: 'message', message: leave },
      { kind: 'unknown', type: 'confetti' },
      { kind: 'refused', code: 'malformed', field: 'participantId' },
      { kind: 'refused', code: 'malformed', field: 'type' },
    ]);
    const nested = { type: 'batch', messages: [{ type: 'batch', messages: [leave] }] };
    expect(parseServerMessages(JSON.stringify(nested))).toMatchObject([{ kind: 'unknown' }]);
    const broken = parseServerMessages('{"type":"batch","messages":7}');
    expect(broken).toMatchObject([{ kind: 'refused', field: 'messages' }]);
  });

  it('takes longer messages from a server than from a client, and refuses what is too long', () => {
    const text = (length: number): string =>
      JSON.stringify({ type: 'heartbeat', nowMs: 1, pad: 'x'.repeat(length) });
    expect(parseServerMessages(text(MAX_SIGNALLING_BYTES))).toMatchObject([{ kind: 'message' }]);
    const tooLong = [{ kind: 'refused', code: 'too-large' }];
    expect(parseServerMessages(text(MAX_SERVER_MESSAGE_BYTES))).toMatchObject(tooLong);
  });
});
