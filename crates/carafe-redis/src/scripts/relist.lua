-- Updates the index of a single server for a longer life. Adds a session that is older than the
-- index.
local function relist(index, key, public_id, created, renewed, expires)
  local sets, member = sets_of(index, public_id), member_of(public_id, key)
  if redis.call('ZSCORE', sets.r, member) then
    redis.call('ZADD', sets.u, 'GT', string.format('%.0f', within_time(expires)), public_id)
  else
    enlist(sets, public_id, member, created, renewed, expires)
  end
end
