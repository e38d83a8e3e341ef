import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { anyEventLineSchema, eventLineSchema } from '../../../src/protocol/events-log.ts';
import {
  BATCH_EXAMPLE,
  CLIENT_EXAMPLES,
  LINE_EXAMPLES,
  SERVER_EXAMPLES,
} from '../../../src/protocol/signalling-examples.ts';
import {
  clientMessageSchema,
  parseClientMessage,
  parseServerMessages,
  serverMessageSchema,
} from '../../../src/protocol/signalling.ts';
import { signallingSchema, withExamples } from '../../support/signalling-docs.ts';

const docs = (name: string): string =>
  readFileSync(path.resolve(import.meta.dirname, '../../../docs', name), 'utf8');
/** Prettier is loaded first, which takes a busy machine some seconds. */
const PRETTIER_MS = 30_000;
const HOW = 'run: npx tsx test/support/run-signalling-docs.ts';

describe('the published protocol', () => {
  it.each(CLIENT_EXAMPLES)(
    'has a client’s example that is taken as it is: $message.type',
    (example) => {
      const { message } = example;
      expect(parseClientMessage(JSON.stringify(message))).toEqual({ kind: 'message', message });
    },
  );

  it.each(SERVER_EXAMPLES)(
    'has a server’s example that is taken as it is: $message.type',
    (example) => {
      const { message } = example;
      expect(parseServerMessages(JSON.stringify(message))).toEqual([{ kind: 'message', message }]);
    },
  );

  it('has a batch whose messages are taken one by one', () => {
    const parsed = parseServerMessages(JSON.stringify(BATCH_EXAMPLE.message));
    const { messages } = BATCH_EXAMPLE.message;
    expect(parsed).toEqual(messages.map((message) => ({ kind: 'message', message })));
  });

  it.each(LINE_EXAMPLES)('has a line of the log that is one: $type', (line) => {
    expect(eventLineSchema.parse(line)).toEqual(line);
    expect(anyEventLineSchema.parse(line)).toEqual(line);
  });

  it('has an example of every type', () => {
    const types = (schema: { options: readonly { shape: { type: { value: unknown } } }[] }) =>
      new Set(schema.options.map((option) => option.shape.type.value));
    const given = (examples: readonly { message: { type: string } }[]) =>
      new Set<unknown>(examples.map(({ message }) => message.type));
    expect(given(CLIENT_EXAMPLES)).toEqual(types(clientMessageSchema));
    expect(given(SERVER_EXAMPLES)).toEqual(types(serverMessageSchema));
    expect(new Set<unknown>(LINE_EXAMPLES.map(({ type }) => type))).toEqual(types(eventLineSchema));
  });

  it('is written down as it is', { timeout: PRETTIER_MS }, async () => {
    expect(docs('signalling.schema.json'), HOW).toBe(await signallingSchema());
    expect(docs('signalling.md'), HOW).toBe(await withExamples(docs('signalling.md')));
  });
});
