-- Stores a new record if the key is free. ARGV: 1 value, 2 expires; for KEYS[2], the index of a
-- single server: 3 public id, 4 created, 5 renewed.
if redis.call('EXISTS', KEYS[1]) == 1 then
  -- The public id tells a retry that the first attempt succeeded.
  local value = redis.pcall('GET', KEYS[1])
  return {'found', type(value) == 'string' and value or ''}
end
file(KEYS[1], ARGV[1], ARGV[2])
if KEYS[2] then enlist(sets_of(KEYS[2], ARGV[3]), ARGV[3], member_of(ARGV[3], KEYS[1]), ARGV[4], ARGV[5], ARGV[2]) end
return {ok = 'OK'}
