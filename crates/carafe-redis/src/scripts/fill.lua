-- Step 3 of a move in a cluster: stores the record under the reserved key. If the reservation was
-- deleted, the session was deleted and is not stored. ARGV: 1 value, 2 expires, 3 reservation.
local value = redis.call('GET', KEYS[1])
if not value or value:sub(1, 3) == '3 !' then return {'gone'} end
-- Another value was stored by a reader, or by an attempt with a lost reply.
if value == ARGV[3] then file(KEYS[1], ARGV[1], ARGV[2]) end
return {ok = 'OK'}
