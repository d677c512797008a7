-- The first requests at or before an instant, by (instant, image, trigger).
--
-- ARGV[1] the keys' prefix, [2] the instant in Unix seconds, [3] how many at most.
--
-- Replies "image trigger", the instant in Unix seconds, and the count or nothing, for each.

local call = redis.call
local key = ARGV[1] .. "features:pending"

local members =
  call("ZRANGEBYSCORE", key, "-inf", ARGV[2], "WITHSCORES", "LIMIT", 0, ARGV[3])
local requests = {}
for i = 1, #members, 2 do
  local count = call("HGET", key .. ":counts", members[i])
  requests[#requests + 1] = { members[i], members[i + 1], count }
end
return requests
