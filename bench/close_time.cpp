// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a close of a connected TCP socket costs the thread that runs the event loop, and the process as a whole: Asio's
// inline close(), Interlock's close(), Interlock's async_close().
//
//   close_time [TURNS [CLOSES]]
//
// By default 20 turns of 400 closes, of sockets that have been accepted, and of sockets that have been connected: Asio
// takes the former out of its epoll set before it closes them, and leaves that to close(2) for the latter. Interlock
// takes out both, since a copy of the descriptor elsewhere would keep it in the set.
//
// The sides take turns in one process, so that all see the same machine; the ratios of each turn are reported, as
// median and quartiles. Processor time, not wall time: other load does not count. The peers belong to another context,
// so that the loop sees the closes alone; the first close of a context, which starts the worker, is not counted.

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <utility>
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

enum class origin
{
  accepted,
  connected
};

template <class Tcp>
struct connections
{
  connections(asio::io_context& loop, origin from, std::size_t count)
  {
    for (std::size_t i = 0; i != count; ++i)
      peers.emplace_back(elsewhere);
    if (from == origin::accepted)
      accept(loop);
    else
      connect(loop);
  }

  void accept(asio::io_context& loop)
  {
    typename Tcp::acceptor acceptor(loop, any_port);
    for (auto& peer : peers)
    {
      peer.connect(acceptor.local_endpoint());
      ends.push_back(acceptor.accept());
    }
  }

  void connect(asio::io_context& loop)
  {
    asio::ip::tcp::acceptor acceptor(elsewhere, any_port);
    for (auto& peer : peers)
    {
      ends.emplace_back(loop);
      ends.back().connect(acceptor.local_endpoint());
      acceptor.accept(peer);
    }
  }

  /// The peers see the end of stream when close(2) has been made.
  void await_ends()
  {
    for (auto& peer : peers)
    {
      char byte = 0;
      boost::system::error_code ec;
      peer.read_some(asio::buffer(&byte, 1), ec);
    }
  }

  const asio::ip::tcp::endpoint any_port{asio::ip::address_v4::loopback(), 0};
  asio::io_context elsewhere;
  std::vector<typename Tcp::socket> ends;
  std::vector<asio::ip::tcp::socket> peers;
};

/// Closes `count` sockets with `close`, on the loop's thread; microseconds per close, until all is done, the worker's
/// part included.
template <class Tcp, class Close>
cost measure(origin from, std::size_t count, Close close)
{
  asio::io_context context;
  connections<Tcp> c(context, from, count + 1);
  close(c.ends.back());
  context.run();
  context.restart();
  c.ends.pop_back();
  asio::post(context,
    [&]
    {
      for (auto& socket : c.ends)
        close(socket);
    });
  cost spent;
  const double process = bench::now(CLOCK_PROCESS_CPUTIME_ID);
  const double loop = bench::now(CLOCK_THREAD_CPUTIME_ID);
  context.run();
  spent.loop_thread = (bench::now(CLOCK_THREAD_CPUTIME_ID) - loop) / double(count);
  c.await_ends();
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

void compare(origin from, int turns, std::size_t count)
{
  const auto now_closed = [](auto& s) { s.close(); };
  const auto later_closed = [](auto& s) { s.async_close([](boost::system::error_code) {}); };
  ratios close, async_close;
  double plain_total = 0;
  for (int i = 0; i < turns; ++i)
  {
    const cost plain = measure<asio::ip::tcp>(from, count, now_closed);
    close.add(measure<interlock::ip::tcp>(from, count, now_closed), plain);
    async_close.add(measure<interlock::ip::tcp>(from, count, later_closed), plain);
    plain_total += plain.loop_thread;
  }
  const std::string sockets = from == origin::accepted ? "accepted" : "connected";
  std::printf("%s sockets, %d turns of %zu closes; Asio's close(): %.2f us of the loop's thread\n",
    sockets.c_str(), turns, count, plain_total / turns);
  std::printf("against it                                     median  [quartiles]\n");
  for (const auto& [what, values] : {std::pair("close(), the loop's thread", &close.loop_thread),
         std::pair("close(), the process", &close.process),
         std::pair("async_close(), the loop's thread", &async_close.loop_thread),
         std::pair("async_close(), the process", &async_close.process)})
    bench::print((sockets + ": " + what).c_str(), *values);
}

} // namespace

int main(int argc, char** argv)
{
  const int turns = argc > 1 ? std::atoi(argv[1]) : 20;
  const std::size_t count = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 400;
  compare(origin::accepted, turns, count);
  compare(origin::connected, turns, count);
}
