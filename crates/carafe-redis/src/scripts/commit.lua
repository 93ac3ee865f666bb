-- Step 2 of a move in a cluster, and the moment it takes place: from now on the old key only leads to the new one.
-- ARGV, behind the first of unlike.lua: 2 the alias, 3 until when or '' if there shall be none: then a trace of it stays
-- until step 4, for an attempt whose reply was lost.
local value = redis.call('GET', KEYS[1])
if value == ARGV[2] then return {ok = 'OK'} end
local trouble = unlike(value)
if trouble then return trouble end
if ARGV[3] ~= '' then file(KEYS[1], ARGV[2], ARGV[3]) else redis.call('SET', KEYS[1], ARGV[2], 'EX', 60) end
return {ok = 'OK'}
