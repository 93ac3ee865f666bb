-- A patch and a move to KEYS[2], on one server. Not for clusters: the keys are in two slots. KEYS[3]: the index.
local trouble, record = look(KEYS[1], ARGV[1])
local taken = redis.call('EXISTS', KEYS[2]) == 1
-- Nobody else can have filed anything under a key that nobody else knows: the first attempt was it.
if taken and ARGV[15] == '1' then return {'ok', redis.call('HGETALL', KEYS[2])} end
if trouble then return trouble end
if taken then return {'taken', ''} end
trouble = merge(KEYS[1], record)
if trouble then return trouble end
redis.call('RENAME', KEYS[1], KEYS[2])
if KEYS[3] then
  local handle, m = record.handle, redis.call('HMGET', KEYS[2], 'renewed', 'expires')
  local sets = sets_of(KEYS[3], handle)
  delist(sets, handle, member_of(handle, KEYS[1]), false)
  enlist(sets, handle, member_of(handle, KEYS[2]), record.created, m[1], m[2])
end
if ARGV[14] ~= '' then
  redis.call('HSET', KEYS[1], 'v', '1', 'to', ARGV[13], 'until', ARGV[14])
  keep_until(KEYS[1], ARGV[14])
end
return {'ok', redis.call('HGETALL', KEYS[2])}
