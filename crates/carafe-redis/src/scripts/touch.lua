-- A use. ARGV: 1 now, 2 expires, 3 until when the indices list this session or '', 4 '1' if
-- separate calls maintain the index of all sessions, 5 '1' if the reply must contain the expiry.
-- KEYS[2]: that index, on a single server.
local value = redis.call('GET', KEYS[1])
if not value then return {'gone'} end
local r = read(KEYS[1], value)
if not r or tonumber(r.expires) <= tonumber(ARGV[1]) then return {'found', value} end
local function later(a, b) return tonumber(b) > tonumber(a) and b or a end
local seen, expires, listed = later(r.seen, ARGV[1]), later(r.expires, ARGV[2]), ARGV[3] ~= '' and ARGV[3] or r.listed
if (r.user ~= '' or ARGV[4] == '1') and tonumber(expires) > tonumber(listed) then return {'list', used(r, listed, seen, expires)} end
file(KEYS[1], used(r, listed, seen, expires), expires)
if KEYS[2] and tonumber(expires) > tonumber(r.expires) then relist(KEYS[2], KEYS[1], r.public_id, r.created, r.renewed, expires) end
if ARGV[5] == '1' then return {'ok', expires} end
return {ok = 'OK'}
