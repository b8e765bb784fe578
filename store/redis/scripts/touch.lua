-- Moves the time-to-live of a record, never past the end that stands in it.
--
-- KEYS: the record. ARGV: the time in milliseconds, 0 for the record's own end.
local head = redis.call('GETRANGE', KEYS[1], 0, 16)
if #head < 17 then
  return 0
end
local ends = 0
for i = 10, 17 do
  ends = ends * 256 + string.byte(head, i)
end
local till = tonumber(ARGV[1])
if till == 0 or (ends ~= 0 and ends < till) then
  till = ends
end
if till == 0 then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', till))
end
return 1
