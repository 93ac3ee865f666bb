-- Removes a session's member from the index of all sessions. KEYS: r, c, u. ARGV: public id,
-- member, and the reason: 'ended', 'moved' to another key, or 'old': there is no record, and if the
-- member is a minute old, none is about to be stored.
if ARGV[3] == 'old' then
  local score = redis.call('ZSCORE', KEYS[1], ARGV[2])
  if score and tonumber(score) / 8192 > redis.call('TIME')[1] - 60 then return {ok = 'OK'} end
end
delist({r = KEYS[1], c = KEYS[2], u = KEYS[3]}, ARGV[1], ARGV[2], ARGV[3] == 'ended')
return {ok = 'OK'}
