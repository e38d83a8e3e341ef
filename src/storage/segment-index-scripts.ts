import { RedisScript } from './redis-script.ts';

/**
 * Both scripts: KEYS list, head. The list holds the entries in order. The head is a hash: `last`, the highest number decided; `owner`
 * of the last entry; `epoch:<lane>`, the highest of each lane; `aside:<n>`, entries that wait for their turn (above `last`) or
 * came late (below).
 */
const COMMON = `
local list, head = KEYS[1], KEYS[2]
local function get(field) return redis.call('HGET', head, field) end
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
 * ARGV: n, lane, epoch, object, json. An append whose answer was lost is repeated: if this very object stands there, wherever, it
 * has been appended. Numbers ascend, so it is found by halving.
 */
export const APPEND = new RedisScript(`${COMMON}
local n, lane, epoch, object, json = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
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
if n <= last then
  redis.call('HSET', head, 'aside:' .. n, json)
  return 'late'
end
if epoch < tonumber(get('epoch:' .. lane) or -1) then return 'stale-epoch' end
redis.call('HSET', head, 'epoch:' .. lane, epoch)
local owner = get('owner')
if owner == lane .. ':' .. epoch and n > last + 1 then
  redis.call('HSET', head, 'aside:' .. n, json)
  return 'appended'
end
if owner then
  for m = last + 1, n - 1 do take(m) end
end
push(json)
takeWhatFollows()
return 'appended'
`);

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
end
takeWhatFollows()
return {tonumber(get('last')), redis.call('LLEN', list)}
`);
