-- The rest of a patch of a session that lives longer.
relist(KEYS[2], KEYS[1], ARGV[8], ARGV[9], ARGV[10], ARGV[3])
return {ok = 'OK'}
