// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a close of a connected TCP socket costs the thread that runs the event loop, and the process
// as a whole: Asio's inline close(), Interlock's close(), Interlock's async_close().
//
// The sides take turns in one process, so that all see the same machine; the ratios of each turn are
// what is reported, as median and quartiles. Processor time, not wall time: other load does not count.

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include <interlock/ip/tcp.hpp>

#include "measure.hpp"

namespace asio = boost::asio;

namespace {

struct cost
{
  double loop_thread = 0;
  double process = 0;
};

template <class Tcp>
struct connections
{
  connections(asio::io_context& context, std::size_t count)
  {
    asio::ip::tcp::acceptor acceptor(
      context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    for (std::size_t i = 0; i != count; ++i)
    {
      ends.emplace_back(context);
      ends.back().connect(acceptor.local_endpoint());
      peers.emplace_back(acceptor.accept());
    }
  }

  std::vector<typename Tcp::socket> ends;
  std::vector<asio::ip::tcp::socket> peers;
};

/// Closes `count` sockets with `close`, on the loop's thread; microseconds per close, until all is done.
template <class Tcp, class Close>
cost measure(std::size_t count, Close close)
{
  asio::io_context context;
  connections<Tcp> c(context, count);
  cost spent;
  const double process = bench::now(CLOCK_PROCESS_CPUTIME_ID);
  asio::post(context,
    [&]
    {
      for (auto& socket : c.ends)
        close(socket);
    });
  const double before = bench::now(CLOCK_THREAD_CPUTIME_ID);
  context.run();
  spent.loop_thread = (bench::now(CLOCK_THREAD_CPUTIME_ID) - before) / double(count);
  // The peers see the end of file when close(2) has been made: the worker's part is in the account.
  for (auto& peer : c.peers)
  {
    char byte = 0;
    boost::system::error_code ec;
    peer.read_some(asio::buffer(&byte, 1), ec);
  }
  spent.process = (bench::now(CLOCK_PROCESS_CPUTIME_ID) - process) / double(count);
  return spent;
}

struct ratios
{
  std::vector<double> loop_thread, process;

  void add(const cost& a, const cost& b)
  {
    loop_thread.push_back(a.loop_thread / b.loop_thread);
    process.push_back(a.process / b.process);
  }
};

} // namespace

int main(int argc, char** argv)
{
  const int turns = argc > 1 ? std::atoi(argv[1]) : 20;
  const std::size_t count = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 400;
  const auto now_closed = [](auto& s) { s.close(); };
  const auto later_closed = [](auto& s) { s.async_close([](boost::system::error_code) {}); };
  ratios close, async_close;
  double plain_total = 0;
  for (int i = 0; i < turns; ++i)
  {
    const cost plain = measure<asio::ip::tcp>(count, now_closed);
    close.add(measure<interlock::ip::tcp>(count, now_closed), plain);
    async_close.add(measure<interlock::ip::tcp>(count, later_closed), plain);
    plain_total += plain.loop_thread;
  }
  std::printf("%d turns of %zu closes; Asio's close(): %.2f us of the loop's thread on average\n",
    turns, count, plain_total / turns);
  std::printf("against it                                     median  [quartiles]\n");
  bench::print("close(), the loop's thread", close.loop_thread);
  bench::print("close(), the process", close.process);
  bench::print("async_close(), the loop's thread", async_close.loop_thread);
  bench::print("async_close(), the process", async_close.process);
}
