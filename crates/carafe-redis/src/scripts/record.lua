-- The facts of a record, or nil for whatever this version would not have written under this key.
local function read(key, value)
  local r, user, device, at = {}
  r.listed, r.tag, r.version, r.seen, r.expires, r.rest, r.created, r.renewed, r.handle, user, device, at = value:match(
    '^2 (%-?%d+) ([%w_-]+) (%d+) (%-?%d+) (%-?%d+)() (%-?%d+) (%-?%d+) ([%w_-]+) %-?%d* (%d*)%-? (%d*)%-?\n()')
  if not at or #r.handle ~= 16 or key:sub(-43, -32) ~= r.tag then return nil end
  r.user = tonumber(user) and '+' .. value:sub(at, at + tonumber(user) - 1) or ''
  local data = at + (tonumber(user) or 0) + (tonumber(device) or 0)
  if value:byte(data) ~= 123 then return nil end
  r.rest = value:sub(r.rest)
  return r
end

-- Its value once it is used again.
local function used(r, listed, seen, expires)
  return table.concat({'2', listed, r.tag, r.version, seen, expires}, ' ') .. r.rest
end
