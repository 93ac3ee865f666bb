-- A patch and a move to KEYS[2], on a single server. Not for clusters: the keys are in two slots.
-- KEYS[3]: the index. ARGV, after those of unlike.lua: 3 expires, 4 until when the indices list it,
-- 5 '1' for a retry, 6 the value that replaces the record at the old key, 7 until when, 8 public
-- id, 9 created, 10 renewed.
local taken = redis.call('EXISTS', KEYS[2]) == 1
-- The new key is random, so only the first attempt can have stored a value under it.
if taken and ARGV[5] == '1' then return {ok = 'OK'} end
local trouble = unlike(redis.call('GET', KEYS[1]))
if trouble then return trouble end
if taken then return {'taken'} end
file(KEYS[2], '3 ' .. ARGV[4] .. ARGV[2], ARGV[3])
file(KEYS[1], ARGV[6], ARGV[7])
if KEYS[3] then
  local public_id = ARGV[8]
  local sets = sets_of(KEYS[3], public_id)
  delist(sets, public_id, member_of(public_id, KEYS[1]), false)
  enlist(sets, public_id, member_of(public_id, KEYS[2]), ARGV[9], ARGV[10], ARGV[3])
end
return {ok = 'OK'}
