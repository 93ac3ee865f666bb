-- A use. ARGV: 1 now, 2 expires, 3 until when the indices list this session or '', 4 '1' if one lists all sessions
-- elsewhere. KEYS[2]: that index, on one server.
local trouble, record = look(KEYS[1], ARGV[1])
if trouble then return trouble end
local expires, listed = later(record.expires, ARGV[2]), ARGV[3] ~= '' and ARGV[3] or record.listed
if needs_listing(record, record.user, expires, listed, ARGV[4]) then return ask(record, record.user, expires) end
redis.call('HSET', KEYS[1], 'seen', later(record.seen, ARGV[1]), 'expires', expires, 'listed', listed)
relist(KEYS[2], KEYS[1], record, expires)
keep_until(KEYS[1], expires)
return {'ok'}
