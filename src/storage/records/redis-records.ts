import type { Redis } from 'ioredis';
import { ChalkreelError } from '../../errors.ts';
import { getGeneration } from '../rebuild/generation.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { enterWhenWhole, restoreRecord } from '../rebuild/rebuild-record.ts';
import { RedisScript } from '../redis-script.ts';

/** Changes by many processes at once are retried; more often than this means something is wrong. */
const MAX_ATTEMPTS = 100;

/** KEYS: record, then the sorted sets it leaves and enters. ARGV: version, json, id, channel, sets left, a score for each set entered. */
const COMPARE_AND_SET = new RedisScript(`
local version = redis.call('HGET', KEYS[1], 'version')
if not version then return 'missing' end
if version ~= ARGV[1] then return 'changed' end
redis.call('HSET', KEYS[1], 'json', ARGV[2], 'version', version + 1)
local left = tonumber(ARGV[5])
for i = 1, #KEYS - 1 do
  if i <= left then
    redis.call('ZREM', KEYS[i + 1], ARGV[3])
  else
    redis.call('ZADD', KEYS[i + 1], ARGV[5 + i - left], ARGV[3])
  end
end
redis.call('PUBLISH', ARGV[4], version + 1)
return 'done'
`);

/** KEYS: record, sorted sets it is in. ARGV: version, id, channel. */
const REMOVE = new RedisScript(`
local version = redis.call('HGET', KEYS[1], 'version')
if not version then return 'missing' end
if version ~= ARGV[1] then return 'changed' end
redis.call('DEL', KEYS[1])
for i = 2, #KEYS do redis.call('ZREM', KEYS[i], ARGV[2]) end
redis.call('PUBLISH', ARGV[3], version + 1)
return 'done'
`);

type Versioned<T> = { readonly version: number; readonly value: T };

/** A sorted set that a record is in, and its place there. */
export type Membership = { readonly key: string; readonly score: number };

export type RecordKind<T> = {
  /** Word for error codes: `recording-not-found`. */
  readonly name: string;
  readonly recordKey: (id: string) => string;
  readonly channel: (id: string) => string;
  readonly objectKey: (id: string) => string;
  /** The sorted sets it is in, as it stands: a change of the record moves it between them in the same step. */
  readonly memberships: (value: T) => readonly Membership[];
  /** An object that is there while the record is open, so that a rebuild finds those first. */
  readonly openKey: (id: string) => string;
  /**
   * That object holds the record as it was created, and is all that the store has of it until it first changes: one write to wait for
   * instead of several. For records with random ids.
   */
  readonly beginsInMark?: true;
  readonly isOpen: (value: T) => boolean;
  /** Called before a change ends it. */
  readonly beforeEnd?: ((id: string) => Promise<void>) | undefined;
  /** Objects that name it elsewhere in the store for the rest of its life, from before it is no longer open. */
  readonly references?: (value: T) => readonly string[];
  /**
   * Called when Redis has no such record: brings it back if the store has it and Redis was emptied; whether it may be there now. Throws
   * `rebuilding` when that cannot be known yet.
   */
  readonly recover?: ((id: string) => Promise<boolean>) | undefined;
};

/** Versioned JSON records: the present in Redis, each mirrored to the object store, which is the truth. */
export class RedisRecords<T extends { readonly id: string }> {
  readonly #redis: Redis;
  readonly #store: ObjectStore;
  readonly #kind: RecordKind<T>;

  constructor(redis: Redis, store: ObjectStore, kind: RecordKind<T>) {
    this.#redis = redis;
    this.#store = store;
    this.#kind = kind;
  }

  /**
   * Writes a new record to the store, then has `enter` show it in Redis. When that fails or resolves to false, the store forgets
   * it again. Throws `object-exists` when the store has it already, unless it begins in its mark.
   */
  async create(value: T, enter: (wasEmptied: boolean) => Promise<boolean>): Promise<boolean> {
    await this.#putNew(value);
    let entered = false;
    try {
      entered = await enterWhenWhole(enter);
    } finally {
      if (!entered) await this.deleteStored(value);
    }
    return entered;
  }

  /** Brings it back into a Redis that was emptied; false when it is there already, or `fence` does not hold any more. */
  restore(
    value: T,
    options: { readonly fence: string; readonly fields?: Readonly<Record<string, string>> },
  ): Promise<boolean> {
    return restoreRecord(this.#redis, this.#kind, { value, ...options });
  }

  /** Takes a record and what names it out of the store, itself last: a deletion that is cut short is found by it. */
  async deleteStored(value: T): Promise<void> {
    const { objectKey, openKey, references } = this.#kind;
    const objects = [...(references?.(value) ?? []), openKey(value.id), objectKey(value.id)];
    for (const object of objects) await this.#store.delete(object);
  }

  async find(id: string): Promise<T | undefined> {
    return (await this.findVersioned(id))?.value;
  }

  async get(id: string): Promise<T> {
    const value = await this.find(id);
    if (value === undefined) throw this.#notFound(id);
    return value;
  }

  async findVersioned(id: string): Promise<Versioned<T> | undefined> {
    const present = await this.#read(id);
    if (present !== undefined) return present;
    // An emptied Redis cannot say that there is none.
    const recover = this.#kind.recover ?? (() => getGeneration(this.#redis).then(() => true));
    return (await recover(id)) ? this.#read(id) : undefined;
  }

  async #read(id: string): Promise<Versioned<T> | undefined> {
    const [json, version] = await this.#redis.hmget(this.#kind.recordKey(id), 'json', 'version');
    if (typeof json !== 'string' || typeof version !== 'string') return undefined;
    return { version: Number(version), value: JSON.parse(json) as T };
  }

