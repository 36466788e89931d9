// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The other side of every server that is measured: a process of its own, so that its processor time is not in
// the account. It connects, sends one message, reads the echo and waits for the end of stream, many
// connections at once, over epoll(7).
//
// It measures the time from the server's close to the end of stream. The message carries the number of the
// connection, and the server writes the time of the close into memory that both share.

#ifndef INTERLOCK_BENCH_CONNECTIONS_CLIENT_HPP
#define INTERLOCK_BENCH_CONNECTIONS_CLIENT_HPP

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
#include <sys/wait.h>
#include <unistd.h>

#include "measure.hpp"

namespace bench {

constexpr std::size_t message_size = 64;

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

/// The number of the connection that a message comes from.
inline std::uint32_t number_in(const char* message)
{
  std::uint32_t number = 0;
  std::memcpy(&number, message, sizeof(number));
  return number;
}

/// The work of the client's process. `ended` gets the time from each close, which `closed` has, to its end.
class client
{
public:
  client(const ::sockaddr_in& server, std::size_t count, const shared_times& closed,
    const shared_times& ended)
    : server_(server),
      count_(count),
      closed_(closed),
      ended_(ended),
      set_(::epoll_create1(EPOLL_CLOEXEC))
  {
    require(set_ >= 0, "epoll_create1");
  }

  void run(std::size_t at_once)
  {
    while (started_ < count_ && started_ < at_once)
      start();
    while (finished_ < count_)
    {
      ::epoll_event events[64];
      const int found = ::epoll_wait(set_, events, 64, -1);
      for (int i = 0; i < found; ++i)
        go_on(events[i].data.u64, events[i].events);
    }
  }

private:
  static std::uint64_t tag(int fd, std::size_t number)
  {
    return std::uint64_t(number) << 32 | std::uint32_t(fd);
  }

  void start()
  {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    require(fd >= 0, "socket");
    const int connected = ::connect(
      fd, reinterpret_cast<const ::sockaddr*>(&server_), sizeof(server_));
    require(connected == 0 || errno == EINPROGRESS, "connect");
    ::epoll_event e = {};
    e.events = EPOLLOUT;
    e.data.u64 = tag(fd, started_++);
    require(::epoll_ctl(set_, EPOLL_CTL_ADD, fd, &e) == 0, "epoll_ctl");
  }

  void go_on(std::uint64_t what, std::uint32_t events)
  {
    const int fd = int(what & 0xffffffff);
    const std::size_t number = what >> 32;
    if (events & EPOLLOUT)
      send(fd, number, what);
    else
      receive(fd, number);
  }

  void send(int fd, std::size_t number, std::uint64_t what)
  {
    char message[message_size] = {};
    const auto n = std::uint32_t(number);
    std::memcpy(message, &n, sizeof(n));
    require(::send(fd, message, sizeof(message), MSG_NOSIGNAL) == ssize_t(sizeof(message)), "send");
    ::epoll_event e = {};
    e.events = EPOLLIN;
    e.data.u64 = what;
    require(::epoll_ctl(set_, EPOLL_CTL_MOD, fd, &e) == 0, "epoll_ctl");
  }

  void receive(int fd, std::size_t number)
  {
    char buffer[2 * message_size];
    const ::ssize_t got = ::recv(fd, buffer, sizeof(buffer), 0);
    require(got >= 0, "recv");
    if (got != 0)
      return;
    ended_[number] = nanoseconds() - closed_[number];
    ::close(fd);
    ++finished_;
    if (started_ < count_)
      start();
  }

  const ::sockaddr_in server_;
  const std::size_t count_;
  const shared_times& closed_;
  const shared_times& ended_;
  const int set_;
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
