-- The index of all sessions; inventory.rs says why it is three sorted sets. For each part of the handles:
-- r by the second of the id, c by the beginning, both of 'handle:key'; u by the end, of handles.

local function within_time(second)
  return math.max(-253402300799, math.min(tonumber(second), 253402300799))
end

-- By second, then by handle: so few share a score that a page can begin at any place.
local function score_of(renewed, handle)
  local a, b = (handle .. '--'):byte(1, 2)
  return string.format('%.0f', within_time(renewed) * 8192 + (a - 45) * 78 + b - 45)
end

-- A key ends with the 43 characters that name its session.
local function member_of(handle, key)
  return handle .. ':' .. key:sub(-43)
end

local function sets_of(index, handle)
  local head = handle:sub(1, 2)
  return {r = index, c = index .. ':c:' .. head, u = index .. ':u:' .. head}
end

-- The members of a session: one, and a second while it moves.
local function members_of(c, handle)
  local found = {}
  for _, member in ipairs(redis.call('ZRANGE', c, 0, -1)) do
    if member:sub(1, #handle + 1) == handle .. ':' then found[#found + 1] = member end
  end
  return found
end

-- What is over by the server's clock goes, as the records themselves do: a few, beside every new one. Not what
-- got its id less than a minute ago: its record may be on its way.
local function trim(sets)
  local over = redis.call('TIME')[1] - 60
  for _, handle in ipairs(redis.call('ZRANGEBYSCORE', sets.u, '-inf', string.format('%.0f', over), 'LIMIT', 0, 8)) do
    local members, young = members_of(sets.c, handle), false
    for _, member in ipairs(members) do
      local score = redis.call('ZSCORE', sets.r, member)
      young = young or (score and tonumber(score) / 8192 > over)
    end
    if not young then
      for _, member in ipairs(members) do
        redis.call('ZREM', sets.r, member)
        redis.call('ZREM', sets.c, member)
      end
      redis.call('ZREM', sets.u, handle)
    end
  end
end

local function enlist(sets, handle, member, created, renewed, till)
  trim(sets)
  redis.call('ZADD', sets.r, score_of(renewed, handle), member)
  redis.call('ZADD', sets.c, string.format('%.0f', within_time(created)), member)
  till = within_time(till)
  local old = redis.call('ZSCORE', sets.u, handle)
  if not old or tonumber(old) < till then redis.call('ZADD', sets.u, string.format('%.0f', till), handle) end
end

-- `ended`: the session is over, and has not only got another key.
local function delist(sets, handle, member, ended)
  redis.call('ZREM', sets.r, member)
  redis.call('ZREM', sets.c, member)
  if ended then redis.call('ZREM', sets.u, handle) end
end
