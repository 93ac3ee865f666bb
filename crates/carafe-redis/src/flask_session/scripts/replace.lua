-- Replaces the value of a record if it is the one that the new value was computed from. ARGV: 1
-- now, 2 that value, 3 the new one, 4 expires.
local value, at, expires = look(KEYS[1], ARGV[1])
if not value then return {'gone'} end
if value ~= ARGV[2] then return {'stale', number(expires), value} end
redis.call('SET', KEYS[1], ARGV[3])
return {'ok', number(keep_until(KEYS[1], at, expires, ARGV[4]))}
