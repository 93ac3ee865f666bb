-- Parses a record in layout 3 or 2. Returns nil for a value that no version would have written
-- under this key.
local function read(key, value)
  local r, at, user, device, layout = {}
  layout, r.listed, r.tag, r.version, r.seen, r.expires, r.created, r.renewed, r.public_id, r.authenticated, at = value:match(
    '^([23]) (%-?%d+) ([%w_-]+) (%d+) (%-?%d+) (%-?%d+) (%-?%d+) (%-?%d+) ([%w_-]+) (%-?%d*)()')
  if not at or #r.public_id ~= 16 or key:sub(-43, -32) ~= r.tag then return nil end
  r.renewal = '-'
  if layout == '3' then
    r.renewal, at = value:match('^ ([%w_-]+)()', at)
    if not at or r.renewal ~= '-' and (#r.renewal < 75 or #r.renewal > 255) then return nil end
  end
  r.rest = value:sub(at)
  user, device, at = r.rest:match('^ (%d*)%-? (%d*)%-?\n()')
  if not at then return nil end
  r.user = tonumber(user) and '+' .. r.rest:sub(at, at + tonumber(user) - 1) or ''
  if r.rest:byte(at + (tonumber(user) or 0) + (tonumber(device) or 0)) ~= 123 then return nil end
  return r
end

-- Returns the value after a use.
local function used(r, listed, seen, expires)
  return table.concat({'3', listed, r.tag, r.version, seen, expires, r.created, r.renewed, r.public_id, r.authenticated, r.renewal}, ' ') .. r.rest
end
