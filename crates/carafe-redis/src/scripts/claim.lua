-- Who sweeps until ARGV 1, at the time ARGV 2; a claim past ARGV 3 was made under a clock that is wrong.
local claimed = tonumber(redis.call('GET', KEYS[1]) or '0')
if claimed > tonumber(ARGV[2]) and claimed <= tonumber(ARGV[3]) then return {'gone'} end
redis.call('SET', KEYS[1], ARGV[1])
return {ok = 'OK'}
