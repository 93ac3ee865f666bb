-- The members of a session by its handle. KEYS: c. ARGV: handle.
return members_of(KEYS[1], ARGV[1])
