import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { isRebuilding, rebuilding } from './rebuild/generation.ts';
import { redisKeys } from './redis-keys.ts';

/** Who finds Redis emptied refuses to decide anything: what it had is on its way back from the store. */
const GUARD = `
if redis.call('EXISTS', '${redisKeys.generation}') == 0 then
  return redis.error_reply('REBUILDING Redis was emptied')
end
`;

/**
 * A Lua script, sent once and then called by its hash. Runs as one step: nothing happens between its lines. While Redis is emptied it
 * is not run: throws `rebuilding`, which is retryable.
 */
export class RedisScript {
  readonly #source: string;
  readonly #sha: string;

  /** `duringRebuild` is for the few scripts that bring Redis back. */
  constructor(source: string, options: { readonly duringRebuild?: true } = {}) {
    this.#source = options.duringRebuild ? source : GUARD + source;
    this.#sha = createHash('sha1').update(this.#source).digest('hex');
  }

  /** Runs it; `KEYS` and `ARGV` as given, in order. */
  async run(
    redis: Redis,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    try {
      return await this.#call(redis, keys, args);
    } catch (error) {
      throw isRebuilding(error) ? rebuilding() : error;
    }
  }

  async #call(
    redis: Redis,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    try {
      return await redis.evalsha(this.#sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return redis.eval(this.#source, keys.length, ...keys, ...args);
    }
  }
}
