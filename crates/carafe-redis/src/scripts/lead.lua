-- Prolongs a pointer until its record expires. ARGV: 1 when the record expires.
local to, till = (redis.call('GET', KEYS[1]) or ''):match('^[23] > ([%w_-]+) (%-?%d+)$')
if to and tonumber(till) < tonumber(ARGV[1]) then file(KEYS[1], '3 > ' .. to .. ' ' .. ARGV[1], ARGV[1]) end
return {ok = 'OK'}
