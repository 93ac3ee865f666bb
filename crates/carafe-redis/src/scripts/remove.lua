-- The end of a record, expired or not; the reply says where the index lists it. A key that is reserved
-- for a record on its way goes too, and the record with it. ARGV: 1 only of this user ('' or '+user').
local m = redis.call('HMGET', KEYS[1], 'v', 'to', 'until', 'user', 'handle')
if m[1] ~= '1' then
  if m[1] or redis.call('EXISTS', KEYS[1]) == 1 then return {'corrupt'} end
  return {'gone'}
end
if m[2] then return {'moved', m[2], m[3] or '0'} end
if ARGV[1] ~= '' and (not m[4] or '+' .. m[4] ~= ARGV[1]) then return {'gone'} end
redis.call('DEL', KEYS[1])
return {'ok', {m[4] and '+' .. m[4] or '', m[5] or ''}}
