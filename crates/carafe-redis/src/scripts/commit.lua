-- Step 2 of a move in a cluster, and the moment it takes place: the old key gets the patch and from
-- now on only leads to the new one. Its fields stay until step 4, for an attempt whose reply was lost.
local trouble, record = look(KEYS[1], ARGV[1])
if trouble then
  if trouble[1] == 'moved' and trouble[2] == ARGV[13] then return {'ok', redis.call('HGETALL', KEYS[1])} end
  return trouble
end
trouble = merge(KEYS[1], record)
if trouble then return trouble end
local all = redis.call('HGETALL', KEYS[1])
redis.call('HSET', KEYS[1], 'to', ARGV[13], 'until', ARGV[14] ~= '' and ARGV[14] or '0')
redis.call('EXPIRE', KEYS[1], 60)
return {'ok', all}
