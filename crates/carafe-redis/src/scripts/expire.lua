-- Deletes an expired record that Redis has not dropped yet. ARGV: 1 now.
local value = redis.call('GET', KEYS[1])
if not value then return {'gone'} end
local r = read(KEYS[1], value)
if not r or tonumber(r.expires) > tonumber(ARGV[1]) then return {'found', value} end
redis.call('DEL', KEYS[1])
return {'gone'}
