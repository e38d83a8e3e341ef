import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clientMessageSchema,
  MAX_SIGNALLING_BYTES,
  parseClientMessage,
  parseServerMessage,
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
    expect(parseServerMessage(text)).toEqual({ kind: 'unknown', type: 'confetti' });
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

  it('never throws, whatever comes, and lets through only what its schema allows', () => {
    const mutated = fc
      .tuple(
        fc.constantFrom(...CLIENT_MESSAGES),
        fc.constantFrom('type', 'name', 'role', 'text', 'muted', 'triggerId', '__proto__'),
        fc.jsonValue(),
      )
      .map(([message, field, value]) => JSON.stringify({ ...message, [field]: value }));
    const cut = fc
      .tuple(fc.constantFrom(...CLIENT_MESSAGES), fc.nat(60))
      .map(([message, length]) => JSON.stringify(message).slice(0, length));
    const anything = fc.oneof(
      mutated,
      cut,
      fc.json({ maxDepth: 1 }),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(anything, (text) => {
        parseServerMessage(text);
        const parsed = parseClientMessage(text);
        if (parsed.kind !== 'message') return;
        expect(clientMessageSchema.safeParse(parsed.message).success).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
