-- A patch. ARGV, behind those of unlike.lua: 3 expires, 4 until when the indices list it now or '', 5 '1' if they must as
-- long as it lives, 6 '1' if sent before; for KEYS[2], the index on one server, if it lives longer: 7 handle, 8 created, 9 renewed.
local trouble, listed = unlike(redis.call('GET', KEYS[1]))
if trouble then return ARGV[6] == '1' and trouble[1] == 'found' and {'unknown'} or trouble end
if ARGV[4] ~= '' then listed = ARGV[4] end
if ARGV[5] == '1' and tonumber(ARGV[3]) > tonumber(listed) then return {'list'} end
file(KEYS[1], '2 ' .. listed .. ARGV[2], ARGV[3])
if KEYS[2] then relist(KEYS[2], KEYS[1], ARGV[7], ARGV[8], ARGV[9], ARGV[3]) end
return {'ok'}
