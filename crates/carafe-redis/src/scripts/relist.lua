-- What a longer life means for the indices.

-- Whether an index elsewhere has to hear of it first: that of the user, or that of all ('1').
local function needs_listing(record, user, expires, listed, all)
  return (user or all == '1') and tonumber(expires) > tonumber(listed)
end

local function ask(record, user, expires)
  return {'list', user and '+' .. user or '', record.handle, expires, record.created, record.renewed}
end

-- On one server the index of all is here. A session from before there was one gets into it now.
local function relist(index, key, record, expires)
  if index and tonumber(expires) > tonumber(record.expires) then
    enlist(sets_of(index, record.handle), record.handle, member_of(record.handle, key), record.created, record.renewed,
      expires)
  end
end
