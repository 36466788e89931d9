// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What any thread does to a shared object, at any time: each function is one operation, its result
// looked at and counted. None of them synchronises with another.

#ifndef INTERLOCK_TEST_STRESS_STRESS_OPERATIONS_HPP
#define INTERLOCK_TEST_STRESS_STRESS_OPERATIONS_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "stress/stress_family.hpp"
#include "stress/stress_ledger.hpp"
#include "stress/stress_peers.hpp"
#include "stress/stress_tcp_ends.hpp"

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
    *s.object, [c = closing(s.book, w.book)](const error_code&) mutable { c.called(); });
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

} // namespace stress

#endif // INTERLOCK_TEST_STRESS_STRESS_OPERATIONS_HPP
