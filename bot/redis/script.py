"""What runs inside Redis. TAKE gives out places: `bot.delivery.pacing.LocalBuckets`, for all processes at once.

Times are microseconds on Redis's clock. KEYS are two per bucket: its places (a sorted set), and until when it is
closed. ARGV: the name of the new place, then per bucket its count, its span, for how long the caller knows it to be
closed, and the caller's earlier places that Redis may not know (how many; of each its name, and its time from now on).
It answers how long to wait, then per bucket how many places it knew of before, and for how long it is closed.
"""

TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local place, at, buckets, answer = now, 2, {}, {0}

for i = 1, #KEYS, 2 do
    local key, count, span = KEYS[i], tonumber(ARGV[at]), tonumber(ARGV[at + 1])
    local mine, untold = now + tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    at = at + 4
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now - span)
    answer[#answer + 1] = redis.call('ZCARD', key)
    for _ = 1, untold do
        redis.call('ZADD', key, now + tonumber(ARGV[at + 1]), ARGV[at])
        at = at + 2
    end
    local shut = tonumber(redis.call('GET', KEYS[i + 1]) or '0')
    if mine > now and mine > shut + 1000 then
        shut = mine
        redis.call('SET', KEYS[i + 1], shut, 'PX', math.ceil((shut - now) / 1000))
    end
    if shut > place then place = shut end
    answer[#answer + 1] = math.max(0, shut - now)
    local given, scored = {}, redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
    for j = 2, #scored, 2 do given[#given + 1] = tonumber(scored[j]) end
    buckets[#buckets + 1] = {key = key, count = count, span = span, given = given}
end

local before
repeat
    before = place
    for _, bucket in ipairs(buckets) do
        local given, span, more = bucket.given, bucket.span, bucket.count - 1
        for i = 1, #given - more do
            local first, last = given[i], given[i + more]
            if first >= place + span then break end
            if math.max(last, place) - math.min(first, place) < span then place = first + span end
        end
    end
until place == before

for _, bucket in ipairs(buckets) do
    redis.call('ZADD', bucket.key, place, ARGV[1])
    local last = math.max(place, bucket.given[#bucket.given] or 0)
    redis.call('PEXPIRE', bucket.key, math.ceil((last + bucket.span - now) / 1000) + 1000)
end
answer[1] = place - now
return answer
"""

ADMIT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local event, anyway, full = ARGV[1], ARGV[2] == '1', 0

for i, key in ipairs(KEYS) do
    local count, span = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now - span)
    local before = redis.call('ZRANK', key, event) or redis.call('ZCARD', key)
    if before >= count and full == 0 then full = i end
end

if full == 0 or anyway then
    for i, key in ipairs(KEYS) do
        redis.call('ZADD', key, 'NX', now, event)
        redis.call('ZREMRANGEBYRANK', key, 0, -(tonumber(ARGV[2 * i + 1]) + 2))
        redis.call('PEXPIRE', key, math.ceil(tonumber(ARGV[2 * i + 2]) / 1000) + 1000)
    end
end
return full
"""
"""Counts an event: `bot.delivery.counting.Counted`, for all processes at once.

KEYS are one per window; ARGV the event, 1 to count it anyway, then per window its count and its span in microseconds.
It answers which window is full: 0 for none, else its number from 1.
"""
