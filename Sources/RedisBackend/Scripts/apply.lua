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
-- The names of a counter's fields in its image's state; made once, since Lua looks up each text.
local FIELDS = {}
for _, metric in ipairs(METRICS) do
  FIELDS[metric] = {
    newest = metric .. "_newest",
    latest = metric .. "_latest",
    ineligible = metric .. "_ineligible",
    late = metric .. "_late",
    trimmed = metric .. "_trimmed",
    kept = metric .. "_kept",
  }
end
-- As many arguments as one call takes at once; Lua's stack holds 8,000.
local CHUNK = 1000
-- An expiry is put off once it is so many seconds old; keys live that much longer.
local RENEWAL = 60

local progressKey = prefix .. "features:progress"
local retentionKey = prefix .. "features:retention"
local repliesKey = prefix .. "features:replies"
local pendingKey = prefix .. "features:pending"
local pendingCountsKey = prefix .. "features:pending:counts"
local currentIDsKey = prefix .. "features:ids:current"
local previousIDsKey = prefix .. "features:ids:previous"

-- Scores are Unix seconds: the double that is nearest to the decimals.
local function seconds(microseconds)
  if microseconds < 0 then
    return string.format("%.17g", microseconds / 1e6)
  end
  local rest = microseconds % 1e6
  return string.format("%.0f.%06d", (microseconds - rest) / 1e6, rest)
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

