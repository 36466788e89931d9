// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The far ends of all connections of the objects under test, in one thread and by plain system
// calls: they send what tells the connection, read what the objects send, and check that it comes
// from the one object to which the connection belongs, each operation from its beginning. A connection
// that an object was given belongs to it from the start; one that it accepted or made belongs to it
// once a byte has come through.
//
// For TCP there is a listener to connect to, and clients for an acceptor under test. The acceptor's
// port stays reserved while the acceptor is closed, so that no other listener can take it. Far ends
// reset their connections, so that no port is kept in TIME_WAIT.

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
#include <stdexcept>
#include <unordered_map>
#include <vector>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "stress/stress_ledger.hpp"
#include "stress/stress_system_calls.hpp"
#include "stress/stress_victims.hpp"

namespace stress {

/// No object's name.
constexpr std::uint32_t no_owner = 0xffffffffu;

class connections
{
public:
  connections()
    : table_(size)
  {
  }

  std::uint32_t make(std::uint32_t owner)
  {
    const std::uint32_t name = next_++ & name_mask;
    table_[name % size] = pack(name, owner);
    return name;
  }

  /// Whether the object `by` may have received what the peer of connection `name` has sent.
  bool belongs(std::uint32_t name, std::uint32_t by)
  {
    std::uint64_t expected = pack(name, no_owner);
    std::atomic<std::uint64_t>& entry = table_[name % size];
    return entry.compare_exchange_strong(expected, pack(name, by)) || expected == pack(name, by);
  }

private:
  // Far more than are ever open at a time, so that an entry is not used again too early.
  static constexpr std::size_t size = 1 << 16;

  static std::uint64_t pack(std::uint32_t name, std::uint32_t owner) noexcept
  {
    return std::uint64_t(name) << 32 | owner;
  }

  std::atomic<std::uint32_t> next_{0};
  std::vector<std::atomic<std::uint64_t>> table_;
};

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
    if (owner_ == no_owner && r.from == origin::object)
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

/// A TCP socket of the test's own, bound to a free port of the loopback address.
class bound_port
{
public:
  bound_port()
    : fd_(really::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0))
  {
    const int on = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    ::sockaddr_in address = loopback(0);
    ::socklen_t size = sizeof(address);
    if (::bind(fd_, reinterpret_cast<::sockaddr*>(&address), size) != 0
      || ::getsockname(fd_, reinterpret_cast<::sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no port");
    port_ = ntohs(address.sin_port);
  }

  bound_port(const bound_port&) = delete;
  bound_port& operator=(const bound_port&) = delete;

  ~bound_port()
  {
    really::close(fd_);
  }

  static ::sockaddr_in loopback(std::uint16_t port) noexcept
  {
    ::sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
  }

  int fd() const noexcept
  {
    return fd_;
  }

  std::uint16_t port() const noexcept
  {
    return port_;
  }

private:
  int fd_;
  std::uint16_t port_ = 0;
};

class tcp_ends
{
public:
  explicit tcp_ends(peers& p)
    : peers_(p)
  {
    if (::listen(listener_.fd(), 64) != 0)
      throw std::runtime_error("cannot listen");
  }

  /// Where the objects under test may connect to.
  std::uint16_t listening_port() const noexcept
  {
    return listener_.port();
  }

  /// Where the acceptor under test is to listen.
  std::uint16_t acceptor_port() const noexcept
  {
    return reserved_.port();
  }

  /// On the peers' thread: accepts the connections that have come, and sends another client.
  void turn()
  {
    int fd = -1;
    while (
      (fd = really::accept4(listener_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
      add(fd);
    if (peers_.size() < most_peers)
      send_client();
  }

private:
  static constexpr std::size_t most_peers = 48;

  void send_client()
  {
    const int fd = really::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
      return;
    const ::sockaddr_in address = bound_port::loopback(acceptor_port());
    // In progress; where no socket listens the peer is found to be over in the next turn.
    if (::connect(fd, reinterpret_cast<const ::sockaddr*>(&address), sizeof(address)) == 0
      || errno == EINPROGRESS)
      add(fd);
    else
      really::close(fd);
  }

  void add(int fd)
  {
    const ::linger reset = {1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    peers_.add(fd, no_owner);
  }

  peers& peers_;
  bound_port listener_;
  bound_port reserved_;
};

} // namespace stress

#endif // INTERLOCK_TEST_STRESS_STRESS_PEERS_HPP
