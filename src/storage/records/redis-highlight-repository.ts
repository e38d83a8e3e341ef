import type { Redis } from 'ioredis';
import { ChalkreelError, inputError } from '../../errors.ts';
import { isPending, type Highlight } from '../../model/highlight.ts';
import { readWhole } from '../rebuild/generation.ts';
import { findHighlights, membershipsOf } from './highlight-lists.ts';
import {
  DOUBLE_PRESS_MS,
  type CreateHighlightOptions,
  type HighlightFilter,
  type HighlightPage,
  type HighlightRepository,
} from './highlight-repository.ts';
import { objectKeys } from '../keys.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { redisKeys } from '../redis-keys.ts';
import { RedisRecords } from './redis-records.ts';
import { RedisScript } from '../redis-script.ts';
import { findStoredHighlight } from './stored-highlight.ts';

/**
 * KEYS: triggers, record, its recording's record, recordings being deleted, presses, then the sorted sets it enters. ARGV: trigger id,
 * highlight id, recording id, json, start of records' keys, time of the trigger, ms between presses, digest of the press or '', 1 when
 * the trigger may be heard again, a score for each set. The answer is what became of it, and the trigger's highlight. Being there,
 * without media of its own, is what pins its segments: see pins.ts.
 */
const CREATE = new RedisScript(`
local function isThere(id) return redis.call('EXISTS', ARGV[5] .. id) == 1 end
if redis.call('EXISTS', KEYS[3]) == 0 or redis.call('ZSCORE', KEYS[4], ARGV[3]) then return {'no-recording', ''} end
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then
  if isThere(known) then return {'known', known} end
  if ARGV[9] == '1' then return {'deleted', known} end
end
if ARGV[8] ~= '' then
  local at, within = tonumber(ARGV[6]), tonumber(ARGV[7])
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], at - within, at + within)) do
    local press, id = string.match(member, '^(.-):(.*)$')
    if press == ARGV[8] and isThere(id) then
      redis.call('HSET', KEYS[1], ARGV[1], id)
      return {'known', id}
    end
  end
  redis.call('ZADD', KEYS[5], at, ARGV[8] .. ':' .. ARGV[2])
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], 'json', ARGV[4], 'version', 1)
for i = 6, #KEYS do redis.call('ZADD', KEYS[i], ARGV[i + 4], ARGV[2]) end
return {'created', ARGV[2]}
`);

/** What became of a trigger, and its highlight's id. */
type Entered = readonly ['created' | 'known' | 'deleted' | 'no-recording', string];

/** Highlights in Redis, mirrored to the store (see `HighlightRepository`); one for each trigger of a recording. */
export class RedisHighlightRepository implements HighlightRepository {
  readonly #redis: Redis;
  readonly #store: ObjectStore;
  readonly #records: RedisRecords<Highlight>;

