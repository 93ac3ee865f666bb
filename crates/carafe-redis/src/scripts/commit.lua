-- Step 2 of a move in a cluster, when the move takes effect: from now on the old key leads to the
-- new one or is retired. ARGV, after the first of unlike.lua: 2 the value that replaces the record
-- and carries it for the reader that completes the move, 3 when the record expires.
local value = redis.call('GET', KEYS[1])
-- An attempt with a lost reply has committed, and a reader may have completed the move since.
if value == ARGV[2] or value == ARGV[2]:match('^[^\n]*') then return {ok = 'OK'} end
local trouble = unlike(value)
if trouble then return trouble end
file(KEYS[1], ARGV[2], ARGV[3])
return {ok = 'OK'}
