-- A patch; the reply holds the whole record, so that nobody has to read it again.
local trouble, record = look(KEYS[1], ARGV[1])
if not trouble then trouble = merge(KEYS[1], record) end
return trouble or {'ok', redis.call('HGETALL', KEYS[1])}
