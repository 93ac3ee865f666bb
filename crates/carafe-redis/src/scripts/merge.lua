-- A patch on whatever is there now. It checks everything first and writes only then, because a script
-- cannot take back what it has written.
--
-- ARGV: 1 now, 2 the user it was made for ('' or '+user'), 3 the only version it may apply to or '',
-- 4 until when the index lists this session or '', 5 new user ('' or '+user'), 6 new auth, 7 new device ('' or '+device'), 8 seen,
-- 9 expires, 10 renewed, 11 '1' to clear, 12 tag of the key, 13 to, 14 until, 15 '1' if sent before,
-- 16 '1' if an index elsewhere lists all sessions; from 17 on four for each change: op (s, r, u), field, JSON text,
-- JSON text before ('' or '+text').

-- Where a member stands and how its key is spelled, and its JSON text.
local function split(value)
  local head, odd = value:match('^(%d+%+?(%d*):)')
  if not head then return nil end
  local cut = #head + (tonumber(odd) or 0)
  return value:sub(1, cut), value:sub(cut + 1)
end

-- Whether something stands against it, as a reply, or nil and the heads of the fields that are there.
local function check(key)
  local heads = {}
  for at = 17, #ARGV, 4 do
    local value, head, text = redis.call('HGET', key, ARGV[at + 1]), nil, nil
    if value then
      head, text = split(value)
      if not head then return {'corrupt'} end
    end
    if ARGV[at] == 'u' and (text and '+' .. text or '') ~= ARGV[at + 3] then
      return {'stale', redis.call('HGETALL', key)}
    end
    heads[at] = head
  end
  return nil, heads
end

local function clear(key)
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if field:sub(1, 2) == 'd:' then redis.call('HDEL', key, field) end
  end
end

-- The members that the changes write, as fields and values; what they remove is removed.
local function members(key, heads, fields, next)
  for at = 17, #ARGV, 4 do
    if ARGV[at] == 'r' then
      redis.call('HDEL', key, ARGV[at + 1])
    else
      if not heads[at] then
        heads[at] = string.format('%.0f:', next)
        next = next + 1
      end
      fields[#fields + 1] = ARGV[at + 1]
      fields[#fields + 1] = heads[at] .. ARGV[at + 2]
    end
  end
  return next
end

-- `index`: that of all sessions, on one server, if the key stays.
local function merge(key, record, index)
  if (record.user and '+' .. record.user or '') ~= ARGV[2] then return {'gone'} end
  if ARGV[3] ~= '' and ARGV[3] ~= record.version then return {'unknown'} end
  local user = ARGV[5] ~= '' and ARGV[5]:sub(2) or record.user
  local expires, listed = later(record.expires, ARGV[9]), ARGV[4] ~= '' and ARGV[4] or record.listed
  if needs_listing(record, user, expires, listed, ARGV[16]) then return ask(record, user, expires) end
  local trouble, heads = check(key)
  if trouble then return trouble end

  if ARGV[11] == '1' then
    clear(key)
    heads = {}
  end
  local fields = {'seen', later(record.seen, ARGV[8]), 'expires', expires, 'listed', listed,
    'version', string.format('%.0f', tonumber(record.version) + 1)}
  local next = members(key, heads, fields, tonumber(record.next))
  local function fact(name, value)
    if value ~= '' then fields[#fields + 1] = name; fields[#fields + 1] = value end
  end
  fact('next', string.format('%.0f', next))
  if ARGV[5] ~= '' then fields[#fields + 1] = 'user'; fields[#fields + 1] = ARGV[5]:sub(2) end
  if ARGV[7] ~= '' then fields[#fields + 1] = 'device'; fields[#fields + 1] = ARGV[7]:sub(2) end
  fact('auth', ARGV[6])
  fact('renewed', ARGV[10])
  fact('key', ARGV[12])
  put(key, fields)
  relist(index, key, record, expires)
  keep_until(key, expires)
end
