import type { Redis } from 'ioredis';
import { ChalkreelError } from '../../errors.ts';
import type { Closable } from '../../lifecycle.ts';
import type { RecordingProgress } from '../../model/progress.ts';
import { expiryOf, isFinal, type Recording, type RecordingState } from '../../model/recording.ts';
import { isOpenRun } from '../../model/reencode-run.ts';
import { readWhole } from '../rebuild/generation.ts';
import { objectKeys } from '../keys.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { readPage, readCursor, writeCursor } from './recording-cursor.ts';
import type {
  RecordingChange,
  RecordingFilter,
  RecordingRepository,
} from './recording-repository.ts';
import { RecordingSubscriptions } from './recording-subscriptions.ts';
import { redisKeys } from '../redis-keys.ts';
import { RedisRecords, type Membership } from './redis-records.ts';
import { RedisScript } from '../redis-script.ts';

/** KEYS: record, then sorted sets it enters. ARGV: json, id, a score for each set. */
const CREATE = new RedisScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 'exists' end
redis.call('HSET', KEYS[1], 'json', ARGV[1], 'version', 1)
for i = 2, #KEYS do redis.call('ZADD', KEYS[i], ARGV[1 + i], ARGV[2]) end
return 'done'
`);

/** Progress of a recording just deleted must not bring its key back. */
const SET_PROGRESS = new RedisScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'progress', ARGV[1]) end
`);

/** Ids looked at in one step while a page of a list is filled. */
const LIST_STEP = 100;

const STATES: readonly RecordingState[] = [
  'queued',
  'starting',
  'recording',
  'stopping',
  'completed',
  'failed',
];

/** Recordings in Redis, mirrored to `recording.json` in the store. Close it to end its subscriptions. */
export class RedisRecordingRepository implements RecordingRepository, Closable {
  readonly #redis: Redis;
  readonly #store: ObjectStore;
  readonly #records: RedisRecords<Recording>;
  readonly #subscriptions: RecordingSubscriptions;

