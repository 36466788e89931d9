// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Victims: pairs of descriptors that have nothing to do with the objects under test, opened and
// closed all the time, so that a descriptor that is set free is taken at once.
//
// Each end holds bytes that the other end has sent and no thread has read yet. When the victim goes it
// looks whether they are all there, and nothing else: so a byte that other code took is missed, and
// one that other code left is found.

#ifndef INTERLOCK_TEST_STRESS_STRESS_VICTIMS_HPP
#define INTERLOCK_TEST_STRESS_STRESS_VICTIMS_HPP

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stress/stress_counts.hpp"
#include "stress/stress_pattern.hpp"
#include "stress/stress_system_calls.hpp"

namespace stress {

enum class kind
{
  socket_pair,
  pipe ///< The first end reads, the second one writes.
};

/// Two connected descriptors, non-blocking, with send buffers of that size.
struct ends
{
  int first = -1;
  int second = -1;

  explicit ends(kind k, int buffer = 4096)
  {
    int fds[2];
    const int result = k == kind::pipe
      ? ::pipe2(fds, O_NONBLOCK | O_CLOEXEC)
      : ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
    if (result != 0)
      throw std::runtime_error("no descriptors");
    first = fds[0];
    second = fds[1];
    for (int n : fds)
      if (k == kind::socket_pair)
        ::setsockopt(n, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
  }
};

/// One descriptor of a victim, which knows it by its identity.
class victim_end
{
public:
  victim_end(int fd, counts& c) noexcept
    : fd_(fd),
      counts_(c)
  {
    ::fstat(fd_, &identity_);
  }

  victim_end(const victim_end&) = delete;
  victim_end& operator=(const victim_end&) = delete;

  ~victim_end()
  {
    // Closed by other code, it may be another owner's now.
    if (!is_mine() || really::close(fd_) != 0)
      ++counts_.stolen;
  }

  int fd() const noexcept
  {
    return fd_;
  }

  bool is_mine() const noexcept
  {
    struct ::stat now;
    return ::fstat(fd_, &now) == 0 && now.st_dev == identity_.st_dev
      && now.st_ino == identity_.st_ino;
  }

  void offer(const bytes& b) const noexcept
  {
    if (::write(fd_, b.data(), b.size()) != static_cast<::ssize_t>(b.size()))
      ++counts_.unequal;
  }

  /// Expects what the other end has offered.
  void check(record first, std::size_t count) const
  {
    scanner s(origin::victim);
    std::uint64_t good = 0;
    byte buffer[4096];
    ::ssize_t size = 0;
    while ((size = ::read(fd_, buffer, sizeof(buffer))) > 0)
    {
      const findings found = s.feed(buffer, static_cast<std::size_t>(size),
        [&](const record& r)
        {
          good += r == first;
          ++first.index;
        });
      counts_.misdirected += found.alien;
      counts_.bytes += static_cast<std::size_t>(size);
    }
    counts_.misdirected += (count - std::min<std::uint64_t>(good, count)) * record_size;
  }

private:
  const int fd_;
  counts& counts_;
  struct ::stat identity_ = {};
};

class victim
{
public:
  victim(kind k, std::uint32_t name, counts& c)
    : victim(ends(k), k, name, c)
  {
  }

  victim(const victim&) = delete;
  victim& operator=(const victim&) = delete;

  ~victim()
  {
    first_.check(pattern(), count);
    if (kind_ == kind::socket_pair)
      second_.check(pattern(), count);
    ++counts_.victims;
  }

  const victim_end& first() const noexcept
  {
    return first_;
  }

  const victim_end& second() const noexcept
  {
    return second_;
  }

private:
  static constexpr std::size_t count = 8;

  victim(ends e, kind k, std::uint32_t name, counts& c)
    : kind_(k),
      name_(name & name_mask),
      counts_(c),
      first_(e.first, c),
      second_(e.second, c)
  {
    const bytes b = records(pattern(), count);
    second_.offer(b);
    if (kind_ == kind::socket_pair)
      first_.offer(b);
  }

  record pattern() const noexcept
  {
    return {origin::victim, name_, 0};
  }

  const kind kind_;
  const std::uint32_t name_;
  counts& counts_;
  victim_end first_;
  victim_end second_;
};

/// Opens victims, each in the place of the oldest, until told to stop.
inline void churn(const std::atomic<bool>& stop, counts& c)
{
  constexpr std::size_t alive = 48;
  std::vector<std::unique_ptr<victim>> ring(alive);
  for (std::uint32_t i = 0; !stop; ++i)
  {
    auto& place = ring[i % alive];
    // The new one first: descriptors that have just been set free are for it.
    place = std::make_unique<victim>(i % 2 == 0 ? kind::socket_pair : kind::pipe, i, c);
    if (i % 16 == 0)
      std::this_thread::yield();
  }
}

} // namespace stress

#endif // INTERLOCK_TEST_STRESS_STRESS_VICTIMS_HPP
