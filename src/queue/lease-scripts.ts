import { redisKeys } from '../storage/redis-keys.ts';
import { RedisScript } from '../storage/redis-script.ts';

/** A lease not renewed for this long is anybody's. */
export const LEASE_TTL_MS = 4_000;
/** Owners renew this often; workers are seen this often. */
export const RENEW_EVERY_MS = 1_000;
/** No worker at all seen for this long: Redis was away, stood still, or is new. Nothing is taken over for one TTL then. */
const UNSEEN_MS = 2 * RENEW_EVERY_MS;
/** A request to take something that Redis runs so much later than it was sent is void: who sent it has given up. */
const MAX_LATE_MS = 1_500;
/** Lanes looked at in one request. */
const SCAN_LANES = 200;
/** A closed recording's lease is remembered for so long, that a worker who comes back hears of it. */
const CLOSED_FOR_S = 3_600;
/** Recordings that should run are compared with the lanes there are this often, by whichever worker. */
const RECONCILE_EVERY_MS = 5_000;

/** A Lua expression that spells a key from the Lua variables `id` and `lane`. */
const inLua = (key: string): string => `'${key}'`;
const LEASE_KEY = inLua(redisKeys.lease("' .. id .. '", "' .. lane .. '"));
const HEAD_KEY = inLua(redisKeys.segmentsHead("' .. id .. '"));

/** KEYS of every script below. */
export const LEASE_KEYS: readonly string[] = [
  redisKeys.leases,
  redisKeys.leaseOffers,
  redisKeys.leasesSeen,
  redisKeys.workers,
];

/**
 * All scripts: time is this server's. A lane is `<recording id>/<lane>`. Epochs are counted in the head of the segments' index, so that
 * whoever rebuilds that one also keeps them growing.
 */
const COMMON = `
local leases, offers, seen, workers = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local TTL = ${LEASE_TTL_MS}
local function split(ref) return string.match(ref, '^(.*)/(%d+)$') end
local function leaseKey(ref) local id, lane = split(ref); return ${LEASE_KEY} end
local function headKey(ref) local id = split(ref); return ${HEAD_KEY} end
local function epochField(ref) local _, lane = split(ref); return 'epoch:' .. lane end
local function nextEpoch(ref)
  local head, field = headKey(ref), epochField(ref)
  local epoch = tonumber(redis.call('HGET', head, field) or 0) + 1
  redis.call('HSET', head, field, epoch)
  return epoch
end
local function number(key, field) return tonumber(redis.call('HGET', key, field) or 0) end
local function isOwner(ref, worker, epoch)
  local lease = redis.call('HMGET', leaseKey(ref), 'worker', 'epoch', 'isClosed')
  return lease[1] == worker and lease[2] == tostring(epoch) and not lease[3]
end
local function isLive(ref) return tonumber(redis.call('ZSCORE', leases, ref) or 0) > now end
local function give(ref, worker, epoch, from)
  local key = leaseKey(ref)
  redis.call('HSET', key, 'worker', worker, 'epoch', epoch, 'from', from)
  redis.call('HDEL', key, 'isReleased', 'isEnded', 'next', 'nextEpoch', 'nextUntil')
  redis.call('ZADD', leases, now + TTL, ref)
  redis.call('ZREM', offers, ref)
end
-- True while nothing may be taken: owners that could not be heard come first.
local function look()
  if now - number(seen, 'seen') > ${UNSEEN_MS} then redis.call('HSET', seen, 'since', now) end
  redis.call('HSET', seen, 'seen', now)
  return now - number(seen, 'since') < TTL
end
local function isLate(sentAt) return math.abs(now - tonumber(sentAt)) > ${MAX_LATE_MS} end
-- Whether a worker has another lane of the same recording, or is about to.
local function hasTwin(ref, worker)
  local id, mine = split(ref)
  for _, lane in ipairs({'0', '1'}) do
    if lane ~= mine then
      local twin = id .. '/' .. lane
      local lease = redis.call('HMGET', leaseKey(twin), 'worker', 'next', 'nextUntil')
      if lease[1] == worker and isLive(twin) then return true end
      if lease[2] == worker and tonumber(lease[3] or 0) > now then return true end
    end
  end
  return false
end
`;

const script = (source: string): RedisScript => new RedisScript(COMMON + source);

/**
 * ARGV: worker, lane refs. Begins a recording that nobody has begun: its first lane goes to this worker, the others to whoever looks.
 * Answers the epoch, or false when it has lanes already.
 */
