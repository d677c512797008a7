-- The counts of images as of instants.
--
-- ARGV[1] the keys' prefix, [2] the questions, packed: image, microseconds, image, …
--
-- Replies {"outOfRetention", index, the oldest instant still kept}, {"lost", index, key}, or
-- {"counts", numbers}: per question 5 minutes, 1 hour of views, comments and flags, then the three
-- totals, each observed and governed.

local call = redis.call
local prefix, questions = ARGV[1], cmsgpack.unpack(ARGV[2])

local FIVE_MINUTES, HOUR = 300e6, 3600e6
local METRICS = { "views", "comments", "flags" }

local function seconds(microseconds)
  return string.format("%.17g", microseconds / 1e6)
end

local trimmedThrough = call("HGET", prefix .. "features:retention", "trimmed_through")
if trimmedThrough then
  local oldest = tonumber(trimmedThrough) + HOUR
  for i = 2, #questions, 2 do
    if questions[i] < oldest then
      return { "outOfRetention", i / 2 - 1, string.format("%.0f", oldest) }
    end
  end
end

-- The key of a set that should be there and isn't; nil when nothing is missing. An entry that no
-- horizon has reached can only be gone with its whole key: expired, evicted or deleted.
local function lost(key, asOf, newest, latest)
  if newest > asOf - HOUR and call("EXISTS", key .. "1hr") == 0 then
    return key .. "1hr"
  end
  if latest > asOf and newest <= asOf and call("EXISTS", key .. "late") == 0 then
    return key .. "late"
  end
end

-- 5 minutes, 1 hour and all of the ids in a set that is dated by event time.
local function tally(key, total, asOf, newest)
  local upper, fiveMinutes, hour = seconds(asOf), 0, 0
  if newest > asOf - FIVE_MINUTES then
    fiveMinutes = call("ZCOUNT", key, "(" .. seconds(asOf - FIVE_MINUTES), upper)
  end
  if newest > asOf - HOUR then
    hour = call("ZCOUNT", key, "(" .. seconds(asOf - HOUR), upper)
  end
  if newest > asOf then
    total = total - call("ZCOUNT", key, "(" .. upper, "+inf")
  end
  return { fiveMinutes, hour, total }
end

-- Takes off the late events that weren't known yet as of the instant.
local function hide(key, asOf, observed, excluded)
  for _, member in ipairs(call("ZRANGEBYSCORE", key .. "late", "(" .. seconds(asOf), "+inf")) do
    local time, isEligible = string.match(member, "^(%S+) (%d)")
    local age = asOf - tonumber(time)
    local isIn = { age >= 0 and age < FIVE_MINUTES, age >= 0 and age < HOUR, age >= 0 }
    for window = 1, 3 do
      if isIn[window] then
        observed[window] = observed[window] - 1
        if isEligible == "0" then
          excluded[window] = excluded[window] - 1
        end
      end
    end
  end
end

-- The observed counts of one metric and, of those, the ineligible; or the key that is lost.
local function count(image, state, metric, total, asOf)
  local key = image .. metric .. ":"
  local newest, latest = state[metric .. "_newest"], state[metric .. "_latest"]
  if not total and not newest then
    return { 0, 0, 0 }, { 0, 0, 0 }
  elseif not total then
    return nil, nil, image .. "total_" .. metric
  elseif not newest then
    return nil, nil, image .. "state"
  end
  local missing = lost(key, asOf, newest, latest)
  if missing then
    return nil, nil, missing
  end
  local observed, excluded = tally(key .. "1hr", tonumber(total), asOf, newest), { 0, 0, 0 }
  local ineligible = state[metric .. "_ineligible"]
  if ineligible then
    excluded = tally(key .. "ineligible", ineligible, asOf, newest)
  end
  if latest > asOf and state[metric .. "_late"] then
    hide(key, asOf, observed, excluded)
  end
  return observed, excluded
end

local numbers = {}
for i = 1, #questions, 2 do
  local image, asOf = prefix .. "image:" .. questions[i] .. ":", questions[i + 1]
  local totals =
    call("MGET", image .. "total_views", image .. "total_comments", image .. "total_flags")
  local state, fields = {}, call("HGETALL", image .. "state")
  for field = 1, #fields, 2 do
    state[fields[field]] = tonumber(fields[field + 1])
  end
  local base = (i - 1) * 9
  for metric = 1, 3 do
    local observed, excluded, missing =
      count(image, state, METRICS[metric], totals[metric], asOf)
    if missing then
      return { "lost", (i - 1) / 2, missing }
    end
    local places = { 4 * metric - 3, 4 * metric - 1, 2 * metric + 11 }
    for window, place in ipairs(places) do
      numbers[base + place] = observed[window]
      numbers[base + place + 1] = observed[window] - excluded[window]
    end
  end
end
return { "counts", numbers }
