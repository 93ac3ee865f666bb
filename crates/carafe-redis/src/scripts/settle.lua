-- Step 4 of a move in a cluster: the old key no longer carries the record. Also reverts a
-- reservation. ARGV: 1 the current value, 2 the value that replaces it or '', 3 until when.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {ok = 'OK'} end
if ARGV[2] ~= '' then file(KEYS[1], ARGV[2], ARGV[3]) else redis.call('DEL', KEYS[1]) end
return {ok = 'OK'}
