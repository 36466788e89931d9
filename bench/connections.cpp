// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What connections cost a server: accept, echo each message, close. Over plain Asio, the strand idiom, a loop over
// epoll(7), libuv, Go, and Interlock with close(), the destructor and async_close().
//
//   connections [TURNS [CONNECTIONS [THREADS [AT-ONCE [MESSAGES [RATE [SIZE]]]]]]]
//   connections --only SIDE [CONNECTIONS [...]]     for perf(1), or another profiler
//
// By default 20 turns, 4000 connections, 1 thread, 32 at once, 1 message, no rate (0), and 64 bytes.
//
// MESSAGES are echoed on each connection, one at a time, before the server closes it. With one, accept and close are
// most of the cost; with 20000 (and few connections, such as 32) the echo is.
//
// RATE connections start in a second, by the clock: the time from the close to the client's end of stream is then that
// of a server at a known load, not that of a saturated one. AT-ONCE has no effect then. A server that falls behind has
// more and more connections open; the program ends with an error if it runs out of descriptors.
//
// The sides take turns in one process, so that all see the same machine. The ratios of each turn to plain Asio's are
// reported, as median, quartiles and the 95 % confidence interval of the median (from 6 turns on): processor time of
// the process and of the threads that run the loop, and messages a second. The clients are another process. On a
// machine with few processors it takes as much of them as the server, so that the rate says less than the processor
// time. The time from the close to the client's end of stream is reported in microseconds, of all turns together. With
// several threads, Asio and Interlock share one acceptor and one reactor; epoll and libuv have one of each for each
// thread. Go takes part if the environment names its server, connections/server.go (BENCH_GO_SERVER): a process of its
// own, in which the loop's threads are not told from others.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "connections/client.hpp"
#include "connections/go_server.hpp"
#include "connections/servers.hpp"
#include "measure.hpp"

namespace {

using namespace bench;

struct shape : load
{
  unsigned threads = 1;
};

struct result
{
  double process = 0; // microseconds of processor time for each message
  double loop = 0;
  double rate = 0;            // messages a second
  std::vector<double> to_end; // microseconds from the close to the client's end of stream
};

/// Microseconds of processor time of all threads, which run the loop until all connections are closed.
template <class Server>
double run_loop(Server& server, unsigned count)
{
  std::vector<double> times(count);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i != count; ++i)
    threads.emplace_back(
      [&, i]
      {
        server.run(i);
        times[i] = now(CLOCK_THREAD_CPUTIME_ID);
      });
  for (std::thread& t : threads)
    t.join();
  return std::accumulate(times.begin(), times.end(), 0.0);
}

/// What the turn has cost, by its clients' times and the server's.
result make_result(const shape& s, double seconds, double process, double loop)
{
  const double messages = double(s.count) * s.messages;
  result r;
  r.rate = messages / seconds;
  r.process = process / messages;
  r.loop = loop / messages;
  return r;
}

template <class Server>
result measure(Server& server, const shape& s, const shared_times& closed)
{
  const shared_times ended(s.count);
  const ::sockaddr_in address = server.address();
  client_process clients([&] { client(address, s, closed, ended).run(); });
  server.start();
  const double process = now(CLOCK_PROCESS_CPUTIME_ID);
  const double begin = now();
  const double loop = run_loop(server, s.threads);
  clients.join();
  const double seconds = (now() - begin) / 1e6;
  result r = make_result(s, seconds, now(CLOCK_PROCESS_CPUTIME_ID) - process, loop);
  for (std::size_t i = 0; i != s.count; ++i)
    r.to_end.push_back(double(ended[i]) / 1e3);
  return r;
}

result over_go(const shape& s)
{
  const shared_times unknown(s.count), ended(s.count);
  go_server server(s, s.threads);
  const double begin = now();
  client_process clients([&] { client(server.address(), s, unknown, ended).run(); });
  clients.join();
  const double seconds = (now() - begin) / 1e6;
  const double time = server.time_used();
  return make_result(s, seconds, time, time);
}

template <class Server>
result over_asio(const shape& s)
{
  const shared_times closed(s.count);
  Server server(task{s.count, s.size, closed});
  return measure(server, s, closed);
}

template <class Server>
result over_threads(const shape& s)
{
  const shared_times closed(s.count);
  Server server(task{s.count, s.size, closed}, s.threads);
  return measure(server, s, closed);
}

struct side
{
  const char* name;
  result (*run)(const shape&);
};

using plain = asio::ip::tcp;
using ours = interlock::ip::tcp;

std::vector<side> sides = {
  {"asio", &over_asio<asio_server<plain, by_close>>},
  {"strand", &over_asio<asio_server<plain, by_close, on_strand>>},
  {"epoll", &over_threads<epoll_server>},
#if defined(BENCH_HAS_LIBUV)
  {"libuv", &over_threads<libuv_server>},
#endif
  {"close", &over_asio<asio_server<ours, by_close>>},
  {"destructor", &over_asio<asio_server<ours, by_destructor>>},
  {"async_close", &over_asio<asio_server<ours, by_async_close>>},
};

std::size_t side_of(const char* name)
{
  const auto found = std::find_if(
    sides.begin(), sides.end(), [name](const side& s) { return std::strcmp(s.name, name) == 0; });
  return std::size_t(found - sides.begin());
}

/// What one side has shown in all turns, against the first side.
struct figures
{
  std::vector<double> process, loop, rate, to_end;

  void add(const result& r, const result& base)
  {
    process.push_back(r.process / base.process);
    loop.push_back(r.loop / base.loop);
    rate.push_back(r.rate / base.rate);
    to_end.insert(to_end.end(), r.to_end.begin(), r.to_end.end());
  }
};

