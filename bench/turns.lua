-- For wrk: the requests of a file in turn, one "path<TAB>token" a line.  Every case goes this way, so
-- that all cost wrk the same.  The result is printed as one line of JSON.
local requests = {}
local at = 0

function init(args)
	for line in io.lines(args[1]) do
		local path, token = line:match("^(%S+)\t?(%S*)$")
		local headers = {["Host"] = wrk.host}
		if token ~= "" then headers["Authorization"] = "Bearer " .. token end
		requests[#requests + 1] = wrk.format("GET", path, headers)
	end
end

function request()
	at = at % #requests + 1
	return requests[at]
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format(
		'JSON{"requests":%d,"failed":%d,"seconds":%.6f,"bytes":%d,"p50":%.4f,"p99":%.4f}\n',
		summary.requests, e.connect + e.read + e.write + e.status + e.timeout,
		summary.duration / 1e6, summary.bytes,
		latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
