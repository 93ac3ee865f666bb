-- Step 4 of a move in a cluster: the old key keeps an alias, or nothing. ARGV: 1 to, 2 until or ''.
if redis.call('HGET', KEYS[1], 'to') ~= ARGV[1] then return {'gone'} end
redis.call('DEL', KEYS[1])
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], 'v', '1', 'to', ARGV[1], 'until', ARGV[2])
  keep_until(KEYS[1], ARGV[2])
end
return {'ok'}