  constructor(options: {
    readonly redis: Redis;
    readonly store: ObjectStore;
    /** See `RecordKind`. */
    readonly recover?: (id: string) => Promise<boolean>;
  }) {
    this.#redis = options.redis;
    this.#store = options.store;
    this.#records = new RedisRecords(options.redis, options.store, {
      name: 'highlight',
      recordKey: redisKeys.highlight,
      channel: redisKeys.highlightChanged,
      objectKey: objectKeys.highlight,
      memberships: membershipsOf,
      openKey: objectKeys.openHighlight,
      beginsInMark: true,
      isOpen: isPending,
      references: ({ id, recordingId }) => [objectKeys.highlightOf(recordingId, id)],
      recover: options.recover,
    });
  }

  async create(
    highlight: Highlight,
    options: CreateHighlightOptions = {},
  ): Promise<{ readonly highlight: Highlight; readonly created: boolean }> {
    const { recordingId, triggerId } = highlight;
    let entered: Entered | undefined;
    const created = await this.#records.create(highlight, async () => {
      entered = await this.#enter(highlight, options);
      // Again, when Redis was emptied meanwhile: what was stored may have been brought back already.
      return entered[1] === highlight.id && entered[0] !== 'deleted';
    });
    if (created) return { highlight, created };
    const [outcome, winner] = entered ?? ['no-recording', ''];
    if (outcome === 'known') return { highlight: await this.get(winner), created };
    throw outcome === 'deleted' ? deleted(triggerId) : noRecording(recordingId);
  }

  /**
   * Brings it back into a Redis that was emptied, its trigger too; false when it is there already, or `fence` does not hold any more.
   */
  async restore(highlight: Highlight, options: { readonly fence: string }): Promise<boolean> {
    const { id, recordingId, triggerId } = highlight;
    await this.#redis.hsetnx(redisKeys.triggersOfRecording(recordingId), triggerId, id);
    return this.#records.restore(highlight, options);
  }

  find(id: string): Promise<Highlight | undefined> {
    return this.#records.find(id);
  }

  get(id: string): Promise<Highlight> {
    return this.#records.get(id);
  }

  async listByRecording(recordingId: string): Promise<readonly Highlight[]> {
    const key = redisKeys.highlightsOfRecording(recordingId);
    return readWhole(this.#redis, async () => {
      const ids = await this.#redis.zrange(key, '0', '-1');
      return this.#records.findMany(ids.map(String));
    });
  }

  list(filter: HighlightFilter): Promise<HighlightPage> {
    return findHighlights(filter, {
      redis: this.#redis,
      findMany: (ids) => this.#records.findMany(ids),
    });
  }

  update(id: string, change: (highlight: Highlight) => Highlight): Promise<Highlight> {
    return this.#records.update(id, change);
  }

  async delete(id: string): Promise<void> {
    // Its triggers stay known: one heard again must not bring it back.
    const removed = await this.#records.remove(id);
    // A deletion that was cut short is known by the store alone.
    const highlight = removed ?? (await findStoredHighlight(this.#store, id));
    if (highlight !== undefined) await this.#records.deleteStored(highlight);
  }

  async findByTrigger(recordingId: string, triggerId: string): Promise<Highlight | undefined> {
    const id = await this.#redis.hget(redisKeys.triggersOfRecording(recordingId), triggerId);
    return id === null ? undefined : this.find(id);
  }

  async addTrigger(
    { id, recordingId }: Pick<Highlight, 'id' | 'recordingId'>,
    triggerId: string,
  ): Promise<void> {
    await this.#redis.hsetnx(redisKeys.triggersOfRecording(recordingId), triggerId, id);
  }

  async listPending(beforeMs: number): Promise<readonly string[]> {
    return this.#redis.zrangebyscore(redisKeys.pendingHighlights, '-inf', beforeMs);
  }

  async #enter(highlight: Highlight, options: CreateHighlightOptions): Promise<Entered> {
    const { id, recordingId, triggerId, triggeredAtMs } = highlight;
    const { press = '', isHeard = false } = options;
    const sets = membershipsOf(highlight);
    const entered = await CREATE.run(
      this.#redis,
      [
        redisKeys.triggersOfRecording(recordingId),
        redisKeys.highlight(id),
        redisKeys.recording(recordingId),
        redisKeys.recordingsDeleting,
        redisKeys.pressesOfRecording(recordingId),
        ...sets.map(({ key }) => key),
      ],
      [
        ...[triggerId, id, recordingId, JSON.stringify(highlight), redisKeys.highlight('')],
        ...[triggeredAtMs, DOUBLE_PRESS_MS, press, isHeard ? 1 : 0],
        ...sets.map(({ score }) => score),
      ],
    );
    return entered as Entered;
  }
}

function noRecording(recordingId: string): ChalkreelError {
  return inputError('id', `There is no recording ${recordingId}`, 'recording-not-found');
}

function deleted(triggerId: string): ChalkreelError {
  const message = `The highlight of trigger ${triggerId} was deleted`;
  return new ChalkreelError('highlight-deleted', message, { fault: 'input' });
}
