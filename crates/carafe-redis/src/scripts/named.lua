-- The members of a session by its public id. KEYS: c. ARGV: public id.
return members_of(KEYS[1], ARGV[1])
