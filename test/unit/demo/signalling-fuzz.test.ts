import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Room } from '../../../src/demo/room.ts';
import { CLIENT_EXAMPLES, SERVER_EXAMPLES } from '../../../src/protocol/signalling-examples.ts';
import {
  clientMessageSchema,
  parseClientMessage,
  parseServerMessages,
  serverMessageSchema,
} from '../../../src/protocol/signalling.ts';
import { hostileTexts } from '../../support/signalling-fuzz.ts';

const RUNS = 10_000;
/** Ten thousand take about three seconds; a busy machine gets more. */
const TIMEOUT_MS = 60_000;
const CONNECTIONS = ['teacher', 'wang', 'chen', 'recorder', 'nobody'];

const clientTexts = hostileTexts(CLIENT_EXAMPLES.map(({ message }) => message));
const serverTexts = hostileTexts(SERVER_EXAMPLES.map(({ message }) => message));

describe('signalling under ten thousand random and mutated messages', () => {
  it(
    'keeps a room that goes on, and says nothing that is not of the protocol',
    () => {
      let ids = 0;
      const room = new Room({ title: '数学', nowMs: () => 1_000, newId: () => `id${ids++}` });
      const counts = { message: 0, unknown: 0, refused: 0 };
      const sent = fc.tuple(fc.constantFrom(...CONNECTIONS), clientTexts);
      for (const [connection, text] of fc.sample(sent, RUNS)) {
        const parsed = parseClientMessage(text);
        counts[parsed.kind] += 1;
        if (parsed.kind !== 'message') continue;
        expect(clientMessageSchema.safeParse(parsed.message).success).toBe(true);
        for (const { message } of room.receive(connection, parsed.message)) {
          const valid = serverMessageSchema.safeParse(message);
          expect(valid.error, JSON.stringify(message)).toBeUndefined();
        }
      }
      for (const connection of CONNECTIONS) room.disconnect(connection);
      expect(room.roster).toEqual([]);
      // The mixture is one: neither is everything refused nor everything taken.
      for (const count of Object.values(counts)) expect(count).toBeGreaterThan(RUNS / 100);
    },
    TIMEOUT_MS,
  );

  it(
    'is parsed by a listener without a throw, and only as what it is',
    () => {
      for (const text of fc.sample(serverTexts, RUNS)) {
        for (const parsed of parseServerMessages(text)) {
          if (parsed.kind !== 'message') continue;
          expect(serverMessageSchema.safeParse(parsed.message).success).toBe(true);
        }
      }
    },
    TIMEOUT_MS,
  );
});
