// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a close costs the event loop that it is called on: the worst case, a lingering socket whose
// peer does not read, and the everyday case, the close of a healthy connection.

#ifndef INTERLOCK_EXAMPLE_CLOSE_RACE_LOOP_TIME_HPP
#define INTERLOCK_EXAMPLE_CLOSE_RACE_LOOP_TIME_HPP

#include "lifetime.hpp"
#include "tally.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/socket_base.hpp>

#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace close_race {

constexpr std::chrono::seconds linger_time(3);

// Both ends of a connection over the loopback interface.
template <typename Tcp>
struct tcp_connection
{
  tcp_connection(boost::asio::io_context& context, typename Tcp::acceptor& acceptor)
    : near_end(context),
      far_end(context)
  {
    near_end.connect(acceptor.local_endpoint());
    acceptor.accept(far_end);
  }

  typename Tcp::socket near_end;
  typename Tcp::socket far_end;
};

// Writes until both queues of the connection are full.
template <typename Socket>
void fill_connection(Socket& socket)
{
  static const std::array<char, 65536> data{};
  boost::system::error_code error;
  socket.non_blocking(true);
  while (!error)
    socket.write_some(boost::asio::buffer(data), error);
  if (error != boost::asio::error::would_block)
    throw boost::system::system_error(error, "write_some");
  socket.non_blocking(false);
}

// How long a request that is posted now waits for the loop.
inline std::chrono::microseconds posted_wait(boost::asio::io_context& context)
{
  std::promise<void> promise;
  const auto served = promise.get_future();
  const auto posted = clock::now();
  boost::asio::post(context, [promise = std::move(promise)]() mutable { promise.set_value(); });
  served.wait();
  return std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - posted);
}

// The loop's thread closes a lingering socket, and another thread asks the loop something every
// millisecond, for longer than the socket lingers.
template <typename Tcp>
void lingering_close(tally& counts, clock::time_point)
{
  running_loop loop(1);
  typename Tcp::acceptor acceptor(loop.context(), {boost::asio::ip::address_v4::loopback(), 0});
  tcp_connection<Tcp> connection(loop.context(), acceptor);
  connection.near_end.set_option(boost::asio::socket_base::linger(true, int(linger_time.count())));
  fill_connection(connection.near_end);

  ++counts.started;
  boost::asio::post(loop.context(),
    [&]
    {
      boost::system::error_code ignored;
      connection.near_end.close(ignored);
      ++counts.closes;
      ++counts.completed;
    });
  std::chrono::microseconds longest(0);
  const auto end = clock::now() + linger_time + std::chrono::milliseconds(500);
  while (clock::now() < end)
  {
    longest = std::max(longest, posted_wait(loop.context()));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  counts.longest_wait_us = static_cast<std::uint64_t>(longest.count());
}

// Samples of one clock, taken as differences.
class stopwatch
{
public:
  explicit stopwatch(clockid_t id)
    : id_(id)
  {
  }

  void start()
  {
    started_ = now();
  }

  void stop()
  {
    samples_.push_back(now() - started_);
  }

  std::uint64_t median()
  {
    if (samples_.empty())
      throw std::logic_error("no close was measured");
    const auto middle = samples_.begin() + samples_.size() / 2;
    std::nth_element(samples_.begin(), middle, samples_.end());
    return *middle;
  }

private:
  std::uint64_t now() const
  {
    timespec t{};
    if (::clock_gettime(id_, &t) != 0)
      throw std::runtime_error("clock_gettime");
    return std::uint64_t(t.tv_sec) * 1000000000U + std::uint64_t(t.tv_nsec);
  }

  clockid_t id_;
  std::uint64_t started_ = 0;
  std::vector<std::uint64_t> samples_;
};

// A second thread in the process, idle: system calls cost more from the first one on, and a program
// without threads has no race to fear.
class bystander
{
public:
  ~bystander()
  {
    leave_.set_value();
    thread_.join();
  }

private:
  std::promise<void> leave_;
  std::thread thread_{[this] { leave_.get_future().wait(); }};
};

template <typename Tcp>
void close_measured(
  tally& counts, std::vector<tcp_connection<Tcp>>& connections, stopwatch& cpu, stopwatch& wall)
{
  for (tcp_connection<Tcp>& connection : connections)
  {
    boost::system::error_code ignored;
    wall.start();
    cpu.start();
    connection.near_end.close(ignored);
    cpu.stop();
    wall.stop();
    ++counts.closes;
  }
}

template <typename Tcp>
void close_cost(tally& counts, clock::time_point)
{
  constexpr int batches = 20;
  constexpr int batch_size = 100;
  bystander idle;
  boost::asio::io_context context;
  typename Tcp::acceptor acceptor(context, {boost::asio::ip::address_v4::loopback(), 0});
  stopwatch cpu(CLOCK_THREAD_CPUTIME_ID);
  stopwatch wall(CLOCK_MONOTONIC);

  for (int batch = 0; batch != batches; ++batch)
  {
    std::vector<tcp_connection<Tcp>> connections;
    connections.reserve(batch_size);
    while (connections.size() != batch_size)
      connections.emplace_back(context, acceptor);
    boost::asio::post(context, [&] { close_measured(counts, connections, cpu, wall); });
    context.run();
    context.restart();
  }
  counts.close_cpu_ns = cpu.median();
  counts.close_wall_ns = wall.median();
}

} // namespace close_race

#endif // INTERLOCK_EXAMPLE_CLOSE_RACE_LOOP_TIME_HPP
