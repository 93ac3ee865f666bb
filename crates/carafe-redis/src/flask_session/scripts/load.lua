-- ARGV: 1 now.
local value, _, expires = look(KEYS[1], ARGV[1])
if not value then return {'gone'} end
return {'ok', number(expires), value}
