-- Step 3 of a move in a cluster: the reserved key gets the record. If it was deleted meanwhile, the
-- session was, and stays so. ARGV: 1 expires, then fields and values.
local m = redis.call('HMGET', KEYS[1], 'v', 'pending')
if not m[1] then return {'gone'} end
if not m[2] then return {'ok'} end -- filled by an attempt whose reply was lost
redis.call('DEL', KEYS[1])
put(KEYS[1], ARGV, 2)
keep_until(KEYS[1], ARGV[1])
return {'ok'}
