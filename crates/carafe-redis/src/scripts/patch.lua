-- A patch; the reply holds the whole record, so that nobody has to read it again. KEYS[2]: the index, on one server.
local trouble, record = look(KEYS[1], ARGV[1])
if not trouble then trouble = merge(KEYS[1], record, KEYS[2]) end
return trouble or {'ok', redis.call('HGETALL', KEYS[1])}
