-- Makes the keys under one prefix a copy of those under another: a save, or its return.
--
-- ARGV[1] the prefix of the source, [2] of the copy; [3]… what a key's name begins with after it.
-- Replies how many keys were copied.

local from, to = ARGV[1], ARGV[2]
local copied = 0

-- The keys whose names begin with a text.
local function keys(text)
  return redis.call("KEYS", string.gsub(text, "[%*%?%[%]\\]", "\\%0") .. "*")
end

for i = 3, #ARGV do
  for _, key in ipairs(keys(to .. ARGV[i])) do
    redis.call("UNLINK", key)
  end
  for _, key in ipairs(keys(from .. ARGV[i])) do
    redis.call("COPY", key, to .. string.sub(key, #from + 1))
    copied = copied + 1
  end
end
return copied
