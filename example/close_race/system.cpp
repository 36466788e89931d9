// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Plain system calls behind system.hpp. Every failure that a scenario cannot explain is thrown: it
// ends the child process, and the row is reported as broken instead of clean.

#include "system.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>
#include <thread>

namespace close_race {

namespace {

[[noreturn]] void fail(const char* what)
{
  throw std::system_error(errno, std::generic_category(), what);
}

void set_non_blocking(int fd)
{
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags == -1 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
    fail("fcntl");
}

bool would_block()
{
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

} // namespace

unique_fd::~unique_fd()
{
  if (fd_ != -1)
    ::close(fd_);
}

fd_pair connected_pair()
{
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1)
    fail("socketpair");
  fd_pair result{unique_fd(fds[0]), unique_fd(fds[1])};
  set_non_blocking(result.theirs.get());
  return result;
}

std::size_t drain(int fd)
{
  std::array<char, 65536> buffer;
  std::size_t total = 0;
  for (;;)
  {
    const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n > 0)
      total += static_cast<std::size_t>(n);
    else if (n == 0 || would_block() || errno == ECONNRESET)
      return total;
    else if (errno != EINTR)
      fail("recv");
  }
}

void fill(int fd)
{
  const std::array<char, 65536> buffer{};
  while (::send(fd, buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
  {
  }
  if (!would_block())
    fail("send");
}

pid_t this_thread_id()
{
  return static_cast<pid_t>(::syscall(SYS_gettid));
}

bool sleeps_in_poll(pid_t thread)
{
  const std::string path = "/proc/self/task/" + std::to_string(thread) + "/syscall";
  const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() == -1)
    fail(path.c_str());

  // The number of the call and its arguments, or "running".
  std::array<char, 256> text{};
  if (::read(file.get(), text.data(), text.size() - 1) == -1)
    fail(path.c_str());
  char* end = nullptr;
  const long call = std::strtol(text.data(), &end, 10);
  if (end == text.data())
    return false;
#if defined(SYS_poll)
  if (call == SYS_poll)
    return true;
#endif
  return call == SYS_ppoll;
}

stranger::stranger()
  : pair_(connected_pair())
{
  // A call that strays here is to go through, not to get stuck.
  set_non_blocking(pair_.ours.get());
}

std::vector<unique_fd> stranger::take_number(int number, clock::time_point give_up) const
{
  // Descriptors below the number are kept: then it is the lowest one as soon as it is free, and the
  // kernel gives it to the next caller.
  std::vector<unique_fd> opened;
  while (clock::now() < give_up)
  {
    unique_fd fd(::dup(pair_.ours.get()));
    if (fd.get() == -1)
      fail("dup");
    if (fd.get() > number)
    {
      std::this_thread::yield();
      continue;
    }
    const bool taken = fd.get() == number;
    opened.push_back(std::move(fd));
    if (taken)
      break;
  }
  return opened;
}

void stranger::offer(std::size_t bytes)
{
  drain(pair_.ours.get());
  const std::string data(bytes, mark);
  if (::send(pair_.theirs.get(), data.data(), data.size(), MSG_NOSIGNAL) != ssize_t(data.size()))
    fail("send");
}

std::size_t stranger::received()
{
  return drain(pair_.theirs.get());
}

} // namespace close_race
