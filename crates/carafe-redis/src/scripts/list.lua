-- Lists a session of a user. ARGV: 1 until when, 2 member.
-- What is over by the server's clock goes, as the records themselves do.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', redis.call('TIME')[1] - 60))
local old = redis.call('ZSCORE', KEYS[1], ARGV[2])
if not old or tonumber(old) < tonumber(ARGV[1]) then redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2]) end
redis.call('EXPIREAT', KEYS[1], drop_at(redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]))
return {ok = 'OK'}
