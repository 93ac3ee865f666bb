-- A change takes effect only if the value is still the one that it was computed from, byte for byte
-- except for the second until which the indices list it. Otherwise the reply contains the current
-- value. ARGV: 1 the old value after that second, 2 the new value after that second.
local function unlike(value)
  local listed, at = (value or ''):match('^[23] (%-?%d+)()')
  if listed and value:sub(at) == ARGV[1] then return nil, listed end
  return value and {'found', value} or {'gone'}
end