export const BEGIN = script(`
look()
local first = ARGV[2]
if redis.call('ZSCORE', leases, first) then return false end
if redis.call('HMGET', leaseKey(first), 'isClosed', 'isEnded')[1] then return false end
local epoch = nextEpoch(first)
give(first, ARGV[1], epoch, '')
for i = 3, #ARGV do redis.call('ZADD', leases, 'NX', 0, ARGV[i]) end
return epoch
`);

/**
 * ARGV: worker, then lane and epoch of each lease it has. Renews them all, also what has expired and nobody took, or what went with
 * Redis's memory. Answers for each: `held`, `next` (a successor that has not appended yet), `lost`, or the successor's first number.
 */
export const BEAT = script(`
look()
local worker = ARGV[1]
redis.call('ZADD', workers, now + TTL, worker)
redis.call('ZREMRANGEBYSCORE', workers, '-inf', now - ${CLOSED_FOR_S * 1000})
local standings = {}
for i = 2, #ARGV, 2 do
  local ref, epoch = ARGV[i], ARGV[i + 1]
  local key = leaseKey(ref)
  local lease = redis.call('HMGET', key, 'worker', 'epoch', 'isClosed', 'next', 'nextEpoch', 'from', 'isEnded')
  local standing = 'lost'
  if lease[3] or lease[7] then standing = 'lost'
  elseif not lease[2] then
    give(ref, worker, epoch, '')
    if number(headKey(ref), epochField(ref)) < tonumber(epoch) then
      redis.call('HSET', headKey(ref), epochField(ref), epoch)
    end
    standing = 'held'
  elseif lease[1] == worker and lease[2] == epoch then
    redis.call('ZADD', leases, now + TTL, ref)
    redis.call('HDEL', key, 'isReleased')
    standing = 'held'
  elseif lease[4] == worker and lease[5] == epoch then
    redis.call('HSET', key, 'nextUntil', now + TTL)
    standing = 'next'
  elseif lease[6] and lease[6] ~= '' then standing = lease[6] end
  standings[#standings + 1] = standing
end
return standings
`);

/**
 * ARGV: worker, sent at (fleet time), most lanes, 1 when one worker alone may make both lanes, lanes not to take. Takes lanes that are
 * offered or that nobody has. Answers `{lane, epoch, role, worker before}` of each; false when the request came too late.
 */
export const CLAIM = script(`
if isLate(ARGV[2]) then return false end
local mustWait = look()
local worker, most, isDoubleAllowed = ARGV[1], tonumber(ARGV[3]), ARGV[4] == '1'
local left = {}
for i = 5, #ARGV do left[ARGV[i]] = true end
local claimed = {}
local function mayTake(ref)
  if left[ref] or #claimed >= most then return false end
  if not hasTwin(ref, worker) then return true end
  return isDoubleAllowed and redis.call('ZCOUNT', workers, now, '+inf') <= 1
end
for _, ref in ipairs(redis.call('ZRANGE', offers, 0, ${SCAN_LANES - 1})) do
  local key = leaseKey(ref)
  local lease = redis.call('HMGET', key, 'worker', 'nextUntil')
  if not isLive(ref) then redis.call('ZREM', offers, ref)
  elseif lease[1] ~= worker and tonumber(lease[2] or 0) <= now and mayTake(ref) then
    local epoch = nextEpoch(ref)
    local _, lane = split(ref)
    redis.call('HSET', key, 'next', worker, 'nextEpoch', epoch, 'nextUntil', now + TTL)
    redis.call('HSET', headKey(ref), 'joins:' .. lane, epoch)
    claimed[#claimed + 1] = {ref, epoch, 'successor', lease[1]}
  end
end
for _, ref in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, ${SCAN_LANES})) do
  local lease = redis.call('HMGET', leaseKey(ref), 'worker', 'isReleased', 'nextUntil')
  local isFree = lease[2] or not mustWait
  if isFree and tonumber(lease[3] or 0) <= now and mayTake(ref) then
    local epoch = nextEpoch(ref)
    give(ref, worker, epoch, '')
    claimed[#claimed + 1] = {ref, epoch, 'owner', lease[1] or ''}
  end
end
return claimed
`);

/** ARGV: worker, lane, epoch. The same worker goes on under a new epoch. Answers it, or false when the lease is lost. */
export const ADVANCE = script(`
local worker, ref, epoch = ARGV[1], ARGV[2], ARGV[3]
if not isOwner(ref, worker, epoch) then return false end
local advanced = nextEpoch(ref)
give(ref, worker, advanced, '')
return advanced
`);

