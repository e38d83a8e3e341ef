import type { Redis } from 'ioredis';
import { ChalkreelError } from '../errors.ts';
import type { ObjectStore } from './object-store.ts';
import { RedisScript } from './redis-script.ts';

/** Changes by many processes at once are retried; more often than this means something is wrong. */
const MAX_ATTEMPTS = 100;

/** KEYS: record, then the sorted sets it leaves and enters. ARGV: version, json, id, score, channel, sets left. */
const COMPARE_AND_SET = new RedisScript(`
local version = redis.call('HGET', KEYS[1], 'version')
if not version then return 'missing' end
if version ~= ARGV[1] then return 'changed' end
redis.call('HSET', KEYS[1], 'json', ARGV[2], 'version', version + 1)
for i = 2, #KEYS do
  if i - 1 <= tonumber(ARGV[6]) then
    redis.call('ZREM', KEYS[i], ARGV[3])
  else
    redis.call('ZADD', KEYS[i], ARGV[4], ARGV[3])
  end
end
redis.call('PUBLISH', ARGV[5], version + 1)
return 'done'
`);

type Versioned<T> = { readonly version: number; readonly value: T };

/** Sorted sets a change moves a record between. */
export type Moves = { readonly leaves: readonly string[]; readonly enters: readonly string[] };

export type RecordKind<T> = {
  /** Word for error codes: `recording-not-found`. */
  readonly name: string;
  readonly recordKey: (id: string) => string;
  readonly channel: (id: string) => string;
  readonly objectKey: (id: string) => string;
  readonly score: (value: T) => number;
  readonly moves: (before: T, after: T) => Moves;
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
   * it again. Throws `object-exists` when the store has it already.
   */
  async create(value: T, enter: () => Promise<boolean>): Promise<boolean> {
    const objectKey = this.#kind.objectKey(value.id);
    await this.#store.putOnce(objectKey, this.#serialize(value));
    let entered = false;
    try {
      entered = await enter();
    } finally {
      if (!entered) await this.#store.delete(objectKey);
    }
    return entered;
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
    const [json, version] = await this.#redis.hmget(this.#kind.recordKey(id), 'json', 'version');
    if (typeof json !== 'string' || typeof version !== 'string') return undefined;
    return { version: Number(version), value: JSON.parse(json) as T };
  }

  async findMany(ids: readonly string[]): Promise<readonly T[]> {
    const found = await Promise.all(ids.map((id) => this.find(id)));
    return found.filter((value) => value !== undefined);
  }

  /** Applies a change; resolves when the result is in the store. The same object back changes nothing. */
  async update(id: string, change: (value: T) => T): Promise<T> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const before = await this.findVersioned(id);
      if (before === undefined) throw this.#notFound(id);
      const after = change(before.value);
      if (after === before.value) return after;
      const outcome = await this.#compareAndSet(before, after);
      if (outcome === 'missing') throw this.#notFound(id);
      if (outcome === 'done') {
        await this.#mirror({ version: before.version + 1, value: after });
        return after;
      }
    }
    throw new ChalkreelError(
      'too-many-changes',
      `${this.#kind.name} ${id} changed ${MAX_ATTEMPTS} times while being updated`,
      { retryable: true },
    );
  }

  /** The record as the store keeps it. */
  #serialize(value: T): Buffer {
    return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
  }

  async #compareAndSet(before: Versioned<T>, after: T): Promise<unknown> {
    const { recordKey, channel, score, moves } = this.#kind;
    const { leaves, enters } = moves(before.value, after);
    return COMPARE_AND_SET.run(
      this.#redis,
      [recordKey(after.id), ...leaves, ...enters],
      [
        before.version,
        JSON.stringify(after),
        after.id,
        score(after),
        channel(after.id),
        leaves.length,
      ],
    );
  }

  /** Two writers may reach the store in the wrong order; each looks afterwards, so the newest is written last. */
  async #mirror(written: Versioned<T>): Promise<void> {
    let present: Versioned<T> | undefined = written;
    for (let storedVersion = -1; present !== undefined && present.version !== storedVersion;) {
      await this.#store.put(this.#kind.objectKey(present.value.id), this.#serialize(present.value));
      storedVersion = present.version;
      present = await this.findVersioned(written.value.id);
    }
    if (present === undefined) await this.#store.delete(this.#kind.objectKey(written.value.id));
  }

  #notFound(id: string): ChalkreelError {
    const { name } = this.#kind;
    return new ChalkreelError(`${name}-not-found`, `There is no ${name} ${id}`, {
      fault: 'input',
      details: { field: 'id' },
    });
  }
}
