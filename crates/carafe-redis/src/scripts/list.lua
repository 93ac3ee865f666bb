-- Lists a session of a user. KEYS: e, by the second until which it counts; n, by the second of its
-- id. ARGV: 1 until when, 2 member, 3 its score in n. With every new session, some sessions are
-- removed that have expired by the server's clock, like the records themselves.
local over = string.format('%.0f', redis.call('TIME')[1] - 60)
local dead = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', over, 'LIMIT', 0, 64)
if #dead > 0 then
  redis.call('ZREM', KEYS[1], unpack(dead))
  redis.call('ZREM', KEYS[2], unpack(dead))
end
local old = redis.call('ZSCORE', KEYS[1], ARGV[2])
if not old or tonumber(old) < tonumber(ARGV[1]) then redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2]) end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2])
local last = drop_at(redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2])
redis.call('EXPIREAT', KEYS[1], last)
redis.call('EXPIREAT', KEYS[2], last)
return {ok = 'OK'}
