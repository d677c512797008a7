-- Applies a batch in one step: offsets, ids, windows, totals, triggers, pending requests, progress.
--
-- ARGV[1] the keys' prefix, [2] a name that only this call has, [3] the seconds after its last
-- write that a window's key may live, 0 for ever, [4] the batch as FeatureBatchArguments packs it.
--
-- Replies {"conflict", slot, next offset} with nothing changed, or
-- {"applied", what fired, indices of duplicates, what the very same batch fired before}.

local call = redis.call
local prefix, name, secondsToLive = ARGV[1], ARGV[2], tonumber(ARGV[3])
local batch = cmsgpack.unpack(ARGV[4])
local advances, retention, partitions, policy, entries = unpack(batch)
local viral, suspicious, flagged, popular, milestones, anchors = unpack(policy)

local MINUTE, FIVE_MINUTES, HOUR = 60e6, 300e6, 3600e6
local UPLOAD, NO_IMAGE = 4, 0
local METRICS = { "views", "comments", "flags" }

local progressKey = prefix .. "features:progress"
local retentionKey = prefix .. "features:retention"
local repliesKey = prefix .. "features:replies"
local pendingKey = prefix .. "features:pending"
local pendingCountsKey = prefix .. "features:pending:counts"
local currentIDsKey = prefix .. "features:ids:current"
local previousIDsKey = prefix .. "features:ids:previous"

-- Scores are Unix seconds; 17 digits are a double's exact text.
local function seconds(microseconds)
  return string.format("%.17g", microseconds / 1e6)
end

-- `tostring` writes such large numbers with an exponent.
local function digits(number)
  return string.format("%.0f", number)
end

-- A call whose reply was lost is sent again under the same name: it gets the same reply.
local first = partitions[1] and partitions[1][1]
local lastReply = first and #entries > 0 and call("HGET", repliesKey, first)
lastReply = lastReply and cjson.decode(lastReply)
if lastReply and lastReply.name == name then
  return { "applied", lastReply.fired, lastReply.duplicates, {} }
end

-- Offsets and watermarks by partition.
local progress = {}
local stored = call("HGETALL", progressKey)
for i = 1, #stored, 2 do
  local offset, watermark = string.match(stored[i + 1], "^(%S+) (%S+)$")
  progress[stored[i]] = { offset = tonumber(offset), watermark = tonumber(watermark) }
end

local applied = {}
for slot, advance in ipairs(partitions) do
  local known = progress[advance[1]]
  applied[slot] = known and known.offset or 0
  if advance[2] > applied[slot] then
    return { "conflict", slot - 1, applied[slot] }
  end
end

-- Moves offsets and watermarks; nothing of a batch is refused from here on.
for _, advance in ipairs(partitions) do
  local partition, _, to, watermark = unpack(advance)
  local known = progress[partition] or { offset = 0 }
  known.offset = math.max(known.offset, to)
  if watermark and (not known.watermark or watermark > known.watermark) then
    known.watermark = watermark
  end
  progress[partition] = known
  local text = known.watermark and digits(known.watermark) or "-"
  call("HSET", progressKey, partition, digits(known.offset) .. " " .. text)
end

-- The least watermark of all partitions; nil when one has none yet.
local function leastWatermark()
  local least
  for _, known in pairs(progress) do
    if not known.watermark then
      return nil
    end
    least = math.min(least or known.watermark, known.watermark)
  end
  return least
end

-- Forgets the older generation of ids once it is a retention old.
local function forgetIDs(least)
  local rotatedAt = tonumber(call("HGET", retentionKey, "ids_rotated_at") or nil)
  if rotatedAt and least < rotatedAt + retention then
    return
  end
  call("HSET", retentionKey, "ids_rotated_at", digits(least))
  if not rotatedAt then
    return
  end
  call("UNLINK", previousIDsKey)
  if call("EXISTS", currentIDsKey) == 1 then
    call("RENAME", currentIDsKey, previousIDsKey)
  end
end

local least = leastWatermark()
-- Images may be trimmed through here.
local horizon = least and least - retention
if least then
  forgetIDs(least)
  local trimmedThrough = tonumber(call("HGET", retentionKey, "trimmed_through") or nil)
  if not trimmedThrough or trimmedThrough < horizon then
    call("HSET", retentionKey, "trimmed_through", digits(horizon))
  end
