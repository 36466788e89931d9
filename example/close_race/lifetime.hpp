// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Asynchronous operations on a socket that is closed from outside the event loop. Each round starts
// one operation and ends when its handler has run. The child process may crash on the way: that is
// what the parent counts.

#ifndef INTERLOCK_EXAMPLE_CLOSE_RACE_LIFETIME_HPP
#define INTERLOCK_EXAMPLE_CLOSE_RACE_LIFETIME_HPP

#include "system.hpp"
#include "tally.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace close_race {

// An event loop with threads of its own, ended and joined by the destructor.
class running_loop
{
public:
  explicit running_loop(unsigned threads)
    : work_(context_.get_executor())
  {
    while (threads-- != 0)
      threads_.emplace_back([this] { context_.run(); });
  }

  ~running_loop()
  {
    work_.reset();
    for (std::thread& thread : threads_)
      thread.join();
  }

  boost::asio::io_context& context()
  {
    return context_;
  }

private:
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::vector<std::thread> threads_;
};

// Lets the processor time pass in which the close is to meet the operation.
class random_delay
{
public:
  explicit random_delay(std::chrono::nanoseconds most)
    : distribution_(0, most.count())
  {
  }

  template <typename Meanwhile>
  void spend(Meanwhile meanwhile)
  {
    const auto end = clock::now() + std::chrono::nanoseconds(distribution_(engine_));
    while (clock::now() < end)
      meanwhile();
  }

private:
  std::minstd_rand engine_{std::random_device{}()};
  std::uniform_int_distribution<std::chrono::nanoseconds::rep> distribution_;
};

// Waits for the handler of the latest operation. One that is lost would be waited for in vain, and
// its socket cannot be destroyed: the child process ends.
template <typename Meanwhile>
void await_completion(tally& counts, std::uint64_t completed, Meanwhile meanwhile)
{
  const auto give_up = clock::now() + std::chrono::seconds(1);
  while (counts.completed < completed)
  {
    if (clock::now() > give_up)
    {
      ++counts.hung;
      ::_exit(0);
    }
    meanwhile();
  }
}

// A composed operation, whose next step may start in one thread while another thread closes.
template <typename Protocol>
void async_write_rounds(tally& counts, clock::time_point until)
{
  const std::string message(1 << 20, 'm');
  random_delay delay(std::chrono::microseconds(300));
  running_loop loop(2);
  while (clock::now() < until)
  {
    fd_pair pair = connected_pair();
    const auto read_at_peer = [&] { drain(pair.theirs.get()); };
    typename Protocol::socket socket(loop.context(), Protocol(), pair.ours.release());
    const std::uint64_t completed = counts.completed + 1;
    ++counts.started;
    boost::asio::async_write(socket, boost::asio::buffer(message), count_completion{counts});
    delay.spend(read_at_peer);

    boost::system::error_code ignored;
    socket.close(ignored);
    ++counts.closes;
    await_completion(counts, completed, read_at_peer);
  }
}

// A second thread that closes what it is given, at once.
template <typename Socket>
class second_closer
{
public:
  second_closer()
    : thread_([this] { run(); })
  {
  }

  ~second_closer()
  {
    stop_ = true;
    thread_.join();
  }

  void begin(Socket& socket)
  {
    socket_ = &socket;
  }

  void finish() const
  {
    while (socket_ != nullptr)
      std::this_thread::yield();
  }

private:
  void run()
  {
    while (!stop_)
    {
      Socket* const socket = socket_;
      if (socket == nullptr)
      {
        std::this_thread::yield();
        continue;
      }
      boost::system::error_code ignored;
      socket->close(ignored);
      socket_ = nullptr;
    }
  }

  std::atomic<Socket*> socket_{nullptr};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// Two threads close the same socket, on which a read is outstanding.
template <typename Protocol>
void double_close_rounds(tally& counts, clock::time_point until)
{
  using socket_type = typename Protocol::socket;
  random_delay delay(std::chrono::nanoseconds(600));
  std::array<char, 64> buffer;
  running_loop loop(1);
  second_closer<socket_type> closer;
  while (clock::now() < until)
  {
    fd_pair pair = connected_pair();
    socket_type socket(loop.context(), Protocol(), pair.ours.release());
    const std::uint64_t completed = counts.completed + 1;
    ++counts.started;
    socket.async_read_some(boost::asio::buffer(buffer), count_completion{counts});

    closer.begin(socket);
    delay.spend([] {});
    boost::system::error_code ignored;
    socket.close(ignored);
    closer.finish();
    ++counts.closes;
    await_completion(counts, completed, [] { std::this_thread::yield(); });
  }
}

} // namespace close_race

#endif // INTERLOCK_EXAMPLE_CLOSE_RACE_LIFETIME_HPP
