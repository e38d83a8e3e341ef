import type { Redis } from 'ioredis';
import { ChalkreelError } from '../../errors.ts';
import type { SegmentEntry } from '../../model/segment.ts';
import { isJournalDue, type JournalState } from './journal-plan.ts';
import { parseJournal, serializeJournal, type Journal } from './journal.ts';
import { objectKeys } from '../keys.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { redisKeys } from '../redis-keys.ts';
import { RedisScript } from '../redis-script.ts';
import { headFields } from './segment-head.ts';

/** Each round writes or finds one journal; more than this means that somebody writes as fast as we do. */
const MAX_ROUNDS = 20;

/** KEYS: list, head. ARGV: 1 for all entries. The head, and the entries from the last one that a journal has. */
const READ_STATE = new RedisScript(`
local covered = tonumber(redis.call('HGET', KEYS[2], 'covered') or 0)
local from = ARGV[1] == '1' and 0 or math.max(covered - 1, 0)
return {redis.call('HGETALL', KEYS[2]), redis.call('LRANGE', KEYS[1], from, -1)}
`);

/** KEYS: head. ARGV: number of the next journal, positions covered, number covered, late entries covered. Never goes back. */
const ADVANCE = new RedisScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return end
if tonumber(redis.call('HGET', KEYS[1], 'journals') or 0) >= tonumber(ARGV[1]) then return end
redis.call('HSET', KEYS[1], 'journals', ARGV[1], 'covered', ARGV[2], 'coveredLast', ARGV[3], 'coveredLate', ARGV[4])
`);

type State = JournalState & {
  readonly epochs: Journal['epochs'];
  readonly aside: readonly SegmentEntry[];
};

type Covering = { readonly now: Promise<void>; next: Promise<void> | undefined };

/** Writes a recording's journals: any process may, as often as it likes; what is in one was decided in Redis before. */
export class JournalKeeper {
  readonly #redis: Redis;
  readonly #store: ObjectStore;
  readonly #covering = new Map<string, Covering>();

  constructor(options: { readonly redis: Redis; readonly store: ObjectStore }) {
    this.#redis = options.redis;
    this.#store = options.store;
  }

  /**
   * Resolves when all that has been decided so far can be told from the store: a journal is written when there are many new segments, or
   * anything that their names do not say. What is shown to anybody must have been covered before.
   */
  cover(recordingId: string): Promise<void> {
    const covering = this.#covering.get(recordingId);
    // What is under way may have looked already; all who come meanwhile share the next look.
    if (covering !== undefined)
      return (covering.next ??= covering.now.then(() => this.#start(recordingId)));
    return this.#start(recordingId);
  }

  #start(recordingId: string): Promise<void> {
    const work = this.#cover(recordingId);
    const covering: Covering = { now: work.catch(() => undefined), next: undefined };
    this.#covering.set(recordingId, covering);
    void covering.now.then(() => {
      if (this.#covering.get(recordingId) === covering && covering.next === undefined) {
        this.#covering.delete(recordingId);
      }
    });
    return work;
  }

  async #cover(recordingId: string): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const state = await this.#read(recordingId);
      if (!isJournalDue(state)) return;
      await this.#write(recordingId, state);
    }
    throw new ChalkreelError(
      'journal-busy',
      `Others wrote ${MAX_ROUNDS} journals of recording ${recordingId} meanwhile`,
      { retryable: true },
    );
  }

  /** Writes the whole order as one journal, so that it is read at once: for a recording that is over. */
  async seal(recordingId: string): Promise<void> {
    const state = await this.#read(recordingId, { whole: true });
    if (state.tail.length > 0) await this.#write(recordingId, { ...state, covered: 0 });
  }

  /** The state now; `whole` takes everything for uncovered. */
  async #read(recordingId: string, { whole = false } = {}): Promise<State> {
    const keys = [redisKeys.segments(recordingId), redisKeys.segmentsHead(recordingId)];
    const answer = await READ_STATE.run(this.#redis, keys, [whole ? 1 : 0]);
    const [fields, jsons] = answer as [string[], string[]];
    const head = headFields(fields);
    const entries = jsons.map((json) => JSON.parse(json) as SegmentEntry);
    const hasBefore = !whole && head.covered > 0;
    return {
      seq: head.journals,
      covered: head.covered,
      coveredLast: head.coveredLast,
      last: head.last,
      before: hasBefore ? entries[0] : undefined,
      tail: hasBefore ? entries.slice(1) : entries,
      hasNewLate: countLate(head.aside, head.last) > head.coveredLate,
      epochs: head.epochs,
      aside: head.aside,
    };
  }

  /** Puts the next journal, or finds that somebody has, and has Redis know. */
  async #write(recordingId: string, state: State): Promise<void> {
    const { seq, covered, tail, last, epochs, aside } = state;
    const journal: Journal = {
      version: 1,
      from: covered,
      entries: tail,
      last,
      epochs,
      aside,
      writtenAtMs: Date.now(),
    };
    const object = objectKeys.journal(recordingId, { seq, from: covered });
    const written = await this.#putOnce(object, journal);
    // Another Redis, before it was emptied, may have come to another order: ours is written behind it.
    const isOurs = isPrefix(written.entries, tail) && written.last <= last;
    const known = isOurs ? written : { ...written, entries: [], last: state.coveredLast };
    await ADVANCE.run(
      this.#redis,
      [redisKeys.segmentsHead(recordingId)],
      [
        seq + 1,
        isOurs ? covered + known.entries.length : state.covered,
        known.last,
        isOurs ? countLate(known.aside, known.last) : 0,
      ],
    );
  }

  /** The journal that is there now: this one, or one that was put before. */
  async #putOnce(object: string, journal: Journal): Promise<Journal> {
    try {
      await this.#store.putOnce(object, serializeJournal(journal));
      return journal;
    } catch (error) {
      if (!(error instanceof ChalkreelError) || error.code !== 'object-exists') throw error;
      return parseJournal(await this.#store.read(object), object);
    }
  }
}

function isPrefix(entries: readonly SegmentEntry[], whole: readonly SegmentEntry[]): boolean {
  return entries.every(({ place }, i) => place.object === whole[i]?.place.object);
}

function countLate(aside: readonly SegmentEntry[], last: number): number {
  return aside.filter(({ n }) => n <= last).length;
}
