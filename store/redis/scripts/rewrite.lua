-- Puts other bytes in the place of a record's value, if that is still the one
-- expected. The record's head and its time-to-live stay.
--
-- KEYS: the record. ARGV: the value expected, the new one. Answers 1, or 0 for a
-- conflict.
local head = redis.call('GETRANGE', KEYS[1], 0, 16)
if #head < 17 or redis.call('GETRANGE', KEYS[1], 17, -1) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], head .. ARGV[2], 'KEEPTTL')
return 1
