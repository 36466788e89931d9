-- Copyright (c) 2026 The Interlock authors
-- SPDX-License-Identifier: BSL-1.0
--
-- For wrk: every complete answer must be, byte for byte, the file that all requests of this run ask
-- for. DEMO_BODY names that file; one line of numbers is appended to the file DEMO_RESULT:
-- requests, wrong answers, connect errors, read errors, write errors, timeouts.

local threads = {}

local function contents_of(path)
  local file = assert(io.open(path, "rb"))
  local contents = file:read("*a")
  file:close()
  return contents
end

function setup(thread)
  table.insert(threads, thread)
end

function init()
  wrong = 0
  expected = contents_of(assert(os.getenv("DEMO_BODY")))
end

-- wrk keeps what it has read of an answer when its connection is cut, and puts the next answer of
-- the new connection behind it. An answer's own bytes are the last ones, as many as its header
-- says.
local function is_expected(status, headers, body)
  return status == 200 and tonumber(headers["Content-Length"]) == #expected
    and (body == expected or body:sub(-#expected) == expected)
end

function response(status, headers, body)
  if not is_expected(status, headers, body) then
    wrong = wrong + 1
  end
end

function done(summary)
  local wrong_answers = 0
  for _, thread in ipairs(threads) do
    wrong_answers = wrong_answers + thread:get("wrong")
  end
  local errors = summary.errors
  local file = assert(io.open(assert(os.getenv("DEMO_RESULT")), "a"))
  file:write(string.format("%d %d %d %d %d %d\n", summary.requests, wrong_answers, errors.connect,
    errors.read, errors.write, errors.timeout))
  file:close()
end
