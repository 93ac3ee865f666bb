-- A patch and a move to KEYS[2], on one server. Not for clusters: the keys are in two slots. KEYS[3]: the index. ARGV,
-- behind those of unlike.lua: 3 expires, 4 until when the indices list it, 5 '1' if sent before, 6 what stays at the old
-- key or '', 7 until when, 8 handle, 9 created, 10 renewed.
local taken = redis.call('EXISTS', KEYS[2]) == 1
-- Nobody else can have filed anything under a key that nobody else knows: the first attempt was it.
if taken and ARGV[5] == '1' then return {ok = 'OK'} end
local trouble = unlike(redis.call('GET', KEYS[1]))
if trouble then return trouble end
if taken then return {'taken'} end
file(KEYS[2], '2 ' .. ARGV[4] .. ARGV[2], ARGV[3])
if ARGV[6] ~= '' then file(KEYS[1], ARGV[6], ARGV[7]) else redis.call('DEL', KEYS[1]) end
if KEYS[3] then
  local handle = ARGV[8]
  local sets = sets_of(KEYS[3], handle)
  delist(sets, handle, member_of(handle, KEYS[1]), false)
  enlist(sets, handle, member_of(handle, KEYS[2]), ARGV[9], ARGV[10], ARGV[3])
end
return {ok = 'OK'}
