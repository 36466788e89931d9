// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the scenarios need from the operating system besides Asio: connected pairs of descriptors,
// a look at what another thread of this process is blocked in, and the stranger, a third party
// whose descriptor takes the number that a close sets free.

#ifndef INTERLOCK_EXAMPLE_CLOSE_RACE_SYSTEM_HPP
#define INTERLOCK_EXAMPLE_CLOSE_RACE_SYSTEM_HPP

#include "tally.hpp"

#include <sys/types.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace close_race {

// Sole owner of one descriptor.
class unique_fd
{
public:
  explicit unique_fd(int fd = -1) noexcept
    : fd_(fd)
  {
  }

  unique_fd(unique_fd&& other) noexcept
    : fd_(other.release())
  {
  }

  unique_fd& operator=(unique_fd&& other) noexcept
  {
    std::swap(fd_, other.fd_);
    return *this;
  }

  ~unique_fd();

  int get() const noexcept
  {
    return fd_;
  }

  int release() noexcept
  {
    return std::exchange(fd_, -1);
  }

private:
  int fd_;
};

struct fd_pair
{
  unique_fd ours;
  unique_fd theirs;
};

// A connected pair of local stream sockets. Reads and writes on "theirs" never wait.
fd_pair connected_pair();

// Reads what is there, without waiting, and returns how many bytes that were.
std::size_t drain(int fd);

// Writes until the descriptor takes no more; it must not be a blocking one.
void fill(int fd);

// Kernel's id of the calling thread.
pid_t this_thread_id();

// Whether that thread of this process sleeps in poll() or ppoll(). Throws where the kernel does not
// tell.
bool sleeps_in_poll(pid_t thread);

// The stranger: a socket pair that has nothing to do with the socket being closed.
class stranger
{
public:
  static constexpr char mark = 'S';

  stranger();

  // Opens descriptors of the stranger, as any thread of a busy program would, until one of them has
  // got the given number. Gives up at the given time. What was opened is returned.
  std::vector<unique_fd> take_number(int number, clock::time_point give_up) const;

  // Leaves exactly so many marked bytes to be read from the stranger's descriptors.
  void offer(std::size_t bytes);

  // Bytes that were written to the stranger's descriptors. No code does that on purpose.
  std::size_t received();

private:
  fd_pair pair_;
};

} // namespace close_race

#endif // INTERLOCK_EXAMPLE_CLOSE_RACE_SYSTEM_HPP
