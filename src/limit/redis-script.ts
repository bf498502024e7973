/**
 * The count of `leaky-count.ts` as one atomic step inside Redis or Valkey, by the server's clock, so that replicas need not agree
 * about the time. In the form that rate-limiter-flexible calls: ARGV[3] is the depth of the bucket in requests, ARGV[4] the
 * seconds in which a full one leaks empty; the answer is how many requests are in it, one more than fit for one too many,
 * and milliseconds until there is room for one more.
 *
 * A clock that was set back must not lock anybody out: no bucket is ever fuller than full. Numbers are written out, since Lua
 * would round them to 14 digits; Redis before 5 refuses to write after it was asked for the time.
 */
export const TAKE_SCRIPT = `
local burst = tonumber(ARGV[3])
local interval = math.max(1, math.floor(tonumber(ARGV[4]) * 1000000 / burst + 0.5))
local depth = burst * interval
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local emptyAt = tonumber(redis.call('GET', KEYS[1]) or 0)
local filled = math.min(math.max(0, emptyAt - now), depth)
local after = filled + interval
if after > depth then
  return { burst + 1, math.ceil((after - depth) / 1000) }
end
redis.call('SET', KEYS[1], string.format('%.0f', now + after), 'PX', math.ceil(after / 1000))
local used = math.ceil(after / interval)
return { used, math.ceil((after - (used - 1) * interval) / 1000) }
`;
