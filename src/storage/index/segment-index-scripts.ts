import { redisKeys } from '../redis-keys.ts';
import { RedisScript } from '../redis-script.ts';

/**
 * All scripts: KEYS list, head. The list holds the entries in order. The head is a hash: `last`, the highest number decided; `owner`
 * of the last entry; of each lane `epoch:<lane>`, the highest handed out, `fence:<lane>`, the highest that has appended, `from:<lane>`,
 * its first number, and `joins:<lane>`, an epoch handed out for a hand-over; `aside:<n>`, entries that wait for their turn (above
 * `last`) or came late (below). Whatever changes in them is told on the list's channel.
 */
const COMMON = `
local list, head = KEYS[1], KEYS[2]
local function get(field) return redis.call('HGET', head, field) end
local function tell() redis.call('PUBLISH', list .. ':changed', '') end
local function push(json)
  local entry = cjson.decode(json)
  redis.call('RPUSH', list, json)
  redis.call('HSET', head, 'last', entry.n, 'owner', entry.lane .. ':' .. entry.epoch)
end
local function take(n)
  local json = get('aside:' .. n)
  if not json then return false end
  redis.call('HDEL', head, 'aside:' .. n)
  push(json)
  return true
end
local function takeWhatFollows()
  local last = tonumber(get('last') or -1)
  while take(last + 1) do last = last + 1 end
end
`;

/**
 * ARGV: n, lane, epoch, object, json, 1 for what was found in a dead worker's spool. An append whose answer was lost is repeated: if
 * this very object stands there, wherever, it has been appended. Numbers ascend, so it is found by halving.
 *
 * An owner is shut out by its successor's first append: by a takeover altogether (but what its spool held may still fill holes), by a
 * hand-over from that number on. A takeover gives up what is missing before it; otherwise an entry that leaves numbers out waits.
 */
export const APPEND = new RedisScript(`${COMMON}
local n, lane, epoch, object, json = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local isSalvaged = ARGV[6] == '1'
local last = tonumber(get('last') or -1)
local function again(other) return cjson.decode(other).place.object == object and 'appended' or 'taken' end
if n <= last then
  local low, high = 0, redis.call('LLEN', list) - 1
  while low <= high do
    local middle = math.floor((low + high) / 2)
    local other = redis.call('LINDEX', list, middle)
    local at = cjson.decode(other).n
    if at == n then return again(other) end
    if at < n then low = middle + 1 else high = middle - 1 end
  end
end
local other = get('aside:' .. n)
if other then return again(other) end
local fence = tonumber(get('fence:' .. lane) or -1)
local function joined(e) return tonumber(get('joins:' .. lane) or -1) == e end
if epoch < fence and not (joined(fence) and n < tonumber(get('from:' .. lane) or 0)) then
  if not (isSalvaged and n <= last) then return 'stale-epoch' end
end
if epoch > fence then
  redis.call('HSET', head, 'fence:' .. lane, epoch, 'from:' .. lane, n)
  if epoch > tonumber(get('epoch:' .. lane) or -1) then redis.call('HSET', head, 'epoch:' .. lane, epoch) end
end
local function aside(answer)
  redis.call('HSET', head, 'aside:' .. n, json)
  tell()
  return answer
end
if n <= last then return aside('late') end
local owner = get('owner')
if owner and n > last + 1 then
  local ownerLane, ownerEpoch = string.match(owner, '^(%d+):(%d+)$')
  local isTakeover = lane == ownerLane and epoch > tonumber(ownerEpoch) and not joined(epoch)
  if not isTakeover then return aside('appended') end
  for m = last + 1, n - 1 do take(m) end
end
push(json)
takeWhatFollows()
tell()
return 'appended'
`);

/**
 * ARGV: n, lane, origin, ms a segment, ms until a segment counts as missed. With two lanes: whether it is this lane's turn to bring `n`
 * (`go`), or it stands already (`taken`), or the lane that brought the last one, at first lane 0, may still bring it (`wait`).
 */
export const ASK_TURN = new RedisScript(`${COMMON}
local n, lane, origin, length, patience = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if get('aside:' .. n) then return 'taken' end
local last = tonumber(get('last') or -1)
if n <= last then
  for back = 1, math.min(last - n + 1, redis.call('LLEN', list)) do
    local at = cjson.decode(redis.call('LINDEX', list, -back)).n
    if at == n then return 'taken' end
    if at < n then return 'go' end
  end
  return 'go'
end
local leader = string.match(get('owner') or '0:', '^(%d+):')
if leader == lane then return 'go' end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
return now >= origin + (n + 1) * length + patience and 'go' or 'wait'
`);

/** KEYS: head. ARGV: lane. The next epoch. */
export const OPEN_EPOCH = new RedisScript(
  `return redis.call('HINCRBY', KEYS[1], 'epoch:' .. ARGV[1], 1)`,
);

/** ARGV: origin, ms a segment, ms overdue, number of the end or −1, 1 when the recording is over. The clock is the fleet's: this server's. */
export const SETTLE = new RedisScript(`${COMMON}
local origin, length, overdue, ending = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local last = tonumber(get('last') or -1)
local count = redis.call('LLEN', list)
if count == 0 then return {last, count} end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local due = math.floor((now - overdue - origin) / length) - 1
if ending >= 0 and due >= ending then due = ending - 1 end
-- After Redis was away or emptied workers have to bring first what they could not.
local since = tonumber(redis.call('HGET', '${redisKeys.generation}', 'sinceMs') or 0)
since = math.max(since, tonumber(redis.call('HGET', '${redisKeys.leasesSeen}', 'since') or 0))
if now < since + overdue then due = -1 end
if ARGV[5] == '1' then
  due = last
  for _, field in ipairs(redis.call('HKEYS', head)) do
    local n = tonumber(string.match(field, '^aside:(%d+)$'))
    if n and n > due then due = n end
  end
end
if due > last then
  for n = last + 1, due do take(n) end
  redis.call('HSET', head, 'last', due)
  tell()
end
takeWhatFollows()
return {tonumber(get('last')), redis.call('LLEN', list)}
`);

/**
 * ARGV: first and last number. Answers the highest number decided, and the entries in order from the first to the last number; numbers
 * ascend, so they are found by halving.
 */
export const READ_NUMBERS = new RedisScript(`${COMMON}
local last, length = tonumber(get('last') or -1), redis.call('LLEN', list)
local function positionOf(n)
  local low, high = math.max(0, length - math.max(0, last - n + 1)), math.min(length, n)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if cjson.decode(redis.call('LINDEX', list, middle)).n < n then low = middle + 1 else high = middle end
  end
  return low
end
local from, to = positionOf(tonumber(ARGV[1])), positionOf(tonumber(ARGV[2]) + 1)
if to <= from then return {last, {}} end
return {last, redis.call('LRANGE', list, from, to - 1)}
`);
