-- Step 1 of a move in a cluster: the new key is in use, and holds no session yet.
-- ARGV: 1 seconds, 2 handle, 3 user ('' or '+user').
if redis.call('EXISTS', KEYS[1]) == 1 then
  local m = redis.call('HMGET', KEYS[1], 'pending', 'handle')
  if m[1] and m[2] == ARGV[2] then return {'ok'} end
  return {'taken', ''}
end
redis.call('HSET', KEYS[1], 'v', '1', 'pending', '1', 'handle', ARGV[2])
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'user', ARGV[3]:sub(2)) end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return {'ok'}
