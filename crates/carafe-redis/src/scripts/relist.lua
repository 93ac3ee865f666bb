-- What a longer life means for the index of all on one server. A session from before there was one gets into it now.
local function relist(index, key, handle, created, renewed, expires)
  local sets, member = sets_of(index, handle), member_of(handle, key)
  if redis.call('ZSCORE', sets.r, member) then
    redis.call('ZADD', sets.u, 'GT', string.format('%.0f', within_time(expires)), handle)
  else
    enlist(sets, handle, member, created, renewed, expires)
  end
end