void print(const std::vector<double>& ratios)
{
  const spread s(ratios);
  std::printf("  %.3f [%.3f .. %.3f] ", s.median, s.lower, s.upper);
  if (const auto i = median_interval(ratios))
    std::printf("(%.3f .. %.3f)", i->low, i->high);
  else
    std::printf("%-16s", "-");
}

void print(const char* name, const figures& f)
{
  std::printf("%-11s", name);
  print(f.process);
  print(f.loop);
  print(f.rate);
  for (const double p : {0.5, 0.99, 0.999})
    if (f.to_end.empty())
      std::printf("  %6s", "-");
    else
      std::printf("  %6.0f", percentile(f.to_end, p));
  std::printf("\n");
}

void record(const char* name, const figures& f)
{
  const std::string side(name);
  bench::record(side + ": processor time of the process", f.process);
  bench::record(side + ": processor time of the loop", f.loop);
  bench::record(side + ": messages a second", f.rate);
  if (f.to_end.empty())
    return;
  bench::record(side + ": from close to end of stream, p50", {percentile(f.to_end, 0.5)});
  bench::record(side + ": from close to end of stream, p99", {percentile(f.to_end, 0.99)});
}

/// The rates of two sides, turn by turn.
void record_rate(const figures& of, const figures& against, const std::string& what)
{
  std::vector<double> ratios;
  std::transform(of.rate.begin(), of.rate.end(), against.rate.begin(), std::back_inserter(ratios),
    std::divides<>());
  bench::record(what, ratios);
}

void print(const shape& s, const std::vector<figures>& all)
{
  std::printf("connections a turn: %zu; messages on each: %u, of %zu bytes; loop threads: %u; ",
    s.count, s.messages, s.size, s.threads);
  if (s.rate != 0)
    std::printf("connections that start in a second: %u\n", s.rate);
  else
    std::printf("connections at once: %zu\n", s.at_once);
  std::printf("ratios to plain Asio: median [quartiles] (95 %% confidence interval of the median)\n"
              "close to end of stream: microseconds\n");
  std::printf("%-11s  %-39s  %-39s  %-39s  %6s %6s %6s\n", "", "processor time: process",
    "processor time: loop threads", "messages a second", "p50", "p99", "p99.9");
  for (std::size_t i = 0; i != sides.size(); ++i)
  {
    print(sides[i].name, all[i]);
    record(sides[i].name, all[i]);
  }
  for (const char* const other : {"strand", "libuv"})
    if (const std::size_t i = side_of(other); i != sides.size())
      record_rate(all[side_of("close")], all[i], std::string("close, against ") + other);
}

/// Nothing if a number is zero that must not be.
std::optional<shape> shape_of(char** arguments, int count)
{
  shape s;
  std::size_t given[] = {s.count, s.threads, s.at_once, s.messages, s.rate, s.size};
  for (int i = 0; i < count && i < 6; ++i)
    given[i] = std::strtoul(arguments[i], nullptr, 10);
  s.count = given[0];
  s.threads = unsigned(given[1]);
  s.at_once = given[2];
  s.messages = std::uint32_t(given[3]);
  s.rate = std::uint32_t(given[4]);
  s.size = given[5];
  if (std::find(given, given + 4, std::size_t(0)) != given + 4 || s.size < sizeof(message_head))
    return std::nullopt;
  return s;
}

int run_one(const char* name, const shape& s)
{
  const std::size_t i = side_of(name);
  if (i == sides.size())
  {
    std::fprintf(stderr, "connections: no side \"%s\"\n", name);
    return 2;
  }
  const result r = sides[i].run(s);
  std::printf("for each message %.2f us of the process, %.2f us of the loop; %.0f a second\n"
              "from close to end of stream: p50 %.0f us, p99 %.0f us, p99.9 %.0f us\n",
    r.process, r.loop, r.rate, percentile(r.to_end, 0.5), percentile(r.to_end, 0.99),
    percentile(r.to_end, 0.999));
  return EXIT_SUCCESS;
}

/// One turn of each side. The order is random: what a side leaves behind is not always the same side's to bear.
std::vector<result> run_each(const shape& s, std::mt19937& random)
{
  std::vector<std::size_t> order(sides.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::shuffle(order.begin(), order.end(), random);
  std::vector<result> results(sides.size());
  for (const std::size_t i : order)
    results[i] = sides[i].run(s);
  return results;
}

int compare(int turns, const shape& s)
{
  std::mt19937 random(1);
  // Once for what is made once in a process.
  run_each(s, random);
  std::vector<figures> all(sides.size());
  std::vector<double> process, rate;
  for (int turn = 0; turn < turns; ++turn)
  {
    const std::vector<result> results = run_each(s, random);
    for (std::size_t i = 0; i != sides.size(); ++i)
      all[i].add(results[i], results[0]);
    process.push_back(results[0].process);
    rate.push_back(results[0].rate);
  }
  std::printf(
    "%d turns; median of plain Asio: %.2f us of the process for each message, %.0f messages a second\n",
    turns, percentile(process, 0.5), percentile(rate, 0.5));
  print(s, all);
  return EXIT_SUCCESS;
}

} // namespace

int main(int argc, char** argv)
{
  if (go_server::program() != nullptr)
    sides.push_back({"go", &over_go});
  const bool only = argc > 2 && std::strcmp(argv[1], "--only") == 0;
  const int before = only ? 3 : 2;
  const std::optional<shape> s = shape_of(argv + before, argc - before);
  if (!s)
  {
    std::fprintf(stderr, "connections: only RATE may be 0, and SIZE is 8 at least\n");
    return 2;
  }
  if (only)
    return run_one(argv[2], *s);
  return compare(argc > 1 ? std::atoi(argv[1]) : 20, *s);
}
