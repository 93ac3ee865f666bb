-- A patch. ARGV, after those of unlike.lua: 3 expires, 4 the second until which Redis keeps it, 5
-- until when the indices list it now or '', 6 '1' if they must list it until it expires, 7 '1' for
-- a retry; for KEYS[2], the index of a single server, if it lives longer: 8 public id, 9 created,
-- 10 renewed. Most writes return before the functions of the index are defined.
local trouble, listed = unlike(redis.call('GET', KEYS[1]))
if trouble then return ARGV[7] == '1' and trouble[1] == 'found' and {'unknown'} or trouble end
if ARGV[5] ~= '' then listed = ARGV[5] end
if ARGV[6] == '1' and tonumber(ARGV[3]) > tonumber(listed) then return {'list'} end
redis.call('SET', KEYS[1], '3 ' .. listed .. ARGV[2], 'EXAT', ARGV[4])
if not KEYS[2] then return {ok = 'OK'} end
