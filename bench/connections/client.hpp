// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The other side of every server that is measured: a process of its own, so that its processor time is not in
// the account. Each of its connections sends messages, one at a time, each when the echo of the one before has come,
// and then waits for the end of stream. There are many connections, over epoll(7): as many at once as the load says,
// or each at its time if the load has a rate.
//
// It measures the time from the server's close to the end of stream. The message carries the number of the
// connection, and the server writes the time of the close into memory that both share: but for a server that is a
// process of its own.

#ifndef INTERLOCK_BENCH_CONNECTIONS_CLIENT_HPP
#define INTERLOCK_BENCH_CONNECTIONS_CLIENT_HPP

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.hpp"

namespace bench {

inline void require(bool holds, const char* what)
{
  if (holds)
    return;
  std::perror(what);
  std::_Exit(EXIT_FAILURE);
}

/// Times of a number of connections, in memory that a forked process shares.
class shared_times
{
public:
  explicit shared_times(std::size_t count)
    : size_(count * sizeof(std::int64_t)),
      times_(static_cast<std::int64_t*>(
        ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)))
  {
    require(times_ != MAP_FAILED, "mmap");
  }

  shared_times(const shared_times&) = delete;
  shared_times& operator=(const shared_times&) = delete;

  ~shared_times()
  {
    ::munmap(times_, size_);
  }

  std::int64_t& operator[](std::size_t i) const
  {
    return times_[i];
  }

private:
  std::size_t size_;
  std::int64_t* times_;
};

/// What each message begins with. A message is not shorter.
struct message_head
{
  std::uint32_t number; // of the connection
  std::uint32_t left;   // messages that follow; after 0 the server closes
};

inline message_head head_of(const char* message)
{
  message_head head = {};
  std::memcpy(&head, message, sizeof(head));
  return head;
}

/// What the clients do.
struct load
{
  std::size_t count = 4000;   // connections
  std::size_t at_once = 32;   // without a rate
  std::uint32_t messages = 1; // of each connection; not 0
  // Connections that start in a second; 0: each as soon as another has ended.
  std::uint32_t rate = 0;
  std::size_t size = 64; // bytes of a message
};

/// The work of the client's process. `ended` gets the time from each close, which `closed` has, to its end.
///
/// With a rate, connections start by the clock, however many others are open: a server that is slow gets no less to do.
class client
{
public:
  client(const ::sockaddr_in& server, const load& l, const shared_times& closed,
    const shared_times& ended)
    : server_(server),
      load_(l),
      closed_(closed),
      ended_(ended),
      progress_(l.count, progress{l.messages - 1, 0, 0}),
      message_(l.size),
      set_(::epoll_create1(EPOLL_CLOEXEC))
  {
    require(set_ >= 0, "epoll_create1");
  }

  void run()
  {
    if (load_.rate != 0)
      start_timer();
    else
      start(load_.at_once);
    while (finished_ < load_.count)
    {
      ::epoll_event events[64];
      const int found = ::epoll_wait(set_, events, 64, -1);
      for (int i = 0; i < found; ++i)
        if (events[i].data.u64 == timer_tag)
          start_due();
        else
          go_on(events[i].data.u64, events[i].events);
    }
  }

private:
  static constexpr std::uint64_t timer_tag = ~std::uint64_t(0);

  struct progress
  {
    std::uint32_t left;   // messages that follow this one
    std::size_t sent;     // bytes of this one
    std::size_t received; // bytes of its echo
  };

  static std::uint64_t tag(int fd, std::size_t number)
  {
    return std::uint64_t(number) << 32 | std::uint32_t(fd);
  }

  void watch(int operation, int fd, std::uint32_t events, std::uint64_t what) const
  {
    ::epoll_event e = {};
    e.events = events;
    e.data.u64 = what;
    require(::epoll_ctl(set_, operation, fd, &e) == 0, "epoll_ctl");
  }

