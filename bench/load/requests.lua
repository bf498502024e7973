-- Sends the requests of a file in order, round and round, from where an earlier run left off.
-- Arguments: the file, with NUL after each request; how many requests to pass over.

local requests = {}
local thread

cursor = 0

function setup(one)
  thread = one
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  for request in file:read("*a"):gmatch("[^%z]+") do
    requests[#requests + 1] = request
  end
  file:close()
  cursor = tonumber(args[2]) % #requests
end

function request()
  cursor = cursor % #requests + 1
  return requests[cursor]
end

function done(summary, latency)
  local errors = summary.errors
  local format = '{"requests":%d,"microseconds":%d,"bytes":%d,"refused":%d,"broken":%d,"late":%d,'
    .. '"p50":%d,"p99":%d,"cursor":%d}\n'
  io.write(format:format(
    summary.requests, summary.duration, summary.bytes,
    errors.status, errors.connect + errors.read + errors.write, errors.timeout,
    latency:percentile(50), latency:percentile(99), thread:get("cursor")
  ))
end
