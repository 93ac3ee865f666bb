-- Step 1 of a move in a cluster: reserves the new key. ARGV: 1 reservation, 2 seconds.
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2]) then return {ok = 'OK'} end
local value = redis.pcall('GET', KEYS[1])
return {value == ARGV[1] and 'ok' or 'taken'}
