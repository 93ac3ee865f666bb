-- Stores a new record. ARGV: 1 its value, 2 expires.
if redis.call('EXISTS', KEYS[1]) == 1 then
  local same = redis.call('TYPE', KEYS[1]).ok == 'string' and redis.call('GET', KEYS[1]) == ARGV[1]
  return {same and 'same' or 'taken'}
end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('PEXPIREAT', KEYS[1], number(ARGV[2] * 1000))
return {'ok', ARGV[2]}
