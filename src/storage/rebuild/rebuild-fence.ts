import { redisKeys } from '../redis-keys.ts';

/**
 * Lua: whether who brings something back may still do so. A fence is the token of the lock under which Redis is being rebuilt, or the
 * generation in which the store was read: after another FLUSHALL what was read may be too old.
 */
export const FENCE = `
local function mayRestore(fence)
  return redis.call('GET', '${redisKeys.rebuildLock}') == fence
    or redis.call('HGET', '${redisKeys.generation}', 'id') == fence
end
`;