/** ARGV: worker, lane, epoch. The owner makes itself its own successor. Answers the successor's epoch, or false. */
export const SUCCEED_ONESELF = script(`
local worker, ref, epoch = ARGV[1], ARGV[2], ARGV[3]
local key = leaseKey(ref)
if not isOwner(ref, worker, epoch) or number(key, 'nextUntil') > now then return false end
local advanced = nextEpoch(ref)
local _, lane = split(ref)
redis.call('HSET', key, 'next', worker, 'nextEpoch', advanced, 'nextUntil', now + TTL)
redis.call('HSET', headKey(ref), 'joins:' .. lane, advanced)
return advanced
`);

/** ARGV: worker, lane, epoch, number. The successor has appended this number: the lease is its own. Answers 1, or 0 when it is not. */
export const SUCCEED = script(`
local worker, ref, epoch = ARGV[1], ARGV[2], ARGV[3]
if isOwner(ref, worker, epoch) then return 1 end
local lease = redis.call('HMGET', leaseKey(ref), 'next', 'nextEpoch', 'isClosed')
if lease[3] or lease[1] ~= worker or lease[2] ~= epoch then return 0 end
give(ref, worker, epoch, ARGV[4])
return 1
`);

/** ARGV: worker, lane, epoch, what: `offer`, `keep`, `release` by its owner, or `decline` by its successor. Answers 1 when it was theirs. */
export const TELL = script(`
local worker, ref, epoch, what = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local key = leaseKey(ref)
if what == 'decline' then
  local lease = redis.call('HMGET', key, 'next', 'nextEpoch')
  if lease[1] ~= worker or lease[2] ~= epoch then return 0 end
  redis.call('HDEL', key, 'next', 'nextEpoch', 'nextUntil')
  return 1
end
if not isOwner(ref, worker, epoch) then return 0 end
if what == 'offer' then redis.call('ZADD', offers, 'NX', now, ref) else redis.call('ZREM', offers, ref) end
if what == 'release' then
  redis.call('HSET', key, 'isReleased', 1)
  redis.call('ZADD', leases, 0, ref)
end
return 1
`);

/**
 * ARGV: worker, lane, epoch. This lane is through. Answers `last` when no other lane of the recording is at work, and keeps the lease then,
 * so that whoever is last writes the end; `others`, or `lost`.
 */
export const END = script(`
local worker, ref, epoch = ARGV[1], ARGV[2], ARGV[3]
if not isOwner(ref, worker, epoch) then return 'lost' end
local id, mine = split(ref)
for _, lane in ipairs({'0', '1'}) do
  local twin = id .. '/' .. lane
  if lane ~= mine and isLive(twin) then
    redis.call('HSET', leaseKey(ref), 'isEnded', 1)
    redis.call('ZREM', leases, ref)
    redis.call('ZREM', offers, ref)
    return 'others'
  end
end
return 'last'
`);

/** ARGV: lanes of a recording that is over. */
export const CLOSE = script(`
for _, ref in ipairs(ARGV) do
  redis.call('ZREM', leases, ref)
  redis.call('ZREM', offers, ref)
  redis.call('HSET', leaseKey(ref), 'isClosed', 1)
  redis.call('EXPIRE', leaseKey(ref), ${CLOSED_FOR_S})
end
`);

/**
 * KEYS beyond the common ones: the sorted set of queued recordings, then those of recordings that should run. Finds lanes that were lost,
 * and lets them be taken. Answers the ids of recordings queued for a while; false when another worker has looked a moment ago.
 */
export const RECONCILE = script(`
if look() or now - number(seen, 'reconciled') < ${RECONCILE_EVERY_MS} then return false end
redis.call('HSET', seen, 'reconciled', now)
for i = 6, #KEYS do
  for _, id in ipairs(redis.call('ZRANGE', KEYS[i], 0, -1)) do
    local first = id .. '/0'
    local flags = redis.call('HMGET', leaseKey(first), 'isClosed', 'isEnded')
    if not redis.call('ZSCORE', leases, first) and not flags[1] and not flags[2] then
      local json = redis.call('HGET', ${inLua(redisKeys.recording("' .. id .. '"))}, 'json')
      local lanes = json and tonumber(cjson.decode(json).settings.redundancy or 1) or 0
      for lane = 0, lanes - 1 do redis.call('ZADD', leases, 'NX', 0, id .. '/' .. lane) end
    end
  end
end
return redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now - ${RECONCILE_EVERY_MS}, 'LIMIT', 0, ${SCAN_LANES})
`);
