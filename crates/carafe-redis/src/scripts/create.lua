-- A new record, if the key is free. ARGV: 1 expires, then fields and values.
if redis.call('EXISTS', KEYS[1]) == 1 then
  -- Whose it is tells a second attempt that the first one did it.
  local handle = redis.pcall('HGET', KEYS[1], 'handle')
  return {'taken', type(handle) == 'string' and handle or ''}
end
put(KEYS[1], ARGV, 2)
keep_until(KEYS[1], ARGV[1])
return {'ok'}
