-- Takes a session's member out of the index of all. KEYS: r, c, u. ARGV: handle, member, and why: 'ended', 'moved'
-- to another key, or 'old': a member whose record is not there, and if it is a minute old is not about to come.
if ARGV[3] == 'old' then
  local score = redis.call('ZSCORE', KEYS[1], ARGV[2])
  if score and tonumber(score) / 8192 > redis.call('TIME')[1] - 60 then return {ok = 'OK'} end
end
delist({r = KEYS[1], c = KEYS[2], u = KEYS[3]}, ARGV[1], ARGV[2], ARGV[3] == 'ended')
return {ok = 'OK'}
