// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What closes that are stuck cost the others of their context:
//
//   stuck [pipes|files [TURNS [STUCK...]]]           by default pipes, 5, and 1, 8 and 15
//
// Stuck are closes of pipes that a thread holds, or of files of a file system (FUSE, for root) that does not answer the
// flush. While so many are stuck, shown are: the time of 1 000 other closes (async_close of a connected socket, to its
// handler), beside the same with none stuck; when deliver(200 ms) to a full peer is told; and when a close is taken
// over that the loop, which is busy, does not come to. Milliseconds, and ratios within a turn, as median and quartiles.
// The limit of threads is 16.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include "measure.hpp"
#include "stuck/held_files.hpp"
#include "stuck/held_pipes.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = interlock::ip::tcp;

namespace {

constexpr std::size_t others = 1000;

/// A context that a thread runs, with a listener.
class server
{
public:
  asio::io_context context;

  server()
    : acceptor_(context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      work_(context.get_executor()),
      loop_([this] { context.run(); })
  {
  }

  server(const server&) = delete;
  server& operator=(const server&) = delete;

  ~server()
  {
    work_.reset();
    loop_.join();
  }

  tcp::socket connect(asio::ip::tcp::socket& peer)
  {
    tcp::socket made(context);
    made.connect(acceptor_.local_endpoint());
    acceptor_.accept(peer);
    return made;
  }

private:
  asio::ip::tcp::acceptor acceptor_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread loop_;
};

struct findings
{
  double p50 = 0, p99 = 0; // of the other closes
  double told = 0;         // deliver(200 ms)
  double taken_over = 0;
};

double milliseconds_since(double begin)
{
  return (bench::now() - begin) / 1e3;
}

std::vector<double> close_others(server& s)
{
  std::vector<double> times;
  for (std::size_t i = 0; i != others; ++i)
  {
    asio::ip::tcp::socket peer(s.context);
    tcp::socket socket = s.connect(peer);
    const double begin = bench::now();
    socket.async_close(asio::use_future).get();
    times.push_back(milliseconds_since(begin));
  }
  return times;
}

double deliver(server& s)
{
  asio::ip::tcp::socket peer(s.context);
  tcp::socket socket = s.connect(peer);
  bench::fill(socket.native_handle());
  const double begin = bench::now();
  socket
    .async_close(interlock::close_mode::deliver(std::chrono::milliseconds(200)), asio::use_future)
    .get();
  return milliseconds_since(begin);
}

double take_over(server& s)
{
  asio::ip::tcp::socket peer(s.context);
  tcp::socket socket = s.connect(peer);
  std::promise<void> busy;
  std::promise<void> over;
  asio::post(s.context,
    [&]
    {
      busy.set_value();
      over.get_future().wait();
    });
  busy.get_future().wait();
  const double begin = bench::now();
  auto closed = socket.async_close(asio::use_future);
  ::pollfd end = {peer.native_handle(), POLLIN, 0};
  ::poll(&end, 1, -1);
  const double time = milliseconds_since(begin);
  over.set_value();
  closed.get();
  return time;
}

/// `Holder`: of the descriptors whose close is stuck.
template <class Holder>
findings measure(std::size_t stuck)
{
  Holder holder(stuck);
  server s;
  // Their destructors would close at once, in this thread.
  std::deque<interlock::posix::stream_descriptor> descriptors;
  std::vector<std::future<void>> closes;
  for (int fd : holder.descriptors())
  {
    descriptors.emplace_back(s.context, fd);
    closes.push_back(descriptors.back().async_close(asio::use_future));
  }
  findings f;
  const std::vector<double> times = close_others(s);
  f.p50 = bench::percentile(times, 0.5);
  f.p99 = bench::percentile(times, 0.99);
  f.told = deliver(s);
  f.taken_over = take_over(s);
  for (std::future<void>& c : closes)
    if (c.wait_for(std::chrono::seconds(0)) == std::future_status::ready)
      std::printf("a close that was to be stuck is over\n");
  holder.release();
  for (std::future<void>& c : closes)
    c.get();
  return f;
}

template <class Holder>
void compare(std::size_t stuck, int turns)
{
  std::vector<double> p50, p99, told, taken_over;
  for (int i = 0; i != turns; ++i)
  {
    const findings none = measure<Holder>(0);
    const findings some = measure<Holder>(stuck);
    p50.push_back(some.p50 / none.p50);
    p99.push_back(some.p99 / none.p99);
    told.push_back(some.told);
    taken_over.push_back(some.taken_over);
  }
  const std::string n = std::to_string(stuck) + " stuck: ";
  bench::print((n + "1 000 others, p50, against none").c_str(), p50);
  bench::print((n + "1 000 others, p99, against none").c_str(), p99);
  bench::print((n + "deliver(200 ms) is told after, ms").c_str(), told);
  bench::print((n + "a close is taken over after, ms").c_str(), taken_over);
}

} // namespace

int main(int argc, char** argv)
{
  const std::string what = argc > 1 ? argv[1] : "pipes";
  if (what != "pipes" && what != "files")
  {
    std::fprintf(stderr, "usage: stuck [pipes|files [TURNS [STUCK...]]]\n");
    return 2;
  }
  const int turns = argc > 2 ? std::atoi(argv[2]) : 5;
  std::vector<std::size_t> numbers{1, 8, 15};
  if (argc > 3)
    numbers.clear();
  for (int i = 3; i < argc; ++i)
    numbers.push_back(std::strtoul(argv[i], nullptr, 10));
  for (std::size_t n : numbers)
    what == "pipes" ? compare<bench::held_pipes>(n, turns) : compare<bench::held_files>(n, turns);
}
