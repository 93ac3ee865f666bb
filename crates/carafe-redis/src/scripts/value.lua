-- The value of a session's key: one string, which layout.rs documents.

-- Redis's own clock only frees memory; the caller's clock decides whether a session has expired. So
-- a key is kept a minute longer than its record, and an expiry after the year 9999 counts as that
-- year.
local function drop_at(second)
  return string.format('%.0f', math.max(math.min(tonumber(second), 253402300799) + 60, 1))
end

local function file(key, value, second)
  redis.call('SET', key, value, 'EXAT', drop_at(second))
end
