-- Takes out of a tag the records that were found gone, and notes of the others
-- that they were found.
--
-- KEYS: the tag. ARGV: the time; for every member: its name, the score it had
-- when it was looked for, and "1" if it was found. One whose score has changed
-- since is being written and stays.
for i = 2, #ARGV, 3 do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if score and tonumber(score) == tonumber(ARGV[i + 1]) then
    if ARGV[i + 2] == '1' then
      redis.call('ZADD', KEYS[1], ARGV[1], ARGV[i])
    else
      redis.call('ZREM', KEYS[1], ARGV[i])
    end
  end
end
return 1
