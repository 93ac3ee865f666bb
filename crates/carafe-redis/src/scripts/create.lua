-- A new record, if the key is free. ARGV: 1 expires, then fields and values. KEYS[2]: the index, on one server.
if redis.call('EXISTS', KEYS[1]) == 1 then
  -- Whose it is tells a second attempt that the first one did it.
  local handle = redis.pcall('HGET', KEYS[1], 'handle')
  return {'taken', type(handle) == 'string' and handle or ''}
end
put(KEYS[1], ARGV, 2)
if KEYS[2] then
  local m = redis.call('HMGET', KEYS[1], 'handle', 'created', 'renewed')
  enlist(sets_of(KEYS[2], m[1]), m[1], member_of(m[1], KEYS[1]), m[2], m[3], ARGV[1])
end
keep_until(KEYS[1], ARGV[1])
return {'ok'}
