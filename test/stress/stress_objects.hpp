// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The set of shared objects, and what a thread does next to one of them as chance has it, at any time:
// each operation's result is looked at and counted, and none of them synchronises with another. The
// objects themselves go before the world does, what is counted for them stays.

#ifndef INTERLOCK_TEST_STRESS_STRESS_OBJECTS_HPP
#define INTERLOCK_TEST_STRESS_STRESS_OBJECTS_HPP

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/write.hpp>

#include "stress/stress_family.hpp"
#include "stress/stress_ledger.hpp"
#include "stress/stress_peers.hpp"
#include "stress/stress_victims.hpp"

namespace stress {

/// All that the threads of one round have in common.
struct world
{
  explicit world(counts& c)
    : book(c),
      far(known, c),
      tcp(far)
  {
  }

  std::uint64_t next_operation() noexcept
  {
    return operation++ & operation_mask;
  }

  counts& book;
  connections known;
  peers far;
  tcp_ends tcp;
  asio::io_context context;
  std::atomic<std::uint64_t> operation{0};
  std::atomic<bool> stop{false};
};

/// An object that all threads use, and what belongs to it. The object goes before its context does,
/// the rest stays until the last handler is gone.
template <class Object>
struct shared
{
  shared(world& w, std::uint32_t n, bool orderly)
    : object(std::in_place, w.context),
      name(n)
  {
    if (orderly)
      book.orderly = &life;
  }

  /// So that no queue grows without end.
  bool busy() const noexcept
  {
    return book.outstanding >= 8;
  }

