-- The index of all sessions; inventory.rs explains its three sorted sets. For each start of the
-- public ids: r scored by the second of the id, c by the creation, both with members
-- 'public_id:key'; u scored by the expiry, with public ids as members.

local function within_time(second)
  return math.max(-253402300799, math.min(tonumber(second), 253402300799))
end

-- By second, then by public id: few members share a score, so a page can start at any entry.
local function score_of(renewed, public_id)
  local a, b = (public_id .. '--'):byte(1, 2)
  return string.format('%.0f', within_time(renewed) * 8192 + (a - 45) * 78 + b - 45)
end

-- A key ends with the 43 characters of its session's name.
local function member_of(public_id, key)
  return public_id .. ':' .. key:sub(-43)
end

local function sets_of(index, public_id)
  local head = public_id:sub(1, 2)
  return {r = index, c = index .. ':c:' .. head, u = index .. ':u:' .. head}
end

-- The members of a session: one, and a second one while it moves.
local function members_of(c, public_id)
  local found = {}
  for _, member in ipairs(redis.call('ZRANGE', c, 0, -1)) do
    if member:sub(1, #public_id + 1) == public_id .. ':' then found[#found + 1] = member end
  end
  return found
end

-- Removes a few sessions that have expired by the server's clock, like the records themselves, with
-- every new one. Not if the id is younger than a minute: its record may not be stored yet.
local function trim(sets)
  local over = redis.call('TIME')[1] - 60
  for _, public_id in ipairs(redis.call('ZRANGEBYSCORE', sets.u, '-inf', string.format('%.0f', over), 'LIMIT', 0, 8)) do
    local members, young = members_of(sets.c, public_id), false
    for _, member in ipairs(members) do
      local score = redis.call('ZSCORE', sets.r, member)
      young = young or (score and tonumber(score) / 8192 > over)
    end
    if not young then
      for _, member in ipairs(members) do
        redis.call('ZREM', sets.r, member)
        redis.call('ZREM', sets.c, member)
      end
      redis.call('ZREM', sets.u, public_id)
    end
  end
end

local function enlist(sets, public_id, member, created, renewed, till)
  trim(sets)
  redis.call('ZADD', sets.r, score_of(renewed, public_id), member)
  redis.call('ZADD', sets.c, string.format('%.0f', within_time(created)), member)
  redis.call('ZADD', sets.u, 'GT', string.format('%.0f', within_time(till)), public_id)
end

-- `ended`: the session is deleted, not moved to another key.
local function delist(sets, public_id, member, ended)
  redis.call('ZREM', sets.r, member)
  redis.call('ZREM', sets.c, member)
  if ended then redis.call('ZREM', sets.u, public_id) end
end
