// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A thread is blocked in a synchronous read or write, another thread closes the socket, a third
// gets the number for a connection of its own. Then the peer does what makes the blocked call go
// on. Whatever that call does to the stranger is counted; all that it may do is to be aborted.

#ifndef INTERLOCK_EXAMPLE_CLOSE_RACE_BLOCKED_CALL_HPP
#define INTERLOCK_EXAMPLE_CLOSE_RACE_BLOCKED_CALL_HPP

#include "system.hpp"
#include "tally.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <unistd.h>

namespace close_race {

constexpr std::size_t transfer_size = 64;

// Longer than any round takes: what has not happened by then never will.
constexpr std::chrono::seconds patience(3);

using transfer = std::array<char, transfer_size>;

struct call_result
{
  boost::system::error_code error;
  std::size_t transferred = 0;
  transfer data{};
};

struct blocked_write
{
  // A full send queue blocks the call, the peer's reading ends that.
  static void prepare(int ours, stranger&)
  {
    fill(ours);
  }

  template <typename Socket>
  static void call(Socket& socket, call_result& result)
  {
    result.transferred = socket.write_some(boost::asio::buffer(result.data), result.error);
  }

  static void let_go_on(int theirs)
  {
    drain(theirs);
  }

  static std::size_t strayed(const call_result&, stranger& third_party)
  {
    return third_party.received();
  }
};

struct blocked_read
{
  static void prepare(int, stranger& third_party)
  {
    third_party.offer(transfer_size);
  }

  template <typename Socket>
  static void call(Socket& socket, call_result& result)
  {
    result.transferred = socket.read_some(boost::asio::buffer(result.data), result.error);
  }

  // One byte, which is not the stranger's. The socket may be closed by now, and that is fine.
  static void let_go_on(int theirs)
  {
    static_cast<void>(::send(theirs, "p", 1, MSG_DONTWAIT | MSG_NOSIGNAL));
  }

  static std::size_t strayed(const call_result& result, stranger&)
  {
    return result.data.front() == stranger::mark ? result.transferred : 0;
  }
};

// Returns once the thread sleeps in the call. Its id is 0 until it has started.
inline void wait_until_blocked(const std::atomic<pid_t>& thread)
{
  while (thread == 0 || !sleeps_in_poll(thread))
    std::this_thread::yield();
}

// A thread that never comes back cannot be joined: the child process ends here, and the parent
// starts another one.
[[noreturn]] inline void give_up_on_hung_thread(tally& counts)
{
  ++counts.hung;
  ::_exit(0);
}

template <typename Direction>
void count_result(tally& counts, const call_result& result, stranger& third_party)
{
  const std::size_t strayed = Direction::strayed(result, third_party);
  counts.stray_bytes += strayed;
  counts.misdirected += strayed != 0;
  counts.aborted += result.error == boost::asio::error::operation_aborted;
  ++counts.closes;
}

template <typename Direction, typename Socket>
void close_under_blocked_call(
  tally& counts, boost::asio::io_context& context, stranger& third_party)
{
  fd_pair pair = connected_pair();
  const int number = pair.ours.get();
  Socket socket(context, typename Socket::protocol_type(), pair.ours.release());
  // As every socket is that was used asynchronously before.
  socket.native_non_blocking(true);
  Direction::prepare(number, third_party);

  std::atomic<pid_t> thread{0};
  auto blocked = std::async(std::launch::async,
    [&]
    {
      call_result result;
      thread = this_thread_id();
      Direction::call(socket, result);
      return result;
    });
  wait_until_blocked(thread);

  auto taker = std::async(
    std::launch::async, [&] { return third_party.take_number(number, clock::now() + patience); });
  boost::system::error_code ignored;
  socket.close(ignored);

  // The number is free at once, or later, when the library sees fit: the stranger waits for it.
  const auto taken = taker.get();
  if (taken.empty() || taken.back().get() != number)
    give_up_on_hung_thread(counts);
  Direction::let_go_on(pair.theirs.get());
  if (blocked.wait_for(patience) != std::future_status::ready)
    give_up_on_hung_thread(counts);
  count_result<Direction>(counts, blocked.get(), third_party);
}

template <typename Direction, typename Protocol>
void blocked_call_rounds(tally& counts, clock::time_point until)
{
  boost::asio::io_context context;
  stranger third_party;
  while (clock::now() < until)
    close_under_blocked_call<Direction, typename Protocol::socket>(counts, context, third_party);
}

} // namespace close_race

#endif // INTERLOCK_EXAMPLE_CLOSE_RACE_BLOCKED_CALL_HPP