  constructor(options: {
    readonly redis: Redis;
    readonly store: ObjectStore;
    /** Opens the one connection that all subscriptions share; closed with the repository. */
    readonly openSubscriber: () => Redis;
    /** See `RecordKind`. */
    readonly recover?: (id: string) => Promise<boolean>;
    readonly beforeEnd?: (id: string) => Promise<void>;
  }) {
    this.#redis = options.redis;
    this.#store = options.store;
    this.#records = new RedisRecords(options.redis, options.store, {
      name: 'recording',
      recordKey: redisKeys.recording,
      channel: redisKeys.recordingChanged,
      objectKey: objectKeys.recording,
      memberships: membershipsOf,
      openKey: objectKeys.openRecording,
      isOpen: ({ state }) => !isFinal(state),
      recover: options.recover,
      beforeEnd: options.beforeEnd,
    });
    this.#subscriptions = new RecordingSubscriptions({
      openSubscriber: options.openSubscriber,
      find: (id) => this.#records.findVersioned(id),
    });
  }

  async create(recording: Recording): Promise<void> {
    const entered = await this.#records
      // After a rebuild it is there already, since the store has it: it is this one.
      .create(recording, async (wasEmptied) => (await this.#enter(recording)) || wasEmptied)
      .catch((error: unknown) => {
        if (error instanceof ChalkreelError && error.code === 'object-exists') return false;
        throw error;
      });
    if (!entered) throw exists(recording);
  }

  /** Brings it back into a Redis that was emptied; false when it is there already, or `fence` does not hold any more. */
  restore(
    recording: Recording,
    options: { readonly fence: string; readonly progress?: RecordingProgress | undefined },
  ): Promise<boolean> {
    const { fence, progress } = options;
    const fields = progress === undefined ? {} : { progress: JSON.stringify(progress) };
    return this.#records.restore(recording, { fence, fields });
  }

  find(id: string): Promise<Recording | undefined> {
    return this.#records.find(id);
  }

  get(id: string): Promise<Recording> {
    return this.#records.get(id);
  }

  list(
    filter: RecordingFilter,
  ): Promise<{ readonly recordings: readonly Recording[]; readonly nextCursor: string | null }> {
    return readWhole(this.#redis, () => this.#list(filter));
  }

  async #list(
    filter: RecordingFilter,
  ): Promise<{ readonly recordings: readonly Recording[]; readonly nextCursor: string | null }> {
    const found: Recording[] = [];
    const key = planListKey(filter);
    let after = filter.cursor === undefined ? undefined : readCursor(filter.cursor);
    for (;;) {
      const ids = await readPage(this.#redis, key, { after, limit: LIST_STEP });
      for (const { id, createdAtMs } of ids) {
        const recording = await this.find(id);
        after = { id, createdAtMs };
        if (recording === undefined || !isMatch(recording, filter)) continue;
        found.push(recording);
        if (found.length > filter.limit) {
          const recordings = found.slice(0, filter.limit);
          return { recordings, nextCursor: writeCursor(recordings.at(-1)) };
        }
      }
      if (ids.length < LIST_STEP) return { recordings: found, nextCursor: null };
    }
  }

  async update(id: string, change: RecordingChange): Promise<Recording> {
    const seen: RecordingState[] = [];
    const after = await this.#records.update(id, (before) => {
      seen.push(before.state);
      return change(before);
    });
    const before = seen.at(-1);
    // Who misses it finds the recording when it looks for what is over.
    if (before !== undefined && !isFinal(before) && isFinal(after.state)) {
      await this.#redis.publish(redisKeys.recordingEnded, id).catch(() => undefined);
    }
    return after;
  }

  async delete(id: string): Promise<void> {
    // The record last of what is in Redis: a deletion cut short is found by it.
    await this.#redis.del(
      redisKeys.segments(id),
      redisKeys.segmentsHead(id),
      redisKeys.triggersOfRecording(id),
      redisKeys.pressesOfRecording(id),
    );
    await this.#records.remove(id);
    await this.#store.delete(objectKeys.openRecording(id));
    await this.#store.delete(objectKeys.recording(id));
  }

  async listExpired(beforeMs: number, limit: number): Promise<readonly string[]> {
    const key = redisKeys.recordingsExpiring;
    return this.#redis.zrangebyscore(key, '-inf', beforeMs, 'LIMIT', 0, limit);
  }

  async listDeleting(): Promise<readonly string[]> {
    return this.#redis.zrange(redisKeys.recordingsDeleting, '0', '-1');
  }

  async listReencoding(): Promise<readonly string[]> {
    return this.#redis.zrange(redisKeys.recordingsReencoding, '0', '-1');
  }

  subscribe(id: string, onChanged: (recording: Recording) => void): Promise<Closable> {
    return this.#subscriptions.subscribe(id, onChanged);
  }

  async setProgress(id: string, progress: RecordingProgress): Promise<void> {
    await SET_PROGRESS.run(this.#redis, [redisKeys.recording(id)], [JSON.stringify(progress)]);
  }

  async findProgress(id: string): Promise<RecordingProgress | undefined> {
    const json = await this.#redis.hget(redisKeys.recording(id), 'progress');
    return json === null ? undefined : (JSON.parse(json) as RecordingProgress);
  }

  async countByState(): Promise<Readonly<Record<RecordingState, number>>> {
    const counts = await Promise.all(
      STATES.map(
        async (state) =>
          [state, await this.#redis.zcard(redisKeys.recordingsInState(state))] as const,
      ),
    );
    return Object.fromEntries(counts) as Record<RecordingState, number>;
  }

  close(): Promise<void> {
    return this.#subscriptions.close();
  }

  /** False when Redis has the recording already. */
  async #enter(recording: Recording): Promise<boolean> {
    const sets = membershipsOf(recording);
    const outcome = await CREATE.run(
      this.#redis,
      [redisKeys.recording(recording.id), ...sets.map(({ key }) => key)],
      [JSON.stringify(recording), recording.id, ...sets.map(({ score }) => score)],
    );
    return outcome === 'done';
  }
}

/** One that is being deleted is in no list any more, but in that of what is to be removed. */
function membershipsOf(recording: Recording): readonly Membership[] {
  const { state, externalId, createdAtMs, deletedAtMs } = recording;
  if (deletedAtMs !== undefined) return [{ key: redisKeys.recordingsDeleting, score: deletedAtMs }];
  const lists = [
    redisKeys.recordings,
    redisKeys.recordingsInState(state),
    ...(externalId === null ? [] : [redisKeys.recordingsOfExternalId(externalId)]),
  ].map((key) => ({ key, score: createdAtMs }));
  const expiresAtMs = expiryOf(recording);
  const asked = (recording.reencodes ?? []).filter(isOpenRun).map((run) => run.requestedAtMs);
  return [
    ...lists,
    ...(asked.length > 0
      ? [{ key: redisKeys.recordingsReencoding, score: Math.min(...asked) }]
      : []),
    ...(expiresAtMs === null ? [] : [{ key: redisKeys.recordingsExpiring, score: expiresAtMs }]),
  ];
}

/** The shortest list that holds everything asked for. */
function planListKey(filter: RecordingFilter): string {
  if (filter.externalId !== undefined) return redisKeys.recordingsOfExternalId(filter.externalId);
  if (filter.state !== undefined) return redisKeys.recordingsInState(filter.state);
  return redisKeys.recordings;
}

function isMatch(recording: Recording, filter: RecordingFilter): boolean {
  return filter.state === undefined || recording.state === filter.state;
}

function exists(recording: Recording): ChalkreelError {
  return new ChalkreelError('recording-exists', `Recording ${recording.id} exists already`);
}
