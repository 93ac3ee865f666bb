-- A use. ARGV: 1 now, 2 expires.
local value, at, expires = look(KEYS[1], ARGV[1])
if not value then return {'gone'} end
return {'ok', number(keep_until(KEYS[1], at, expires, ARGV[2]))}
