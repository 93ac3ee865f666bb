-- The members of small sets up to a score: whole sets, until there are enough members. KEYS: the
-- sets. ARGV: score, enough. Returns the number of sets, and their members.
local found = {}
for at = 1, #KEYS do
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[at], '-inf', ARGV[1])) do
    found[#found + 1] = member
  end
  if #found >= tonumber(ARGV[2]) then return {at, found} end
end
return {#KEYS, found}
