-- Changes the records of one partition, all or none.
--
-- KEYS: the records, then a tag for every hint.
-- ARGV: number of records, channel, announcement, time;
--       for every record: "v" or "b" (blind), how it must begin, string, end;
--       for every hint: member, end.
-- An empty string deletes; an end of 0 is never. Answers 1, or 0 for a conflict.
--
-- Nothing is written before the last check. Redis tells at the first write
-- whether it takes any (it is full, a replica, without replicas), so whatever
-- fails leaves nothing half done. That is why the announcement comes first: it is
-- no write, and may be denied to the user; nobody can read before the script ends.
local records = tonumber(ARGV[1])
local n = 5
for i = 1, records do
  if ARGV[n] == 'v' and redis.call('GETRANGE', KEYS[i], 0, 8) ~= ARGV[n + 1] then
    return 0
  end
  n = n + 4
end
if ARGV[3] ~= '' then
  redis.call('PUBLISH', ARGV[2], ARGV[3])
end
for i = records + 1, #KEYS do
  local left = redis.call('PTTL', KEYS[i])
  redis.call('ZADD', KEYS[i], ARGV[4], ARGV[n])
  if ARGV[n + 1] == '0' then
    redis.call('PERSIST', KEYS[i])
  elseif left == -2 or (left >= 0 and left < tonumber(ARGV[n + 1]) - tonumber(ARGV[4])) then
    redis.call('PEXPIREAT', KEYS[i], ARGV[n + 1])
  end
  n = n + 2
end
n = 5
for i = 1, records do
  if ARGV[n + 2] == '' then
    redis.call('DEL', KEYS[i])
  else
    redis.call('SET', KEYS[i], ARGV[n + 2])
    if ARGV[n + 3] ~= '0' then
      redis.call('PEXPIREAT', KEYS[i], ARGV[n + 3])
    end
  end
  n = n + 4
end
return 1
