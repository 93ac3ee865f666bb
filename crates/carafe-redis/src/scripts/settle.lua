-- Step 4 of a move in a cluster without an alias: the old key forgets it. ARGV: 1 what step 2 has left there.
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return {ok = 'OK'}
