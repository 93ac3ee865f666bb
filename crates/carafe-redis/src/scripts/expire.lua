-- The end of a record that is over, which Redis has not dropped yet. ARGV: 1 now.
local trouble, record = look(KEYS[1], ARGV[1])
if not trouble then return {'list', record.user and '+' .. record.user or '', record.handle, record.expires, record.created, record.renewed} end
if trouble[1] == 'gone' then redis.call('DEL', KEYS[1]) end
return trouble