  std::optional<Object> object;
  const std::uint32_t name;
  lives life;
  account book;
  std::atomic<bool> writing{false};
};

/// Transfers over TCP may end within a record, the others do not.
template <class Object>
constexpr bool one_writer = false;

template <class Executor>
constexpr bool one_writer<asio::basic_stream_socket<asio::ip::tcp, Executor>> = true;

template <class Executor>
constexpr bool one_writer<asio::basic_stream_socket<interlock::ip::tcp, Executor>> = true;

constexpr std::size_t short_size = 32 * record_size;
constexpr std::size_t long_read_size = 128 * record_size;
constexpr std::size_t long_write_size = 1024 * record_size; // more than the send buffer takes

/// Looks at what an object has read: all of it must come from one peer of its own. In one piece,
/// the records follow each other; in several, another reader may have read those in between.
inline void check_read(
  world& w, std::uint32_t object, const byte* data, std::size_t size, bool one_piece)
{
  scanner s(origin::peer);
  record last = {};
  bool first = true;
  const findings found = s.feed(data, size,
    [&](const record& r)
    {
      const bool good = r.from == origin::peer
        && (first ? w.known.belongs(r.name, object)
                  : r.name == last.name && (!one_piece || r.index == last.index + 1));
      w.book.misdirected += good ? 0 : record_size;
      last = r;
      first = false;
    });
  w.book.misdirected += found.alien + found.broken * record_size;
  w.book.bytes += size;
}

template <class Object>
bytes outgoing(world& w, const shared<Object>& s, std::size_t size)
{
  return records({origin::object, s.name, w.next_operation() << place_bits}, size / record_size);
}

// --- Asynchronous.

template <class Object>
void start_read(world& w, shared<Object>& s)
{
  bytes b(short_size);
  const auto into = asio::buffer(b);
  s.object->async_read_some(into,
    [&w, &s, b = std::move(b), o = obligation(s.book, w.book)](
      const error_code& ec, std::size_t n) mutable
    {
      o.called(ec);
      check_read(w, s.name, b.data(), n, true);
    });
}

template <class Object>
void start_long_read(world& w, shared<Object>& s)
{
  bytes b(long_read_size);
  const auto into = asio::buffer(b);
  asio::async_read(*s.object, into,
    [&w, &s, b = std::move(b), o = obligation(s.book, w.book)](
      const error_code& ec, std::size_t n) mutable
    {
      o.called(ec, n);
      check_read(w, s.name, b.data(), n, false);
    });
}

template <class Object>
void start_write(world& w, shared<Object>& s)
{
  turn t(s.writing);
  if (one_writer<Object> && !t)
    return;
  bytes b = outgoing(w, s, short_size);
  const auto from = asio::buffer(b);
  s.object->async_write_some(from,
    [t = std::move(t), b = std::move(b), o = obligation(s.book, w.book)](
      const error_code& ec, std::size_t) mutable { o.called(ec); });
}

template <class Object>
void start_long_write(world& w, shared<Object>& s)
{
  turn t(s.writing);
  if (one_writer<Object> && !t)
    return;
  bytes b = outgoing(w, s, long_write_size);
  const auto from = asio::buffer(b);
  asio::async_write(*s.object, from,
    [t = std::move(t), b = std::move(b), o = obligation(s.book, w.book)](
      const error_code& ec, std::size_t n) mutable { o.called(ec, n); });
}

template <class Object>
void start_wait(world& w, shared<Object>& s, typename Object::wait_type what)
{
  s.object->async_wait(
    what, [o = obligation(s.book, w.book)](const error_code& ec) mutable { o.called(ec); });
}

template <class Family, class Object>
void start_close(world& w, shared<Object>& s)
{
  Family::async_close(
    *s.object, [c = closing(s.book, w.book)](const error_code& ec) mutable { c.called(ec); });
}

// --- At once.

template <class Object>
void close(world& w, shared<Object>& s)
{
  error_code ec;
  s.object->close(ec);
  ++w.book.closes;
}

template <class Object>
void cancel(world& w, shared<Object>& s)
{
  error_code ec;
  s.object->cancel(ec);
  ++w.book.calls;
}

/// What reads and changes the object's settings.
template <class Object>
void look(world& w, shared<Object>& s)
{
  error_code ec;
  s.object->native_non_blocking(true, ec);
  w.book.calls += s.object->is_open() && s.object->native_handle() >= 0;
}

/// Takes the descriptor out, unless other code is using it.
template <class Object>
void release(world& w, shared<Object>& s)
{
  error_code ec;
  const int fd = s.object->release(ec);
  ++w.book.calls;
  if (ec || fd < 0)
    return;
  ++w.book.given_back;
  really::close(fd);
}

// --- Blocking.

template <class Object>
void read(world& w, shared<Object>& s)
{
  error_code ec;
  byte b[short_size];
  const std::size_t n = s.object->read_some(asio::buffer(b), ec);
  check_read(w, s.name, b, n, true);
  ++w.book.calls;
}

template <class Object>
void write(world& w, shared<Object>& s)
{
  const turn t(s.writing);
  if (one_writer<Object> && !t)
    return;
  error_code ec;
  s.object->write_some(asio::buffer(outgoing(w, s, short_size)), ec);
  ++w.book.calls;
}

/// Gives the object one end of a new connection, if it is not open; the far one is the peers'.
template <class Object, class Assign>
void open_with(world& w, shared<Object>& s, int ours, int theirs, direction d, Assign assign)
{
  if (s.book.orderly && !s.life.may_open())
  {
    really::close(ours);
    really::close(theirs);
    return;
  }
  // Before it is in the object's hands, since another thread may close it at once.
  ++books::lent;
  error_code ec;
  assign(ours, ec);
  if (ec)
  {
    --books::lent;
    really::close(ours);
    really::close(theirs);
    s.life.not_opened();
    return;
  }
  s.life.opened();
  w.far.add(theirs, s.name, d);
}

template <class Object>
void open_pair(world& w, shared<Object>& s)
{
  if (s.object->is_open())
    return;
  const ends e(kind::socket_pair);
  open_with(w, s, e.first, e.second, direction(),
    [&s](int n, error_code& ec) { s.object->assign(typename Object::protocol_type(), n, ec); });
}

template <class Object>
void open_pipe(world& w, shared<Object>& s, bool reads)
{
  if (s.object->is_open())
    return;
  const ends e(kind::pipe);
  open_with(w, s, reads ? e.first : e.second, reads ? e.second : e.first, direction{!reads, reads},
    [&s](int n, error_code& ec) { s.object->assign(n, ec); });
}

/// Listens where the clients of the peers look for it.
template <class Acceptor>
void open_acceptor(world& w, shared<Acceptor>& s)
{
  error_code ec;
  s.object->open(asio::ip::tcp::v4(), ec);
  if (!ec)
    s.object->set_option(asio::socket_base::reuse_address(true), ec);
  if (!ec)
    s.object->bind({asio::ip::address_v4::loopback(), w.tcp.acceptor_port()}, ec);
  if (!ec)
    s.object->listen(asio::socket_base::max_listen_connections, ec);
}

using random = std::minstd_rand;

template <class Family>
class objects
{
public:
  explicit objects(world& w)
    : world_(w)
  {
    std::uint32_t name = 0;
    for (int i = 0; i != 4; ++i)
    {
      locals_.emplace_back(w, name++, i % 2 == 0);
      readers_.emplace_back(w, name++, i % 2 == 0);
      writers_.emplace_back(w, name++, i % 2 == 0);
      connecting_.emplace_back(w, name++, false);
      accepted_.emplace_back(w, name++, false);
    }
    for (int i = 0; i != 2; ++i)
      acceptors_.emplace_back(w, name++, false);
  }

  template <class Do>
  void for_all(Do what)
  {
    const auto each = [&what](auto&... pools)
    { (std::for_each(pools.begin(), pools.end(), what), ...); };
    each(locals_, readers_, writers_, connecting_, accepted_, acceptors_);
  }

  // --- The steps of threads.

