-- Lists a session in the index of all sessions of a cluster. KEYS: r, c, u. ARGV: public id,
-- member, created, renewed, until.
enlist({r = KEYS[1], c = KEYS[2], u = KEYS[3]}, ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5])
return {ok = 'OK'}