end

local fired, duplicates = {}, {}

-- Notes a trigger; one that asks for a score is pending until acknowledged.
local function fire(image, trigger, asOf, count, asksForScore)
  fired[#fired + 1] = table.concat({ image.id, trigger, digits(asOf), count or "-" }, " ")
  if not asksForScore then
    return
  end
  local member = image.id .. " " .. trigger
  call("ZADD", pendingKey, seconds(asOf), member)
  if count then
    call("HSET", pendingCountsKey, member, count)
  end
end

-- The images and the counters that this batch has touched, as they will be written at its end.
local images, touchedImages, touchedCounters = {}, {}, {}

local function imageOf(id)
  local image = images[id]
  if not image then
    local key = prefix .. "image:" .. id .. ":"
    image = { id = id, key = key, state = {}, changes = {}, counters = {} }
    local fields = call("HGETALL", key .. "state")
    for i = 1, #fields, 2 do
      image.state[fields[i]] = tonumber(fields[i + 1])
    end
    images[id] = image
    touchedImages[#touchedImages + 1] = image
  end
  return image
end

-- Sets a number of an image's state.
local function set(image, field, value)
  image.state[field] = value
  image.changes[#image.changes + 1] = field
  image.changes[#image.changes + 1] = digits(value)
end

local function counterOf(image, metric)
  local counter = image.counters[metric]
  if not counter then
    local totalKey = image.key .. "total_" .. metric
    counter = {
      metric = metric,
      image = image,
      key = image.key .. metric .. ":",
      totalKey = totalKey,
      total = tonumber(call("GET", totalKey) or 0),
      newest = image.state[metric .. "_newest"],
      latest = image.state[metric .. "_latest"],
      ineligible = image.state[metric .. "_ineligible"] or 0,
      late = image.state[metric .. "_late"] or 0,
      trimmed = image.state[metric .. "_trimmed"],
      lastCounts = {},
    }
    image.counters[metric] = counter
    touchedCounters[#touchedCounters + 1] = counter
  end
  return counter
end

-- Counts one event. Its id is dated by its own time in all sets but `late`, where it is dated by
-- the instant from which it counts.
local function record(counter, id, time, visibleFrom, isEligible)
  local key, at = counter.key, seconds(time)
  counter.total = counter.total + 1
  if call("ZADD", key .. "1hr", "NX", at, id) == 0 then
    -- The window outlived the memory of ids, so the event is counted again.
    id = id .. " " .. digits(counter.total)
    call("ZADD", key .. "1hr", at, id)
  end
  call("ZADD", key .. "5min", at, id)
  call("ZADD", key .. "1min", at, id)
  if not isEligible then
    call("ZADD", key .. "ineligible", at, id)
    counter.ineligible = counter.ineligible + 1
  end
  local counted = math.max(visibleFrom or time, time)
  if counted > time then
    local member = table.concat({ digits(time), isEligible and 1 or 0, id }, " ")
    call("ZADD", key .. "late", seconds(counted), member)
    counter.late = counter.late + 1
  end
  counter.newest = math.max(counter.newest or time, time)
  counter.latest = math.max(counter.latest or counted, counted)
end

-- Fires a trigger at the first event with which a window holds its threshold. As of the latest
-- instant counted, nothing is hidden and nothing is in the future.
local function check(counter, trigger, threshold, window, asksForScore)
  local image = counter.image
  if not threshold or image.state[trigger] then
    return
  end
  -- A window can't have gained more than the events since it was counted last.
  local last = counter.lastCounts[trigger] or { count = 0, total = 0 }
  if last.count + counter.total - last.total < threshold then
    return
  end
  local from = "(" .. seconds(counter.latest - window)
  local count = call("ZCOUNT", counter.key .. "1hr", from, "+inf")
  counter.lastCounts[trigger] = { count = count, total = counter.total }
  if count >= threshold then
    set(image, trigger, counter.latest)
    fire(image, trigger, counter.latest, count, asksForScore)
  end
end

local function checkMilestones(counter)
  local image = counter.image
  local reached = image.state.milestones or 0
  while reached < #milestones and counter.total >= milestones[reached + 1] do
    reached = reached + 1
    set(image, "milestones", reached)
    local trigger = "milestone_" .. digits(milestones[reached])
    fire(image, trigger, counter.latest, counter.total, false)
  end
end

local function checkAll(counter)
  if counter.metric == "views" then
    check(counter, "viral", viral, FIVE_MINUTES, true)
    check(counter, "popular", popular, HOUR, false)
    checkMilestones(counter)
  elseif counter.metric == "comments" then
    check(counter, "suspicious", suspicious, MINUTE, true)
  else
    check(counter, "flagged", flagged, FIVE_MINUTES, true)
  end
end

-- Notes the first upload and starts its anchors: an image is uploaded once, whatever a producer
-- says.
local function upload(image, time, uploadedAt, captionLength, category, user)
  local key = image.key .. "metadata"
  if call("EXISTS", key) == 1 then
    return
  end
  call("HSET", key, "uploaded_at", uploadedAt, "caption_length", captionLength)
  if category then
    call("HSET", key, "category", category)
  end
  if user then
    call("HSET", key, "user_id", user)
  end
  for _, minutes in ipairs(anchors) do
    fire(image, "anchor_" .. digits(minutes) .. "m", time + minutes * MINUTE, nil, true)
  end
end

local hasPreviousIDs = call("EXISTS", previousIDsKey) == 1

-- Whether an id is new; remembers it.
local function isNew(id)
  if hasPreviousIDs and call("SISMEMBER", previousIDsKey, id) == 1 then
    return false
  end
  return call("SADD", currentIDsKey, id) == 1
end

for index, entry in ipairs(entries) do
  local slot, offset, kind, id, imageID, time, a, b, c, d = unpack(entry)
  if offset < applied[slot + 1] then
    duplicates[#duplicates + 1] = index - 1
  elseif kind ~= NO_IMAGE then
    if not isNew(id) then
      duplicates[#duplicates + 1] = index - 1
    elseif kind == UPLOAD then
      upload(imageOf(imageID), time, a, b, c, d)
    else
      local counter = counterOf(imageOf(imageID), METRICS[kind])
      record(counter, id, time, a, b)
      checkAll(counter)
    end
  end
end

-- What no count as of an instant still kept can need: events up to these instants.
local bounds = horizon
  and {
    ["1hr"] = seconds(horizon),
    ["5min"] = seconds(horizon + HOUR - FIVE_MINUTES),
    ["1min"] = seconds(horizon + HOUR - MINUTE),
  }

-- Forgets old events and puts off the expiry of a set.
local function keep(key, bound)
  if bound then
    call("ZREMRANGEBYSCORE", key, "-inf", bound)
  end
  if secondsToLive > 0 then
    call("EXPIRE", key, secondsToLive)
  end
end

for _, counter in ipairs(touchedCounters) do
  local image, metric, key = counter.image, counter.metric, counter.key
  -- Once a minute of event time is often enough.
  local isDue = horizon and (not counter.trimmed or horizon >= counter.trimmed + MINUTE)
  if isDue then
    set(image, metric .. "_trimmed", horizon)
  end
  for _, window in ipairs({ "1hr", "5min", "1min" }) do
    keep(key .. window, isDue and bounds[window])
  end
  if counter.ineligible > 0 then
    keep(key .. "ineligible", isDue and bounds["1hr"])
    set(image, metric .. "_ineligible", counter.ineligible)
  end
  if counter.late > 0 then
    keep(key .. "late", isDue and bounds["1hr"])
    set(image, metric .. "_late", counter.late)
  end
  set(image, metric .. "_newest", counter.newest)
  set(image, metric .. "_latest", counter.latest)
  call("SET", counter.totalKey, digits(counter.total))
end

for _, image in ipairs(touchedImages) do
  if #image.changes > 0 then
    call("HSET", image.key .. "state", unpack(image.changes))
  end
end

local firedBefore = {}
if lastReply and lastReply.advances == advances then
  firedBefore = lastReply.fired
elseif first and #entries > 0 then
  local reply = { name = name, advances = advances, fired = fired, duplicates = duplicates }
  call("HSET", repliesKey, first, cjson.encode(reply))
end
return { "applied", fired, duplicates, firedBefore }
