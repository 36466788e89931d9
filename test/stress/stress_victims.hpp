// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Bytes that name their writer, and victims: pairs of descriptors that have nothing to do with the
// objects under test, opened and closed all the time, so that a descriptor that is set free is taken
// at once.
//
// A stream carries records of sixteen bytes: what wrote it, under which name, and the how-manieth it
// is. The first byte of a record has its highest bit set, so that records are found again behind a
// fragment; the second highest bit of every byte tells a victim's bytes from traffic, so that not
// even a fragment of a victim passes unnoticed.
//
// Each end of a victim holds bytes that the other end has sent and no thread has read yet. When the
// victim goes it looks whether they are all there, and nothing else: so a byte that other code took is
// missed, and one that other code left is found.

#ifndef INTERLOCK_TEST_STRESS_STRESS_VICTIMS_HPP
#define INTERLOCK_TEST_STRESS_STRESS_VICTIMS_HPP

#include <algorithm>
#include <array>
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

#include "stress/stress_ledger.hpp"
#include "stress/stress_system_calls.hpp"

namespace stress {

using byte = unsigned char;
using bytes = std::vector<byte>;

constexpr std::size_t record_size = 16;

/// What writes a record.
enum class origin : std::uint32_t
{
  peer,   ///< The far end of a connection; its name is the connection's.
  object, ///< An operation on a shared object; its name is the object's.
  victim  ///< A victim's end; it has nothing to do with the objects.
};

struct record
{
  origin from;
  std::uint32_t name;  ///< 28 bits
  std::uint64_t index; ///< 48 bits

  friend bool operator==(const record& a, const record& b) noexcept
  {
    return a.from == b.from && a.name == b.name && a.index == b.index;
  }
};

// Six bits in each byte: 2 for the origin, 28 for the name, 48 for the index, 18 to check them.
constexpr byte first_bit = 0x80;
constexpr byte victim_bit = 0x40;
constexpr std::uint32_t name_mask = (1u << 28) - 1;

inline std::uint64_t check_of(const record& r) noexcept
{
  std::uint64_t h = (std::uint64_t(r.from) << 48 | r.index) * 0x9e3779b97f4a7c15u;
  h = (h ^ (h >> 29) ^ r.name) * 0xbf58476d1ce4e5b9u;
  return h >> 46;
}

inline void encode(const record& r, byte* out) noexcept
{
  const std::uint64_t parts[3] = {std::uint64_t(r.from) << 28 | r.name, r.index, check_of(r)};
  const int sextets[3] = {5, 8, 3};
  const byte origin_bit = r.from == origin::victim ? victim_bit : 0;
  byte* to = out;
  for (int p = 0; p != 3; ++p)
    for (int s = sextets[p]; s-- != 0;)
      *to++ = static_cast<byte>((parts[p] >> (6 * s) & 0x3f) | origin_bit);
  out[0] |= first_bit;
}

/// False: these are not sixteen bytes that were written as one record.
inline bool decode(const byte* in, record& r) noexcept
{
  const auto part = [&in](int sextets)
  {
    std::uint64_t value = 0;
    for (; sextets != 0; --sextets)
      value = value << 6 | (*in++ & 0x3f);
    return value;
  };
  const std::uint64_t head = part(5);
  r.from = static_cast<origin>(head >> 28);
  r.name = static_cast<std::uint32_t>(head) & name_mask;
  r.index = part(8);
  return part(3) == check_of(r);
}

/// `count` records that follow each other, the first of them `first`.
inline bytes records(record first, std::size_t count)
{
  bytes result(count * record_size);
  for (std::size_t i = 0; i != count; ++i, ++first.index)
    encode(first, result.data() + i * record_size);
  return result;
}

/// What is wrong with the bytes that a scanner was fed.
struct findings
{
  std::size_t alien = 0;  ///< bytes of the other kind: victim's instead of traffic, or the reverse
  std::size_t broken = 0; ///< records whose check does not hold
  std::size_t torn = 0;   ///< records that another one cut off: legal where several write
};

/// Finds the records in a stream, or in a piece of one.
class scanner
{
public:
  explicit scanner(origin expected) noexcept
    : kind_(expected == origin::victim ? victim_bit : 0)
  {
  }

  template <class OnRecord>
  findings feed(const byte* data, std::size_t size, OnRecord on_record)
  {
    findings found;
    std::for_each(data, data + size, [&](byte b) { take(b, found, on_record); });
    return found;
  }

private:
  template <class OnRecord>
  void take(byte b, findings& found, OnRecord& on_record)
  {
    if ((b & victim_bit) != kind_)
    {
      ++found.alien;
      have_ = 0;
      return;
    }
    if ((b & first_bit) != 0)
    {
      found.torn += have_ != 0;
      have_ = 0;
    }
    else if (have_ == 0)
    {
      return; // the rest of a record that began before the piece
    }
    partial_[have_++] = b;
    if (have_ == record_size)
      complete(found, on_record);
  }

  template <class OnRecord>
  void complete(findings& found, OnRecord& on_record)
  {
    have_ = 0;
    record r;
    if (decode(partial_.data(), r))
      on_record(r);
    else
      ++found.broken;
  }

  byte kind_;
  std::array<byte, record_size> partial_{};
  std::size_t have_ = 0;
};

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
