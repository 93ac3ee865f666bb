-- Step 3 of a move in a cluster: the reserved key gets the record. If it was deleted meanwhile, the
-- session was, and stays so. ARGV: 1 value, 2 expires, 3 reservation.
local value = redis.call('GET', KEYS[1])
if not value then return {'gone'} end
-- What is no reservation was filled by an attempt whose reply was lost.
if value == ARGV[3] then file(KEYS[1], ARGV[1], ARGV[2]) end
return {ok = 'OK'}