  async findMany(ids: readonly string[]): Promise<readonly T[]> {
    const found = await Promise.all(ids.map((id) => this.find(id)));
    return found.filter((value) => value !== undefined);
  }

  /** Takes a record out of Redis, as it stands then; undefined when there is none. The store is the caller's. */
  async remove(id: string): Promise<T | undefined> {
    const { recordKey, memberships, channel } = this.#kind;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const present = await this.findVersioned(id);
      if (present === undefined) return undefined;
      const sets = memberships(present.value).map(({ key }) => key);
      const args = [present.version, id, channel(id)];
      const outcome = await REMOVE.run(this.#redis, [recordKey(id), ...sets], args);
      if (outcome === 'done') return present.value;
    }
    throw this.#tooManyChanges(id);
  }

  /** Applies a change; resolves when the result is in the store. The same object back changes nothing. */
  async update(id: string, change: (value: T) => T): Promise<T> {
    const { isOpen, openKey } = this.#kind;
    let ended: T | undefined;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const before = await this.findVersioned(id);
      if (before === undefined) throw await this.#gone(id, ended);
      const after = change(before.value);
      if (after === before.value) return after;
      if (isOpen(after) !== isOpen(before.value)) await this.#announce(after);
      if (!isOpen(after) && isOpen(before.value)) {
        ended = after;
        await this.#kind.beforeEnd?.(id);
      }
      const outcome = await this.#compareAndSet(before, after);
      if (outcome === 'missing') throw await this.#gone(id, ended);
      if (outcome === 'done') {
        await this.#mirror({ version: before.version + 1, value: after });
        if (!isOpen(after)) await this.#store.delete(openKey(id));
        return after;
      }
    }
    throw this.#tooManyChanges(id);
  }

  /** The error for a record deleted while it was being ended: what named it by then is deleted as well. */
  async #gone(id: string, ended: T | undefined): Promise<ChalkreelError> {
    if (ended !== undefined) await this.deleteStored(ended);
    return this.#notFound(id);
  }

  /** Puts a new record and what names it, at once: nobody knows of it until both are there. */
  async #putNew(value: T): Promise<void> {
    const { isOpen, openKey, beginsInMark } = this.#kind;
    if (beginsInMark === true && isOpen(value)) {
      // Such ids are random: there is none to be replaced, which a put need not find out.
      await this.#store.put(openKey(value.id), this.#serialize(value));
      return;
    }
    const objectKey = this.#kind.objectKey(value.id);
    const [announced, stored] = await Promise.allSettled([
      this.#announce(value),
      this.#store.putOnce(objectKey, this.#serialize(value)),
    ]);
    if (stored.status === 'rejected') throw stored.reason as Error;
    if (announced.status === 'fulfilled') return;
    await this.deleteStored(value);
    throw announced.reason as Error;
  }

  /** Puts what names it: before a record is open again, or not open any more, so that none is without. */
  async #announce(value: T): Promise<void> {
    const { isOpen, openKey, references } = this.#kind;
    const objects = isOpen(value) ? [openKey(value.id)] : (references?.(value) ?? []);
    await Promise.all(objects.map((object) => this.#store.put(object, Buffer.alloc(0))));
  }

  /** The record as the store keeps it. */
  #serialize(value: T): Buffer {
    return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
  }

  async #compareAndSet(before: Versioned<T>, after: T): Promise<unknown> {
    const { recordKey, channel, memberships } = this.#kind;
    const { leaves, enters } = planMoves(memberships(before.value), memberships(after));
    return COMPARE_AND_SET.run(
      this.#redis,
      [recordKey(after.id), ...leaves, ...enters.map(({ key }) => key)],
      [
        before.version,
        JSON.stringify(after),
        after.id,
        channel(after.id),
        leaves.length,
        ...enters.map(({ score }) => score),
      ],
    );
  }

  /** Two writers may reach the store in the wrong order; each looks afterwards, so the newest is written last. */
  async #mirror(written: Versioned<T>): Promise<void> {
    let present: Versioned<T> | undefined = written;
    for (let storedVersion = -1; present !== undefined && present.version !== storedVersion;) {
      await this.#store.put(this.#kind.objectKey(present.value.id), this.#serialize(present.value));
      storedVersion = present.version;
      present = await this.#read(written.value.id);
    }
    if (present !== undefined) return;
    // Deleted meanwhile, unless Redis was emptied: then what was just stored is all there is.
    await getGeneration(this.#redis);
    await this.deleteStored(written.value);
  }

  #tooManyChanges(id: string): ChalkreelError {
    const message = `${this.#kind.name} ${id} changed ${MAX_ATTEMPTS} times while being changed`;
    return new ChalkreelError('too-many-changes', message, { retryable: true });
  }

  #notFound(id: string): ChalkreelError {
    const { name } = this.#kind;
    return new ChalkreelError(`${name}-not-found`, `There is no ${name} ${id}`, {
      fault: 'input',
      details: { field: 'id' },
    });
  }
}

/** What a change of memberships comes to: sets left, and sets entered or entered at another place. */
function planMoves(
  before: readonly Membership[],
  after: readonly Membership[],
): { readonly leaves: readonly string[]; readonly enters: readonly Membership[] } {
  const next = new Set(after.map(({ key }) => key));
  const known = new Map(before.map(({ key, score }) => [key, score]));
  return {
    leaves: [...known.keys()].filter((key) => !next.has(key)),
    enters: after.filter(({ key, score }) => known.get(key) !== score),
  };
}
