// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The far ends of all connections of the objects under test, in one thread and by plain system
// calls: they send what tells the connection, read what the objects send, and check that it comes
// from the one object to which the connection belongs, each operation from its beginning.

#ifndef INTERLOCK_TEST_STRESS_STRESS_PEERS_HPP
#define INTERLOCK_TEST_STRESS_STRESS_PEERS_HPP

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <unordered_map>
#include <vector>

#include <poll.h>

#include "stress/stress_connections.hpp"
#include "stress/stress_counts.hpp"
#include "stress/stress_pattern.hpp"
#include "stress/stress_system_calls.hpp"

namespace stress {

// An object's records carry the operation, and the place in it, in the index.
constexpr unsigned place_bits = 20;
constexpr std::uint64_t operation_mask = (std::uint64_t(1) << (48 - place_bits)) - 1;

struct direction
{
  bool in = true;
  bool out = true;
};

class peer
{
public:
  peer(int fd, std::uint32_t connection, std::uint32_t owner, direction d, counts& c)
    : fd_(fd),
      connection_(connection),
      owner_(owner),
      direction_(d),
      counts_(c)
  {
  }

  peer(const peer&) = delete;
  peer& operator=(const peer&) = delete;

  ~peer()
  {
    really::close(fd_);
  }

  ::pollfd events() const noexcept
  {
    return {fd_, static_cast<short>(direction_.in ? POLLIN : 0), 0};
  }

  /// Reads what is there. False: the connection is over.
  bool read()
  {
    byte buffer[16384];
    ::ssize_t size = 0;
    while ((size = ::read(fd_, buffer, sizeof(buffer))) > 0)
    {
      const auto count = static_cast<std::size_t>(size);
      const findings found = scanner_.feed(buffer, count, [this](const record& r) { check(r); });
      counts_.misdirected += found.alien + found.broken * record_size;
      counts_.bytes += count;
    }
    return size < 0 && errno == EAGAIN;
  }

  /// Sends a little more, if there is room.
  void write()
  {
    if (!direction_.out)
      return;
    const std::size_t done = sent_ % record_size;
    const bytes more = records({origin::peer, connection_, sent_ / record_size}, 16);
    const ::ssize_t size = ::write(fd_, more.data() + done, more.size() - done);
    if (size > 0)
      sent_ += static_cast<std::uint64_t>(size);
  }

  bool reads() const noexcept
  {
    return direction_.in;
  }

private:
  void check(const record& r)
  {
    if (owner_ == nobody && r.from == origin::object)
      owner_ = r.name;
    if (r.from != origin::object || r.name != owner_)
      counts_.misdirected += record_size;
    else
      check_order(r.index >> place_bits, r.index & ((std::uint64_t(1) << place_bits) - 1));
  }

  // On one connection an operation begins with its first record.
  void check_order(std::uint64_t operation, std::uint64_t place)
  {
    std::uint64_t& next = operations_[operation];
    counts_.crossed += place != next;
    next = place + 1;
  }

  const int fd_;
  const std::uint32_t connection_;
  std::uint32_t owner_;
  const direction direction_;
  counts& counts_;
  scanner scanner_{origin::object};
  std::uint64_t sent_ = 0; // bytes
  std::unordered_map<std::uint64_t, std::uint64_t> operations_;
};

class peers
{
public:
  peers(connections& known, counts& c)
    : connections_(known),
      counts_(c)
  {
  }

  peers(const peers&) = delete;
  peers& operator=(const peers&) = delete;

  /// A new far end, of a connection that belongs to `owner`. Any thread.
  void add(int fd, std::uint32_t owner, direction d = direction())
  {
    auto p = std::make_unique<peer>(fd, connections_.make(owner), owner, d, counts_);
    const std::lock_guard<std::mutex> lock(mutex_);
    added_.push_back(std::move(p));
  }

  std::size_t size() const noexcept
  {
    return size_;
  }

  /// Serves them; calls `between` in every turn.
  template <class Between>
  void run(const std::atomic<bool>& stop, Between between)
  {
    while (!stop)
    {
      between();
      take_added();
      serve();
    }
  }

  /// Every object is closed: reads what is left.
  void finish()
  {
    take_added();
    for (auto& p : peers_)
      if (p->reads())
        p->read();
    peers_.clear();
  }

private:
  void take_added()
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::move(added_.begin(), added_.end(), std::back_inserter(peers_));
    added_.clear();
    size_ = peers_.size();
  }

  void serve()
  {
    std::vector<::pollfd> events(peers_.size());
    std::transform(
      peers_.begin(), peers_.end(), events.begin(), [](const auto& p) { return p->events(); });
    ::poll(events.data(), events.size(), 1);
    for (std::size_t i = 0; i != events.size(); ++i)
      if (!serve(*peers_[i], events[i].revents))
        peers_[i].reset();
    peers_.erase(std::remove(peers_.begin(), peers_.end(), nullptr), peers_.end());
  }

  bool serve(peer& p, short happened)
  {
    if ((happened & POLLIN) != 0 && !p.read())
      return false;
    if ((happened & (POLLERR | POLLHUP | POLLNVAL)) != 0)
      return false;
    p.write();
    // Now and then it is the peer that ends the connection.
    return random_() % 512 != 0;
  }

  connections& connections_;
  counts& counts_;
  std::minstd_rand random_{std::random_device{}()};
  std::vector<std::unique_ptr<peer>> peers_;
  std::atomic<std::size_t> size_{0};
  std::mutex mutex_;
  std::vector<std::unique_ptr<peer>> added_; // guarded by mutex_
};

} // namespace stress

#endif // INTERLOCK_TEST_STRESS_STRESS_PEERS_HPP
