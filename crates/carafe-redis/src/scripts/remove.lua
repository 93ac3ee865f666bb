-- The end of a record, expired or not; the reply holds it, for the indices that list it. A key that is reserved
-- for a record on its way goes too, and the record with it. ARGV: 1 only of this user ('' or '+user'), 2 the
-- handle by which the index of all led here or ''. KEYS[2]: that index, on one server.
local value = redis.call('GET', KEYS[1])
if not value then
  -- On one server a record and its member come together, so this one is not about to come.
  if KEYS[2] and ARGV[2] ~= '' then
    delist(sets_of(KEYS[2], ARGV[2]), ARGV[2], member_of(ARGV[2], KEYS[1]), false)
  end
  return {'gone'}
end
local r = read(KEYS[1], value)
if not r then
  local handle, has, user = value:match('^2 %? ([%w_-]+) [%w_-]+ (%d*)%-?\n(.*)$')
  if not handle or #handle ~= 16 or #user ~= (tonumber(has) or 0) then return {'found', value} end
  r = {handle = handle, user = tonumber(has) and '+' .. user or ''}
end
if ARGV[1] ~= '' and r.user ~= ARGV[1] then return {'gone'} end
redis.call('DEL', KEYS[1])
if KEYS[2] then delist(sets_of(KEYS[2], r.handle), r.handle, member_of(r.handle, KEYS[1]), true) end
return {'ok', value}
