-- A use. ARGV: 1 now, 2 expires, 3 until when the index lists this session or ''.
local trouble, record = look(KEYS[1], ARGV[1])
if trouble then return trouble end
local expires, listed = later(record.expires, ARGV[2]), ARGV[3] ~= '' and ARGV[3] or record.listed
if record.user and tonumber(expires) > tonumber(listed) then
  return {'list', record.user, record.handle, expires}
end
redis.call('HSET', KEYS[1], 'seen', later(record.seen, ARGV[1]), 'expires', expires, 'listed', listed)
keep_until(KEYS[1], expires)
return {'ok'}
