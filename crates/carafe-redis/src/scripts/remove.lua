-- The end of a record, expired or not; the reply says where the indices list it. A key that is reserved
-- for a record on its way goes too, and the record with it. ARGV: 1 only of this user ('' or '+user'), 2 the
-- handle by which the index of all led here or ''. KEYS[2]: that index, on one server.
local m = redis.call('HMGET', KEYS[1], 'v', 'to', 'until', 'user', 'handle', 'pending')
if m[1] ~= '1' then
  if m[1] or redis.call('EXISTS', KEYS[1]) == 1 then return {'corrupt'} end
  -- On one server a record and its member come together, so this one is not about to come.
  if KEYS[2] and ARGV[2] ~= '' then
    delist(sets_of(KEYS[2], ARGV[2]), ARGV[2], member_of(ARGV[2], KEYS[1]), false)
  end
  return {'gone'}
end
if m[2] then return {'moved', m[2], m[3] or '0'} end
if ARGV[1] ~= '' and (not m[4] or '+' .. m[4] ~= ARGV[1]) then return {'gone'} end
redis.call('DEL', KEYS[1])
if KEYS[2] and m[5] then delist(sets_of(KEYS[2], m[5]), m[5], member_of(m[5], KEYS[1]), true) end
return {'ok', {m[4] and '+' .. m[4] or '', m[5] or '', 'pending', m[6] or ''}}
