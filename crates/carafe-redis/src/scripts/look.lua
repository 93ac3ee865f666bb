-- What is under a key, before anything is done to it.

-- Redis's own clock only frees memory; the caller's clock decides what has expired. So a key stays a
-- minute longer than its record, and an expiry beyond the year 9999 counts as that year.
local function keep_until(key, second)
  local last = math.min(tonumber(second), 253402300799)
  redis.call('EXPIREAT', key, string.format('%.0f', last + 60))
end

-- The later of two moments; the second may be '' for none.
local function later(a, b)
  if b ~= '' and tonumber(b) > tonumber(a) then return b end
  return a
end

-- HSET in pieces, because a Lua call takes some thousand arguments.
local function put(key, list, first)
  for at = first or 1, #list, 1000 do
    redis.call('HSET', key, unpack(list, at, math.min(at + 999, #list)))
  end
end

-- Either why there is no live record, as a reply, or nil and the record's facts.
local function look(key, now)
  local m = redis.call('HMGET', key, 'v', 'to', 'until', 'pending', 'user', 'handle', 'expires', 'listed',
    'seen', 'version', 'next', 'created', 'renewed')
  if m[1] ~= '1' then
    if m[1] or redis.call('EXISTS', key) == 1 then return {'corrupt'} end
    return {'gone'}
  end
  if m[2] then return {'moved', m[2], m[3] or '0'} end
  if m[4] then return {'pending'} end
  for at = 7, 13 do
    if not tonumber(m[at]) then return {'corrupt'} end
  end
  if not m[6] then return {'corrupt'} end
  if tonumber(m[7]) <= tonumber(now) then return {'gone'} end
  return nil, {user = m[5], handle = m[6], expires = m[7], listed = m[8], seen = m[9], version = m[10], next = m[11],
    created = m[12], renewed = m[13]}
end
