// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A thread is inside a synchronous call, another one closes the object, and a victim takes the
// descriptor as soon as it is free. Then the far end does what lets the call go on.
//
// The call sleeps in poll(2); or, where it can be held, stands at the system call for which it
// holds the descriptor already. Whatever it reads must come from the far end, whatever it writes must
// go there, and once it has left the descriptor is closed.

#ifndef INTERLOCK_TEST_STRESS_STRESS_BLOCKED_HPP
#define INTERLOCK_TEST_STRESS_STRESS_BLOCKED_HPP

#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>

#include "stress/stress_family.hpp"
#include "stress/stress_gate.hpp"
#include "stress/stress_victims.hpp"
#include "support/sleeps_in_poll.hpp"

namespace stress {

enum class doing
{
  reading,
  writing
};

inline void assign(asio::posix::stream_descriptor& d, int fd)
{
  d.assign(fd);
}

inline void assign(interlock::posix::stream_descriptor& d, int fd)
{
  d.assign(fd);
}

template <class Socket>
void assign(Socket& s, int fd)
{
  s.assign(typename Socket::protocol_type(), fd);
}

template <class Family, class Object>
class blocked_call
{
public:
  static constexpr kind kind_of_fd = std::is_same<Object, typename Family::descriptor>::value
    ? kind::pipe
    : kind::socket_pair;

  blocked_call(asio::io_context& context, counts& c, doing what, std::optional<place> held)
    : book_(c),
      what_(what),
      object_(context),
      ends_(kind_of_fd),
      victim_(kind::socket_pair, 1, c)
  {
    if (held)
      gate_.emplace(*held);
    ++books::lent;
    assign(object_, ours());
    // As every object is that was used asynchronously before.
    object_.native_non_blocking(true);
    if (what_ == doing::writing)
      fill();
  }

  blocked_call(const blocked_call&) = delete;
  blocked_call& operator=(const blocked_call&) = delete;

  ~blocked_call()
  {
    really::close(theirs());
    if (taken_ >= 0)
      really::close(taken_);
  }

  /// False: the thread has not come back, or the descriptor was not closed.
  bool run()
  {
    const int fd = ours();
    std::future<void> call = std::async(std::launch::async, [this] { make_call(); });
    wait_until_inside();
    error_code ec;
    object_.close(ec);
    ++book_.closes;
    take(fd);
    let_go_on();
    if (gate_)
      gate_->open();
    if (call.wait_for(patience) != std::future_status::ready)
      hang();
    call.get();
    return over();
  }

private:
  static constexpr std::chrono::seconds patience{5};
  static constexpr std::size_t size = 4 * record_size;

  int ours() const noexcept
  {
    return what_ == doing::reading ? ends_.first : ends_.second;
  }

  int theirs() const noexcept
  {
    return what_ == doing::reading ? ends_.second : ends_.first;
  }

  // --- In the thread that is inside.

  void make_call()
  {
    if (gate_)
      gate_->arm();
    thread_ = support::this_thread_id();
    error_code ec;
    if (what_ == doing::reading)
      read(ec);
    else
      object_.write_some(asio::buffer(records({origin::object, 0, 0}, size / record_size)), ec);
    if (gate_)
      gate_->disarm();
    ++book_.calls;
  }

  void read(error_code& ec)
  {
    byte b[size];
    const std::size_t n = object_.read_some(asio::buffer(b), ec);
    scanner s(origin::peer);
    const findings found = s.feed(b, n,
      [this](const record& r)
      { book_.misdirected += r.from == origin::peer && r.name == 0 ? 0 : record_size; });
    book_.misdirected += found.alien + found.broken * record_size;
  }

  // --- In the thread that closes.

  void wait_until_inside()
  {
    if (gate_)
    {
      book_.held += gate_->wait_for_thread();
      return;
    }
    while (thread_ == 0 || !support::sleeps_in_poll(thread_))
      std::this_thread::yield();
  }

  // The descriptor itself, as one of the victim's, once it is free. It is not for as long as a
  // thread is inside, so this function cannot wait for that.
  void take(int fd)
  {
    const int from = victim_.first().fd();
    for (int attempt = 0; attempt != 100 && taken_ != fd; ++attempt)
    {
      if (taken_ >= 0)
        really::close(taken_);
      taken_ = ::fcntl(from, F_DUPFD_CLOEXEC, fd);
      std::this_thread::yield();
    }
  }

  void let_go_on()
  {
    if (what_ == doing::reading)
    {
      const bytes b = records({origin::peer, 0, 0}, size / record_size);
      // There may be no thread left to read it.
      book_.bytes += ::write(theirs(), b.data(), b.size()) > 0 ? b.size() : 0;
      return;
    }
    byte b[4096];
    ::ssize_t n = 0;
    while ((n = ::read(theirs(), b, sizeof(b))) > 0)
      book_.bytes += static_cast<std::size_t>(n);
  }

  // The call has returned: no thread is inside any more.
  bool over()
  {
    ::pollfd p = {theirs(), POLLRDHUP, 0};
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(patience);
    const bool closed = ::poll(&p, 1, static_cast<int>(limit.count())) > 0;
    book_.stuck += !closed;
    return closed;
  }

  // A thread that never comes back cannot be joined: the process ends here, and the parent that
  // watches it counts.
  [[noreturn]] void hang()
  {
    ++book_.hung;
    ::_exit(1);
  }

  void fill()
  {
    const bytes b = records({origin::object, 0, 0}, 256);
    while (::write(ours(), b.data(), b.size()) > 0 || ::write(ours(), b.data(), record_size) > 0)
      continue;
  }

  counts& book_;
  const doing what_;
  Object object_;
  const ends ends_;
  victim victim_;
  int taken_ = -1;
  std::optional<gate> gate_;
  std::atomic<::pid_t> thread_{0};
};

template <class Family, class Object>
bool close_under_calls(counts& c, std::optional<place> held)
{
  asio::io_context context;
  bool good = true;
  for (doing what : {doing::reading, doing::writing})
    good = good && blocked_call<Family, Object>(context, c, what, held).run();
  ++c.rounds;
  return good;
}

/// One close under each kind of blocked call. False: something is stuck.
template <class Family>
bool blocked_round(counts& c)
{
  const auto both = [&c](std::optional<place> held)
  {
    return close_under_calls<Family, typename Family::local::socket>(c, held)
      && close_under_calls<Family, typename Family::descriptor>(c, held);
  };
  return both(std::nullopt)
    && (!Family::can_be_held || (both(place::transfer) && both(place::wait)));
}

} // namespace stress

#endif // INTERLOCK_TEST_STRESS_STRESS_BLOCKED_HPP
