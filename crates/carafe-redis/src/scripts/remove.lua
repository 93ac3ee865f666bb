-- Retires a record, expired or not: a marker replaces it, and the reply contains it, for the
-- indices that list it. A reserved key is retired too, and with it the record that moves there.
-- ARGV: 1 only of this user ('' or '+user'), 2 the public id by which the index of all sessions led
-- here or '', 3 the marker, 4 its end. KEYS[2]: that index, on a single server.
local value = redis.call('GET', KEYS[1])
if not value then
  -- On a single server a record and its member are stored together, so no record is about to be
  -- stored.
  if KEYS[2] and ARGV[2] ~= '' then
    delist(sets_of(KEYS[2], ARGV[2]), ARGV[2], member_of(ARGV[2], KEYS[1]), false)
  end
  return {'gone'}
end
local r = read(KEYS[1], value)
if not r then
  local public_id, has, user = value:match('^[23] %? ([%w_-]+) [%w_-]+ (%d*)%-?\n(.*)$')
  if not public_id or #public_id ~= 16 or #user ~= (tonumber(has) or 0) then return {'found', value} end
  r = {public_id = public_id, user = tonumber(has) and '+' .. user or ''}
end
if ARGV[1] ~= '' and r.user ~= ARGV[1] then return {'gone'} end
-- A server without memory rejects the first write of a script if that may need more, so the first
-- write frees some.
redis.call('DEL', KEYS[1])
file(KEYS[1], ARGV[3], ARGV[4])
if KEYS[2] then delist(sets_of(KEYS[2], r.public_id), r.public_id, member_of(r.public_id, KEYS[1]), true) end
return {'ok', value}