  void disturb(random& r)
  {
    one_of(
      r, [&] { disturb_local(any(locals_, r), r); }, [&] { disturb_reader(any(readers_, r), r); },
      [&] { disturb_writer(any(writers_, r), r); },
      [&] { disturb_connecting(any(connecting_, r), r); },
      [&] { disturb_stream(any(accepted_, r), r); },
      [&] { disturb_acceptor(any(acceptors_, r), r); });
  }

  void read_blocking(random& r)
  {
    one_of(
      r, [&] { read(world_, any(locals_, r)); }, [&] { read(world_, any(readers_, r)); },
      [&] { read(world_, any(connecting_, r)); }, [&] { read(world_, any(accepted_, r)); });
  }

  void write_blocking(random& r)
  {
    one_of(
      r, [&] { write(world_, any(locals_, r)); }, [&] { write(world_, any(writers_, r)); },
      [&] { write(world_, any(connecting_, r)); }, [&] { write(world_, any(accepted_, r)); });
  }

  void accept_blocking(random& r)
  {
    error_code ec;
    any(acceptors_, r).object->accept(*any(accepted_, r).object, ec);
    ++world_.book.calls;
  }

  void connect_blocking(random& r)
  {
    error_code ec;
    any(connecting_, r).object->connect(somebody(), ec);
    ++world_.book.calls;
  }

private:
  using local = typename Family::local::socket;
  using tcp = typename Family::tcp::socket;
  using acceptor = typename Family::tcp::acceptor;
  using descriptor = typename Family::descriptor;

  template <class Object>
  using pool = std::deque<shared<Object>>;

  template <class Object>
  static shared<Object>& any(pool<Object>& p, random& r)
  {
    return p[r() % p.size()];
  }

  /// Calls one of the functions.
  template <class... Step>
  static void one_of(random& r, Step... steps)
  {
    auto left = r() % sizeof...(steps);
    ((left-- == 0 ? steps() : void()), ...);
  }

  template <class Object>
  void disturb_stream(shared<Object>& s, random& r)
  {
    if (s.busy() || r() % 8 < 3)
      return disturb_any(s, r);
    one_of(
      r, [&] { start_read(world_, s); }, [&] { start_write(world_, s); },
      [&] { start_long_write(world_, s); }, [&] { start_wait(world_, s, Object::wait_read); },
      [&] { start_wait(world_, s, Object::wait_write); });
  }

  template <class Object>
  void disturb_any(shared<Object>& s, random& r)
  {
    if (r() % 8 < 5)
      return look(world_, s);
    one_of(
      r, [&] { close(world_, s); }, [&] { start_close<Family>(world_, s); },
      [&] { cancel(world_, s); });
  }

  void disturb_local(shared<local>& s, random& r)
  {
    const auto what = r() % 16;
    if (what == 0)
      return release(world_, s);
    if (what == 1)
      return s.busy() ? void() : start_long_read(world_, s);
    open_pair(world_, s);
    disturb_stream(s, r);
  }

  void disturb_reader(shared<descriptor>& s, random& r)
  {
    open_pipe(world_, s, true);
    if (s.busy() || r() % 2 == 0)
      return disturb_any(s, r);
    if (r() % 4 == 0)
      return start_wait(world_, s, descriptor::wait_read);
    start_read(world_, s);
  }

  void disturb_writer(shared<descriptor>& s, random& r)
  {
    open_pipe(world_, s, false);
    if (s.busy() || r() % 2 == 0)
      return disturb_any(s, r);
    if (r() % 4 == 0)
      return start_long_write(world_, s);
    start_write(world_, s);
  }

  typename tcp::endpoint_type somebody() const
  {
    return {asio::ip::address_v4::loopback(), world_.tcp.listening_port()};
  }

  void disturb_connecting(shared<tcp>& s, random& r)
  {
    if (s.busy() || r() % 4 != 0)
      return disturb_stream(s, r);
    s.object->async_connect(somebody(),
      [o = obligation(s.book, world_.book)](const error_code& ec) mutable { o.called(ec); });
  }

  void disturb_acceptor(shared<acceptor>& s, random& r)
  {
    if (!s.object->is_open())
      open_acceptor(world_, s);
    if (s.busy() || r() % 2 == 0)
      return disturb_any(s, r);
    if (r() % 2 == 0)
      return start_accept(s, any(accepted_, r));
    s.object->async_accept(
      [o = obligation(s.book, world_.book)](const error_code& ec, tcp) mutable { o.called(ec); });
  }

  void start_accept(shared<acceptor>& s, shared<tcp>& into)
  {
    s.object->async_accept(*into.object,
      [o = obligation(s.book, world_.book)](const error_code& ec) mutable { o.called(ec); });
  }

  world& world_;
  pool<local> locals_;
  pool<descriptor> readers_; // of pipes
  pool<descriptor> writers_;
  pool<tcp> connecting_;
  pool<tcp> accepted_;
  pool<acceptor> acceptors_;
};

} // namespace stress

#endif // INTERLOCK_TEST_STRESS_STRESS_OBJECTS_HPP
