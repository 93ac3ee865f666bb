-- Acquires the sweep lease until ARGV 1, at the time ARGV 2. A lease past ARGV 3 was set by a wrong
-- clock and is replaced.
local claimed = tonumber(redis.call('GET', KEYS[1]) or '0')
if claimed > tonumber(ARGV[2]) and claimed <= tonumber(ARGV[3]) then return {'gone'} end
redis.call('SET', KEYS[1], ARGV[1])
return {ok = 'OK'}
