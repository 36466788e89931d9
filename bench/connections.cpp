// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a short connection costs a server: accept, echo one message, close. Over plain Asio, the strand idiom, a loop
// over epoll(7), libuv, and Interlock with close(), the destructor and async_close().
//
//   connections [TURNS [CONNECTIONS [THREADS [AT-ONCE]]]]
//   connections --only SIDE [CONNECTIONS [THREADS [AT-ONCE]]]     for strace -c -f, or a profiler
//
// The sides take turns in one process, so that all see the same machine. The ratios of each turn to plain Asio's are
// reported, as median and quartiles: processor time of the process and of the threads that run the loop, and connections
// a second. The clients are another process. On a machine with few processors it takes as much of them as the server, so
// that the rate says less than the processor time. The time from the close to the client's end of stream is reported as
// it is. With several threads, Asio and Interlock share one acceptor and one reactor; epoll and libuv have one of each for
// each thread.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "connections/client.hpp"
#include "connections/servers.hpp"
#include "measure.hpp"

namespace {

using namespace bench;

struct shape
{
  std::size_t count = 4000;
  unsigned threads = 1;
  std::size_t at_once = 32;
};

struct result
{
  double process = 0; // microseconds of processor time for each connection
  double loop = 0;
  double rate = 0;            // connections a second
  std::vector<double> to_end; // microseconds from the close to the client's end of stream
};

template <class Server>
result measure(Server& server, const shape& s, const shared_times& closed)
{
  const shared_times ended(s.count);
  const ::sockaddr_in address = server.address();
  client_process clients([&] { client(address, s.count, closed, ended).run(s.at_once); });
  server.start();
  std::vector<double> loop_times(s.threads);
  const double process = now(CLOCK_PROCESS_CPUTIME_ID);
  const double begin = now();
  std::vector<std::thread> threads;
  for (unsigned i = 0; i != s.threads; ++i)
    threads.emplace_back(
      [&, i]
      {
        server.run(i);
        loop_times[i] = now(CLOCK_THREAD_CPUTIME_ID);
      });
  for (std::thread& t : threads)
    t.join();
  clients.join();
  result r;
  const double count = double(s.count);
  r.rate = count / ((now() - begin) / 1e6);
  r.process = (now(CLOCK_PROCESS_CPUTIME_ID) - process) / count;
  for (const double t : loop_times)
    r.loop += t / count;
  for (std::size_t i = 0; i != s.count; ++i)
    r.to_end.push_back(double(ended[i]) / 1e3);
  return r;
}

template <class Server>
result over_asio(const shape& s)
{
  const shared_times closed(s.count);
  Server server(task{s.count, closed});
  return measure(server, s, closed);
}

template <class Server>
result over_threads(const shape& s)
{
  const shared_times closed(s.count);
  Server server(task{s.count, closed}, s.threads);
  return measure(server, s, closed);
}

struct side
{
  const char* name;
  result (*run)(const shape&);
};

using plain = asio::ip::tcp;
using ours = interlock::ip::tcp;

const side sides[] = {
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

void print(const std::vector<double>& v)
{
  std::printf(
    "  %.3f [%.3f .. %.3f]", percentile(v, 0.5), percentile(v, 0.25), percentile(v, 0.75));
}

void print(const char* name, const figures& f)
{
  std::printf("%-12s", name);
  print(f.process);
  print(f.loop);
  print(f.rate);
  std::printf("  %7.0f %7.0f\n", percentile(f.to_end, 0.5), percentile(f.to_end, 0.99));
}

shape shape_of(char** arguments, int count)
{
  shape s;
  if (count > 0)
    s.count = std::strtoul(arguments[0], nullptr, 10);
  if (count > 1)
    s.threads = unsigned(std::strtoul(arguments[1], nullptr, 10));
  if (count > 2)
    s.at_once = std::strtoul(arguments[2], nullptr, 10);
  return s;
}

int run_one(const char* name, const shape& s)
{
  for (const side& one : sides)
    if (std::strcmp(one.name, name) == 0)
    {
      const result r = one.run(s);
      std::printf(
        "%.2f us of the process, %.2f us of the loop, %.0f a second\n", r.process, r.loop, r.rate);
      return EXIT_SUCCESS;
    }
  std::fprintf(stderr, "connections: no side \"%s\"\n", name);
  return 2;
}

} // namespace

int main(int argc, char** argv)
{
  if (argc > 2 && std::strcmp(argv[1], "--only") == 0)
    return run_one(argv[2], shape_of(argv + 3, argc - 3));
  const int turns = argc > 1 ? std::atoi(argv[1]) : 20;
  const shape s = shape_of(argv + 2, argc - 2);
  constexpr std::size_t count = sizeof(sides) / sizeof(sides[0]);
  std::vector<figures> all(count);
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::mt19937 random(1);
  // Once for what is made once in a process.
  for (const side& each : sides)
    each.run(s);
  double process = 0, rate = 0;
  for (int turn = 0; turn < turns; ++turn)
  {
    // What a side leaves behind is not always the same side's to bear.
    std::shuffle(order.begin(), order.end(), random);
    std::vector<result> results(count);
    for (const std::size_t i : order)
      results[i] = sides[i].run(s);
    for (std::size_t i = 0; i != count; ++i)
      all[i].add(results[i], results[0]);
    process += results[0].process / turns;
    rate += results[0].rate / turns;
  }
  std::printf(
    "%d turns of %zu connections, %zu at once, %u loop threads; plain Asio: %.1f us, %.0f a second\n",
    turns, s.count, s.at_once, s.threads, process, rate);
  std::printf(
    "against it: median [quartiles] of the processor time of the process, of the loop's threads, and of the"
    " rate; microseconds from close to end of stream: median, p99\n");
  for (std::size_t i = 0; i != count; ++i)
    print(sides[i].name, all[i]);
}
