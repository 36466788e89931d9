// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The same code twice, once with Asio's sockets and once with Interlock's: what happens when a
// socket is closed while other threads use it, and what the close costs the event loop. Prints one
// table. Ends with 0 only if Interlock was clean and plain Asio was caught misdirecting bytes.

#include "blocked_call.hpp"
#include "lifetime.hpp"
#include "loop_time.hpp"
#include "reopened.hpp"
#include "runner.hpp"
#include "table.hpp"
#include "verdict.hpp"

#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/program_options.hpp>

#include <chrono>
#include <csignal>
#include <exception>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace asio = boost::asio;
namespace options = boost::program_options;

namespace {

using namespace close_race;

enum class kind
{
  repeated,
  once
};

// One line of the table: the same scenario for both protocol families.
struct experiment
{
  const char* what;
  kind how;
  scenario plain;
  scenario interlocked;
  judge judged_by;
};

using asio_local = asio::local::stream_protocol;
using asio_tcp = asio::ip::tcp;
using interlock_local = interlock::local::stream_protocol;
using interlock_tcp = interlock::ip::tcp;

const experiment experiments[] = {
  {"A thread is blocked in write_some(), a second one closes the socket, a third one opens a "
   "descriptor and gets the same number.",
    kind::repeated, &blocked_call_rounds<blocked_write, asio_local>,
    &blocked_call_rounds<blocked_write, interlock_local>, &judge_blocked_write},
  {"The same with read_some().", kind::repeated, &blocked_call_rounds<blocked_read, asio_local>,
    &blocked_call_rounds<blocked_read, interlock_local>, &judge_blocked_read},
  {"async_write() under way in two loop threads, the socket closed from outside.", kind::repeated,
    &async_write_rounds<asio_local>, &async_write_rounds<interlock_local>, &judge_lifetime},
  {"Two threads close the same socket, a read outstanding.", kind::repeated,
    &double_close_rounds<asio_local>, &double_close_rounds<interlock_local>, &judge_lifetime},
  {"One async_write() of 200,000 bytes, its socket closed and connected to another peer: what "
   "the first and the second peer received.",
    kind::once, &reopened_socket<asio_tcp>, &reopened_socket<interlock_tcp>, &judge_reopened},
  {"The event loop closes a socket with SO_LINGER 3 s and a peer that does not read: longest "
   "time the loop served no connection.",
    kind::once, &lingering_close<asio_tcp>, &lingering_close<interlock_tcp>, &judge_stall},
  {"Loop's time for the close() of a connected TCP socket, median of 2,000.", kind::once,
    &close_cost<asio_tcp>, &close_cost<interlock_tcp>, &judge_cost},
};

struct settings
{
  std::chrono::duration<double> time_per_row{3};
  bool plain = true;
  bool interlocked = true;
};

struct arguments
{
  double seconds = 3;
  std::string only;
};

options::options_description describe(arguments& values)
{
  options::options_description known("close_race: closing sockets under the threads that use them");
  auto add = known.add_options();
  add("help,h", "print this and exit");
  add("seconds-per-row", options::value(&values.seconds)->default_value(values.seconds),
    "time for each column of a row that repeats its rounds");
  add("only", options::value(&values.only)->value_name("plain|interlock"),
    "leave the other column out");
  return known;
}

settings checked(const arguments& values)
{
  if (!(values.seconds > 0 && values.seconds <= 3600))
    throw std::invalid_argument("--seconds-per-row: more than 0 and at most 3600");
  if (!values.only.empty() && values.only != "plain" && values.only != "interlock")
    throw std::invalid_argument("--only: plain or interlock");
  settings result;
  result.time_per_row = std::chrono::duration<double>(values.seconds);
  result.plain = values.only != "interlock";
  result.interlocked = values.only != "plain";
  return result;
}

// Empty when only the usage was wanted.
std::optional<settings> parse(int argc, char** argv)
{
  arguments values;
  const options::options_description known = describe(values);
  const options::positional_options_description none;
  options::variables_map given;
  options::store(
    options::command_line_parser(argc, argv).options(known).positional(none).run(), given);
  options::notify(given);
  if (given.count("help") != 0)
  {
    std::cout << known;
    return std::nullopt;
  }
  return checked(values);
}

struct summary
{
  bool interlock_clean = true;
  bool plain_misdirected = false;
};

shared_tally run(scenario what, kind how, const settings& chosen)
{
  return how == kind::once ? run_once(what) : run_repeatedly(what, chosen.time_per_row);
}

void run_experiment(const experiment& row, const settings& chosen, table& out, summary& result)
{
  std::vector<std::string> cells{row.what, "-", "-"};
  shared_tally plain;
  if (chosen.plain)
  {
    plain = run(row.plain, row.how, chosen);
    const verdict seen = row.judged_by(*plain, nullptr);
    result.plain_misdirected |= seen.misdirected;
    cells[1] = seen.text;
  }
  if (chosen.interlocked)
  {
    const shared_tally counts = run(row.interlocked, row.how, chosen);
    const verdict seen = row.judged_by(*counts, plain.get());
    result.interlock_clean &= seen.clean;
    cells[2] = seen.text + (seen.clean ? "" : "\n** NOT CLEAN **");
  }
  out.row(cells);
  out.rule();
}

summary run_all(const settings& chosen)
{
  table out(std::cout, {34, 33, 33});
  out.row({"what happens", "plain Asio", "Interlock"});
  out.rule();
  summary result;
  for (const experiment& row : experiments)
    run_experiment(row, chosen, out, result);
  return result;
}

int conclude(const summary& result, const settings& chosen)
{
  if (chosen.interlocked && !result.interlock_clean)
  {
    std::cout << "FAILED: Interlock was not clean in every row.\n";
    return 1;
  }
  if (chosen.plain && !result.plain_misdirected)
  {
    std::cout << "NOTHING PROVED: plain Asio misdirected no byte here.\n";
    return 2;
  }
  if (chosen.interlocked)
    std::cout << "Interlock: no byte misdirected, no crash, every handler ran, no loop "
                 "stalled for a second.\n";
  if (chosen.plain)
    std::cout << "Plain Asio: bytes misdirected. Its documentation forbids such a close from "
                 "another thread.\n";
  return 0;
}

} // namespace

int main(int argc, char** argv)
{
  try
  {
    const std::optional<settings> chosen = parse(argc, argv);
    if (!chosen)
      return 0;
    // Fails here and now, with a reason, where the kernel does not show what a thread waits in.
    sleeps_in_poll(this_thread_id());
    // What a peer does must not end the process.
    std::signal(SIGPIPE, SIG_IGN);
    return conclude(run_all(*chosen), *chosen);
  }
  catch (const std::exception& e)
  {
    std::cerr << "close_race: " << e.what() << '\n';
    return 3;
  }
}
