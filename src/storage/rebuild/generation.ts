import type { Redis } from 'ioredis';
import { ChalkreelError } from '../../errors.ts';
import { redisKeys } from '../redis-keys.ts';

/** A client asks again after this: open recordings are back within seconds. */
const RETRY_AFTER_S = 1;

/**
 * Redis is whole: what is in the store is there too. A hash, `chalkreel:generation`, says so; it is written once, after everything
 * that is open was brought back, and it goes with all the rest when Redis is emptied.
 */
export type Generation = {
  /** Random: another one means that Redis was emptied in between. */
  readonly id: string;
  /** Whether what is over is there as well, not only what is open. */
  readonly isComplete: boolean;
};

/** The present generation; undefined when Redis was emptied, or is new. */
export async function findGeneration(redis: Redis): Promise<Generation | undefined> {
  const [id, phase] = await redis.hmget(redisKeys.generation, 'id', 'phase');
  return typeof id === 'string' ? { id, isComplete: phase === 'complete' } : undefined;
}

/** The same; throws `rebuilding` when there is none. */
export async function getGeneration(redis: Redis): Promise<Generation> {
  const generation = await findGeneration(redis);
  if (generation === undefined) throw rebuilding();
  return generation;
}

/** Runs readings that nobody may see half: throws `rebuilding` when Redis was emptied before, or while, they ran. */
export async function readWhole<T>(redis: Redis, read: () => Promise<T>): Promise<T> {
  const before = await getGeneration(redis);
  const value = await read();
  if ((await getGeneration(redis)).id !== before.id) throw rebuilding();
  return value;
}

/** Redis does not know yet, so nothing can be said or decided. */
export function rebuilding(): ChalkreelError {
  return new ChalkreelError(
    'rebuilding',
    'Redis has lost its records; they are being read from the store again.',
    { fault: 'dependency', retryable: true, details: { retryAfterS: RETRY_AFTER_S } },
  );
}

/** Whether a thrown value says that Redis was emptied: a script's own refusal, or `rebuilding`. */
export function isRebuilding(error: unknown): boolean {
  if (error instanceof ChalkreelError) return error.code === 'rebuilding';
  return error instanceof Error && error.message.startsWith('REBUILDING');
}