  /// The kernel counts the expirations, so that the schedule does not drift.
  void start_timer()
  {
    timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    const long period = std::max(1L, 1000000000L / long(load_.rate));
    ::itimerspec t = {};
    t.it_interval = {period / 1000000000, period % 1000000000};
    t.it_value = t.it_interval;
    require(timer_ >= 0 && ::timerfd_settime(timer_, 0, &t, nullptr) == 0, "timerfd");
    watch(EPOLL_CTL_ADD, timer_, EPOLLIN, timer_tag);
  }

  void start_due()
  {
    std::uint64_t due = 0;
    require(::read(timer_, &due, sizeof(due)) == ssize_t(sizeof(due)), "read");
    start(due);
    if (started_ == load_.count)
      ::close(timer_);
  }

  /// So many connections, or those that are left.
  void start(std::uint64_t most)
  {
    for (; most != 0 && started_ != load_.count; --most)
      connect();
  }

  void connect()
  {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    require(fd >= 0, "socket");
    const int connected = ::connect(
      fd, reinterpret_cast<const ::sockaddr*>(&server_), sizeof(server_));
    require(connected == 0 || errno == EINPROGRESS, "connect");
    watch(EPOLL_CTL_ADD, fd, EPOLLOUT, tag(fd, started_++));
  }

  void go_on(std::uint64_t what, std::uint32_t events)
  {
    const int fd = int(what & 0xffffffff);
    const std::size_t number = what >> 32;
    if (!(events & EPOLLOUT))
      return receive(fd, number);
    if (send(fd, number))
      watch(EPOLL_CTL_MOD, fd, EPOLLIN, what);
  }

  /// False: a part is left, for which there is no room.
  bool send(int fd, std::size_t number)
  {
    progress& p = progress_[number];
    const message_head head = {std::uint32_t(number), p.left};
    std::memcpy(message_.data(), &head, sizeof(head));
    const ::ssize_t put = ::send(fd, &message_[p.sent], load_.size - p.sent, MSG_NOSIGNAL);
    require(put >= 0 || errno == EAGAIN, "send");
    p.sent += put > 0 ? std::size_t(put) : 0;
    return p.sent == load_.size;
  }

  void receive(int fd, std::size_t number)
  {
    progress& p = progress_[number];
    // More than a message: one that fills the buffer is no reason to read again.
    const ::ssize_t got = ::recv(fd, input_, sizeof(input_), 0);
    require(got >= 0, "recv");
    if (got == 0)
      return finish(fd, number);
    p.received += std::size_t(got);
    require(p.received <= load_.size, "an echo that is too long");
    if (p.received != load_.size || p.left == 0)
      return;
    p = {p.left - 1, 0, 0};
    if (!send(fd, number))
      watch(EPOLL_CTL_MOD, fd, EPOLLOUT, tag(fd, number));
  }

  void finish(int fd, std::size_t number)
  {
    ended_[number] = nanoseconds() - closed_[number];
    require(
      progress_[number].left == 0 && progress_[number].received == load_.size, "an early end");
    ::close(fd);
    ++finished_;
    if (load_.rate == 0)
      start(1);
  }

  const ::sockaddr_in server_;
  const load load_;
  const shared_times& closed_;
  const shared_times& ended_;
  std::vector<progress> progress_; // of each connection
  std::vector<char> message_;      // that is sent
  char input_[1 << 15];
  const int set_;
  int timer_ = -1;
  std::size_t started_ = 0;
  std::size_t finished_ = 0;
};

/// A process that runs a client. The server listens by then.
class client_process
{
public:
  template <class Run>
  explicit client_process(Run run)
    : process_(::fork())
  {
    require(process_ >= 0, "fork");
    if (process_ != 0)
      return;
    run();
    std::_Exit(EXIT_SUCCESS);
  }

  client_process(const client_process&) = delete;
  client_process& operator=(const client_process&) = delete;

  void join()
  {
    int status = 0;
    require(::waitpid(process_, &status, 0) == process_ && status == 0, "the client has failed");
  }

private:
  const ::pid_t process_;
};

} // namespace bench

#endif // INTERLOCK_BENCH_CONNECTIONS_CLIENT_HPP