-- Carries a command out on a key with any number of arguments.
local function callAll(command, key, arguments)
  for first = 1, #arguments, CHUNK do
    call(command, key, unpack(arguments, first, math.min(first + CHUNK - 1, #arguments)))
  end
end

-- Moves offsets and watermarks; nothing of a batch is refused from here on.
local moved = {}
for _, advance in ipairs(partitions) do
  local partition, _, to, watermark = unpack(advance)
  local known = progress[partition] or { offset = 0 }
  known.offset = math.max(known.offset, to)
  if watermark and (not known.watermark or watermark > known.watermark) then
    known.watermark = watermark
  end
  progress[partition] = known
  local text = known.watermark and digits(known.watermark) or "-"
  moved[#moved + 1] = partition
  moved[#moved + 1] = digits(known.offset) .. " " .. text
end
callAll("HSET", progressKey, moved)

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
  -- Redis writes whole numbers of up to 17 digits without an exponent.
  local changes = image.changes
  changes[#changes + 1] = field
  changes[#changes + 1] = value
end

-- By metric and image: the totals of this batch's counters, as they were before it, and their keys.
local totals, totalKeys = {}, {}
for _, metric in ipairs(METRICS) do
  totals[metric], totalKeys[metric] = {}, {}
end

local function counterOf(image, metric)
  local counter = image.counters[metric]
  if not counter then
    local state, fields, key = image.state, FIELDS[metric], image.key .. metric .. ":"
    counter = {
      metric = metric,
      image = image,
      key = key,
      hourKey = key .. "1hr",
      fields = fields,
      total = tonumber(totals[metric][image.id] or 0),
      newest = state[fields.newest],
      latest = state[fields.latest],
      ineligible = state[fields.ineligible] or 0,
      late = state[fields.late] or 0,
      trimmed = state[fields.trimmed],
      kept = state[fields.kept],
      -- By trigger: the count of its window when it was counted last, and the total then.
      lastCounts = {},
      lastTotals = {},
      -- Scores and ids that the shorter windows get at the end.
      members = {},
    }
    image.counters[metric] = counter
    touchedCounters[#touchedCounters + 1] = counter
  end
  return counter
end

-- Counts one event. Its id is dated by its own time in all sets but `late`, where it is dated by
-- the instant from which it counts.
local function record(counter, id, time, visibleFrom, isEligible)
  local key, at, members = counter.key, seconds(time), counter.members
  counter.total = counter.total + 1
  if call("ZADD", counter.hourKey, "NX", at, id) == 0 then
    -- The window outlived the memory of ids, so the event is counted again.
    id = id .. " " .. digits(counter.total)
    call("ZADD", counter.hourKey, at, id)
  end
  members[#members + 1] = at
  members[#members + 1] = id
  if not isEligible then
    call("ZADD", key .. "ineligible", at, id)
    counter.ineligible = counter.ineligible + 1
    counter.hasNewSet = counter.hasNewSet or counter.ineligible == 1
  end
  local counted = math.max(visibleFrom or time, time)
  if counted > time then
    local member = table.concat({ digits(time), isEligible and 1 or 0, id }, " ")
    call("ZADD", key .. "late", seconds(counted), member)
    counter.late = counter.late + 1
    counter.hasNewSet = counter.hasNewSet or counter.late == 1
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
  local gained = counter.total - (counter.lastTotals[trigger] or 0)
  if (counter.lastCounts[trigger] or 0) + gained < threshold then
    return
  end
  local from = "(" .. seconds(counter.latest - window)
  local count = call("ZCOUNT", counter.hourKey, from, "+inf")
  counter.lastCounts[trigger], counter.lastTotals[trigger] = count, counter.total
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

-- Notes which ids a set holds.
local function noteMembers(key, ids, known)
  for first = 1, #ids, CHUNK do
    local last = math.min(first + CHUNK - 1, #ids)
    local answers = redis.pcall("SMISMEMBER", key, unpack(ids, first, last))
    for index = first, last do
      -- Redis before 6.2 has no such command.
      local answer = answers.err and call("SISMEMBER", key, ids[index])
        or answers[index - first + 1]
      known[ids[index]] = known[ids[index]] or answer == 1
    end
  end
end

-- Which entries change something, by their place in the batch; the ids of those are remembered.
local function freshEntries()
  local ids, known, fresh, new = {}, {}, {}, {}
  for _, entry in ipairs(entries) do
    if entry[3] ~= NO_IMAGE and entry[2] >= applied[entry[1] + 1] then
      ids[#ids + 1] = entry[4]
    end
  end
  noteMembers(currentIDsKey, ids, known)
  noteMembers(previousIDsKey, ids, known)
  for index, entry in ipairs(entries) do
    local id = entry[4]
    if entry[2] < applied[entry[1] + 1] then
      duplicates[#duplicates + 1] = index - 1
    elseif entry[3] ~= NO_IMAGE then
      if known[id] then
        duplicates[#duplicates + 1] = index - 1
      else
        known[id] = true
        new[#new + 1] = id
        fresh[#fresh + 1] = entry
      end
    end
  end
  callAll("SADD", currentIDsKey, new)
  return fresh
end

-- Reads the totals that entries add to.
local function readTotals(fresh)
  local keys, places = {}, {}
  for _, entry in ipairs(fresh) do
    local metric, image = METRICS[entry[3]], entry[5]
    if metric and not totalKeys[metric][image] then
      local key = prefix .. "image:" .. image .. ":total_" .. metric
      totalKeys[metric][image] = key
      keys[#keys + 1] = key
      places[#places + 1] = entry
    end
  end
  for first = 1, #keys, CHUNK do
    local last = math.min(first + CHUNK - 1, #keys)
    for index, total in ipairs(call("MGET", unpack(keys, first, last))) do
      local entry = places[first + index - 1]
      totals[METRICS[entry[3]]][entry[5]] = total
    end
  end
end

local fresh = freshEntries()
readTotals(fresh)
for _, entry in ipairs(fresh) do
  local _, _, kind, id, imageID, time, a, b, c, d = unpack(entry)
  if kind == UPLOAD then
    upload(imageOf(imageID), time, a, b, c, d)
  else
    local counter = counterOf(imageOf(imageID), METRICS[kind])
    record(counter, id, time, a, b)
    checkAll(counter)
  end
end

-- What no count as of an instant still kept can need: events up to these instants.
local bounds = horizon
  and {
    ["1hr"] = seconds(horizon),
    ["5min"] = seconds(horizon + HOUR - FIVE_MINUTES),
    ["1min"] = seconds(horizon + HOUR - MINUTE),
  }

local now = tonumber(call("TIME")[1])

-- The sets of a counter that were ever filled.
local function setsOf(counter)
  local sets = { "1hr", "5min", "1min" }
  if counter.ineligible > 0 then
    sets[#sets + 1] = "ineligible"
  end
  if counter.late > 0 then
    sets[#sets + 1] = "late"
  end
  return sets
end

-- Forgets old events.
local function forget(counter)
  for _, name in ipairs(setsOf(counter)) do
    call("ZREMRANGEBYSCORE", counter.key .. name, "-inf", bounds[name] or bounds["1hr"])
  end
end

-- Puts off the expiry of a counter's sets; one that is empty needs it as soon as it is back.
local expiry = digits(secondsToLive + RENEWAL)
local function keep(counter)
  local isWhole = true
  for _, name in ipairs(setsOf(counter)) do
    local isThere = call("EXPIRE", counter.key .. name, expiry) == 1
    isWhole = isWhole and isThere
  end
  set(counter.image, counter.fields.kept, isWhole and now or 0)
end

local newTotals = {}
for _, counter in ipairs(touchedCounters) do
  local image, fields = counter.image, counter.fields
  callAll("ZADD", counter.key .. "5min", counter.members)
  callAll("ZADD", counter.key .. "1min", counter.members)
  -- Once a minute of event time is often enough.
  local isDue = horizon and (not counter.trimmed or horizon >= counter.trimmed + MINUTE)
  -- A counter that is new has nothing to forget.
  local forgets = isDue and counter.trimmed
  if isDue then
    set(image, fields.trimmed, horizon)
  end
  if forgets then
    forget(counter)
  end
  local isKept = counter.kept and math.abs(now - counter.kept) < RENEWAL
  if secondsToLive > 0 and (forgets or counter.hasNewSet or not isKept) then
    keep(counter)
  end
  if counter.ineligible > 0 then
    set(image, fields.ineligible, counter.ineligible)
  end
  if counter.late > 0 then
    set(image, fields.late, counter.late)
  end
  set(image, fields.newest, counter.newest)
  set(image, fields.latest, counter.latest)
  newTotals[#newTotals + 1] = totalKeys[counter.metric][image.id]
  newTotals[#newTotals + 1] = counter.total
end

for first = 1, #newTotals, CHUNK do
  call("MSET", unpack(newTotals, first, math.min(first + CHUNK - 1, #newTotals)))
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
