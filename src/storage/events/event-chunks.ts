import { asChalkreelError } from '../../errors.ts';
import { heardEventSchema, type HeardEvent } from '../../protocol/events-log.ts';
import type { HeardEvents } from './join-events.ts';
import { objectKeys } from '../keys.ts';
import type { ObjectStore } from '../objects/object-store.ts';

/** So many small objects, or so many bytes in them, are put together into one: a class of 24 h has some thousand, not 86 400. */
const MOST_SMALL = 64;
const MOST_SMALL_BYTES = 1024 * 1024;
/** An object may be put together with others while the list of them is read: read again so often. */
const READ_ATTEMPTS = 5;

/** A run of lines by one worker with one browser. */
type Chunk = {
  readonly lane: number;
  readonly epoch: number;
  /** Number of its first line among all of that worker's. */
  readonly from: number;
  readonly count: number;
};

/** Keeps what one worker hears in immutable objects, each durable when `put` resolves, put together from time to time. */
export class EventChunks {
  readonly #store: ObjectStore;
  readonly #recordingId: string;
  readonly #writer: Pick<Chunk, 'lane' | 'epoch'>;
  #small: { readonly chunk: Chunk; readonly text: string }[] = [];
  #smallBytes = 0;
  #next = 0;

  constructor(
    store: ObjectStore,
    recordingId: string,
    writer: { readonly lane: number; readonly epoch: number },
  ) {
    this.#store = store;
    this.#recordingId = recordingId;
    this.#writer = writer;
  }

  /** Lines without their line ends. To be called again with the same when it throws. */
  async put(lines: readonly string[]): Promise<void> {
    const chunk = { ...this.#writer, from: this.#next, count: lines.length };
    const text = lines.map((line) => `${line}\n`).join('');
    await this.#store.put(objectKeys.eventChunk(this.#recordingId, chunk), Buffer.from(text));
    this.#next += lines.length;
    this.#small.push({ chunk, text });
    this.#smallBytes += text.length;
    if (this.#small.length >= MOST_SMALL || this.#smallBytes >= MOST_SMALL_BYTES) {
      // What is durable already stays so, whatever becomes of this.
      await this.#putTogether().catch(() => undefined);
    }
  }

  async #putTogether(): Promise<void> {
    const small = this.#small;
    const [first] = small;
    this.#small = [];
    this.#smallBytes = 0;
    if (first === undefined || small.length === 1) return;
    const count = small.reduce((sum, { chunk }) => sum + chunk.count, 0);
    const keyOf = (chunk: Chunk): string => objectKeys.eventChunk(this.#recordingId, chunk);
    const text = small.map((one) => one.text).join('');
    await this.#store.put(keyOf({ ...first.chunk, count }), Buffer.from(text));
    for (const { chunk } of small) await this.#store.delete(keyOf(chunk));
  }
}

/** All that was heard in a recording so far, by whom. */
export async function readEventChunks(
  store: ObjectStore,
  recordingId: string,
): Promise<readonly HeardEvents[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await readOnce(store, recordingId);
    } catch (error) {
      const isGone = asChalkreelError(error).code === 'object-not-found';
      if (!isGone || attempt === READ_ATTEMPTS) throw error;
    }
  }
}

async function readOnce(store: ObjectStore, recordingId: string): Promise<readonly HeardEvents[]> {
  const folder = objectKeys.eventChunks(recordingId);
  const chunks: Chunk[] = [];
  for await (const { key } of store.list(folder)) {
    const chunk = parseName(key.slice(folder.length));
    if (chunk !== undefined) chunks.push(chunk);
  }
  const heard = new Map<string, HeardEvent[]>();
  for (const chunk of planReading(chunks)) {
    const text = (await store.read(objectKeys.eventChunk(recordingId, chunk))).toString();
    const writer = `${chunk.lane}-${chunk.epoch}`;
    const events = heard.get(writer) ?? [];
    heard.set(writer, events);
    // one by one: a class may have more than fit into an argument list
    for (const event of parseEvents(text)) events.push(event);
  }
  return [...heard].map(([writer, events]) => ({ writer, events }));
}

/** Those that are not part of another one, in order. */
function planReading(chunks: readonly Chunk[]): readonly Chunk[] {
  const sorted = [...chunks].sort(
    (a, b) => a.lane - b.lane || a.epoch - b.epoch || a.from - b.from || b.count - a.count,
  );
  let last: Chunk | undefined;
  return sorted.filter((chunk) => {
    const isSame = last?.lane === chunk.lane && last.epoch === chunk.epoch;
    if (last !== undefined && isSame && chunk.from < last.from + last.count) return false;
    last = chunk;
    return true;
  });
}

function parseName(name: string): Chunk | undefined {
  const match = /^(\d+)-(\d+)-(\d+)-(\d+)\.jsonl$/.exec(name);
  if (match === null) return undefined;
  const [lane = 0, epoch = 0, from = 0, count = 0] = match.slice(1).map(Number);
  return { lane, epoch, from, count };
}

/** The events in a chunk's lines; a line that cannot be read is left out. */
export function parseEvents(text: string): readonly HeardEvent[] {
  return text.split('\n').flatMap((line) => {
    if (line === '') return [];
    try {
      return [heardEventSchema.parse(JSON.parse(line))];
    } catch {
      return [];
    }
  });
}
