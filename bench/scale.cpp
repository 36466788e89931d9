// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// How opening and closing scales: with threads that open and close on one context, and with the number of objects that
// are closed at once.
//
//   scale [TURNS [PAIRS]]      by default 20 turns of 20000 pairs a thread
//
// Threads: each opens and closes a UDP socket of its own, again and again. Reported is the wall time of a pair with two
// threads against that with one, over Asio and over Interlock: 1 if threads do not slow each other down, as far as the
// kernel lets them (a process has one table of descriptors, a loop one epoll set).
//
// Objects: 10,000 UDP sockets are closed by async_close(), 1,000 at once and all at once, and the loop runs until they
// are closed. Reported is the processor time of the process for each, and the ratio: 1 if the whole is linear.

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include <interlock/ip/udp.hpp>

#include "descriptor_limit.hpp"
#include "measure.hpp"

namespace asio = boost::asio;

namespace {

/// Microseconds for a pair, with `threads` at the same time.
template <class Udp>
double time_of_pairs(unsigned threads, std::size_t pairs)
{
  asio::io_context context;
  const typename Udp::socket keeps_services(context, asio::ip::udp::v4());
  std::vector<std::thread> running;
  const double begun = bench::now();
  for (unsigned i = 0; i != threads; ++i)
    running.emplace_back(
      [&]
      {
        typename Udp::socket socket(context);
        for (std::size_t n = 0; n != pairs; ++n)
        {
          socket.open(asio::ip::udp::v4());
          socket.close();
        }
      });
  for (std::thread& t : running)
    t.join();
  return (bench::now() - begun) / double(pairs);
}

void compare_threads(int turns, std::size_t pairs)
{
  std::vector<double> plain, ours, between, slowdown;
  double one_plain = 0;
  for (int turn = 0; turn != turns; ++turn)
  {
    const double p1 = time_of_pairs<asio::ip::udp>(1, pairs);
    const double i1 = time_of_pairs<interlock::ip::udp>(1, pairs);
    const double i2 = time_of_pairs<interlock::ip::udp>(2, pairs);
    const double p2 = time_of_pairs<asio::ip::udp>(2, pairs);
    plain.push_back(p2 / p1);
    ours.push_back(i2 / i1);
    between.push_back(i2 / p2);
    slowdown.push_back(ours.back() / plain.back());
    one_plain += p1;
  }
  std::printf("%d turns of %zu opens and closes; Asio, one thread: %.2f us\n", turns, pairs,
    one_plain / turns);
  std::printf("two threads                                    median  [quartiles]\n");
  bench::print("Asio, against one thread", plain);
  bench::print("Interlock, against one thread", ours);
  bench::print("Interlock, against Asio", between);
  bench::print("how much two slow down, against Asio's", slowdown);
}

/// Microseconds of the process for each of so many closes.
double time_of_closes(std::size_t count)
{
  asio::io_context context;
  std::vector<std::unique_ptr<interlock::ip::udp::socket>> objects;
  for (std::size_t i = 0; i != count; ++i)
    objects.push_back(std::make_unique<interlock::ip::udp::socket>(context, asio::ip::udp::v4()));
  std::size_t closed = 0;
  const double begun = bench::now(CLOCK_PROCESS_CPUTIME_ID);
  for (auto& o : objects)
    o->async_close([&](boost::system::error_code ec) { closed += !ec; });
  context.run();
  const double time = bench::now(CLOCK_PROCESS_CPUTIME_ID) - begun;
  if (closed != count)
    std::printf("NOT all closed: %zu of %zu\n", closed, count);
  return time / double(count);
}

/// As many closes of 1,000 at once as of 10,000.
void compare_counts(int turns)
{
  constexpr std::size_t few = 1000, many = 10000;
  if (const std::size_t most = bench::possible_descriptors(many); most < many)
  {
    std::printf("%46zu NOT: the limit of descriptors allows %zu\n", many, most);
    return;
  }
  std::vector<double> of_few, of_many, ratio;
  for (int turn = 0; turn != turns; ++turn)
  {
    double each = 0;
    for (std::size_t i = 0; i != many / few; ++i)
      each += time_of_closes(few) / (many / few);
    of_few.push_back(each);
    of_many.push_back(time_of_closes(many));
    ratio.push_back(of_many.back() / each);
  }
  std::printf("closed at once: microseconds of the process for each\n");
  bench::print("1000 closed at once", of_few);
  bench::print("10000 closed at once", of_many);
  bench::print("10000 closed at once, against 1000", ratio);
}

} // namespace

int main(int argc, char** argv)
{
  const int turns = argc > 1 ? std::atoi(argv[1]) : 20;
  compare_threads(turns, argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 20000);
  compare_counts(turns);
}
