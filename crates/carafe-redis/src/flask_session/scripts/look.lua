-- The start of every script of Flask-Session's layout: one string per key, which Redis expires.

-- Returns the value of a key, the millisecond of its expiry (-1: never), and the first second
-- without it; nothing if it has expired. An empty value counts as none, as in Flask-Session.
local function look(key, now)
  local value = redis.call('GET', key)
  if not value or value == '' then return nil end
  local at = redis.pcall('PEXPIRETIME', key)
  if type(at) ~= 'number' then
    -- Before Redis 7.
    at = redis.call('PTTL', key)
    if at >= 0 then
      local time = redis.call('TIME')
      at = at + time[1] * 1000 + math.floor(time[2] / 1000)
    end
  end
  -- The two clocks above may differ by a millisecond: a whole second stays the same second.
  local expires = at < 0 and 253402300799 or math.floor((at + 990) / 1000)
  if tonumber(now) >= expires then return nil end
  return value, at, expires
end

-- Prolongs a key, never shortens it. Returns the first second without it.
local function keep_until(key, at, expires, wanted)
  if at < 0 then return expires end
  local longer = tonumber(wanted) > expires
  redis.call('PEXPIREAT', key, string.format('%.0f', longer and wanted * 1000 or at))
  return longer and tonumber(wanted) or expires
end

local function number(value) return string.format('%.0f', value) end
