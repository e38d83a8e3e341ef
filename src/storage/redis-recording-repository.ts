import type { Redis } from 'ioredis';
import { ChalkreelError } from '../errors.ts';
import type { Closable } from '../lifecycle.ts';
import type { RecordingProgress } from '../model/progress.ts';
import type { Recording, RecordingState } from '../model/recording.ts';
import { objectKeys } from './keys.ts';
import type { ObjectStore } from './object-store.ts';
import { readPage, readCursor, writeCursor } from './recording-cursor.ts';
import type {
  RecordingChange,
  RecordingFilter,
  RecordingRepository,
} from './recording-repository.ts';
import { RecordingSubscriptions } from './recording-subscriptions.ts';
import { redisKeys } from './redis-keys.ts';
import { RedisRecords } from './redis-records.ts';
import { RedisScript } from './redis-script.ts';

/** KEYS: record, then sorted sets it enters. ARGV: json, id, score. */
const CREATE = new RedisScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 'exists' end
redis.call('HSET', KEYS[1], 'json', ARGV[1], 'version', 1)
for i = 2, #KEYS do redis.call('ZADD', KEYS[i], ARGV[3], ARGV[2]) end
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
  }) {
    this.#redis = options.redis;
    this.#store = options.store;
    this.#records = new RedisRecords(options.redis, options.store, {
      name: 'recording',
      recordKey: redisKeys.recording,
      channel: redisKeys.recordingChanged,
      objectKey: objectKeys.recording,
      score: (recording) => recording.createdAtMs,
      moves: planMoves,
    });
    this.#subscriptions = new RecordingSubscriptions({
      openSubscriber: options.openSubscriber,
      find: (id) => this.#records.findVersioned(id),
    });
  }

  async create(recording: Recording): Promise<void> {
    const entered = await this.#records
      .create(recording, () => this.#enter(recording))
      .catch((error: unknown) => {
        if (error instanceof ChalkreelError && error.code === 'object-exists') return false;
        throw error;
      });
    if (!entered) throw exists(recording);
  }

  find(id: string): Promise<Recording | undefined> {
    return this.#records.find(id);
  }

  get(id: string): Promise<Recording> {
    return this.#records.get(id);
  }

  async list(
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

  update(id: string, change: RecordingChange): Promise<Recording> {
    return this.#records.update(id, change);
  }

  async delete(id: string): Promise<void> {
    const recording = await this.find(id);
    if (recording !== undefined) {
      const transaction = this.#redis.multi();
      for (const key of listKeys(recording)) transaction.zrem(key, id);
      await transaction
        .del(redisKeys.recording(id), redisKeys.segments(id), redisKeys.segmentsHead(id))
        .exec();
    }
    await this.#store.delete(objectKeys.recording(id));
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
    const outcome = await CREATE.run(
      this.#redis,
      [redisKeys.recording(recording.id), ...listKeys(recording)],
      [JSON.stringify(recording), recording.id, recording.createdAtMs],
    );
    return outcome === 'done';
  }
}

function listKeys(recording: Recording): readonly string[] {
  const { state, externalId } = recording;
  return [
    redisKeys.recordings,
    redisKeys.recordingsInState(state),
    ...(externalId === null ? [] : [redisKeys.recordingsOfExternalId(externalId)]),
  ];
}

function planMoves(
  before: Recording,
  after: Recording,
): { leaves: readonly string[]; enters: readonly string[] } {
  const old = listKeys(before);
  const next = listKeys(after);
  return {
    leaves: old.filter((key) => !next.includes(key)),
    enters: next.filter((key) => !old.includes(key)),
  };
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
