-- Deletes a record if it has the expected value. ARGV: 1 now, 2 that value.
local value, _, expires = look(KEYS[1], ARGV[1])
if not value then return {'gone'} end
if value ~= ARGV[2] then return {'stale', number(expires), value} end
redis.call('DEL', KEYS[1])
return {'ok', number(expires)}
