-- A claim for Redis: replay, limit of one unit a user, exact stock and the record, in one script.
-- KEYS: stock left, serials by user and request, units by user, counters.   ARGV: user, request, limit.
-- Answers the serial (from 0), -1 for sold out, -2 for a user who already holds the limit.

local call = redis.call
local claim = ARGV[1] .. ':' .. ARGV[2]
local serial = call('HGET', KEYS[2], claim)
if serial then
    call('HINCRBY', KEYS[4], 'replayed', 1)
    return tonumber(serial)
end
if tonumber(call('HGET', KEYS[3], ARGV[1]) or 0) >= tonumber(ARGV[3]) then
    call('HINCRBY', KEYS[4], 'limited', 1)
    return -2
end
if call('DECR', KEYS[1]) < 0 then
    call('INCR', KEYS[1])
    call('HINCRBY', KEYS[4], 'sold_out', 1)
    return -1
end
call('HINCRBY', KEYS[3], ARGV[1], 1)
serial = call('HINCRBY', KEYS[4], 'granted', 1) - 1
call('HSET', KEYS[2], claim, serial)
return serial
