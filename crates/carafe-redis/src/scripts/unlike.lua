-- A change is made on a value, and takes place if that is still there, byte for byte but for the second until which the
-- indices list it: else the reply says what is there. ARGV: 1 the value from behind that second on, 2 the same of the new one.
local function unlike(value)
  local listed, at = (value or ''):match('^2 (%-?%d+)()')
  if listed and value:sub(at) == ARGV[1] then return nil, listed end
  return value and {'found', value} or {'gone'}
end
