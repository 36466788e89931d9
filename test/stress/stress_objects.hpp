// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The set of shared objects, and what a thread does next to one of them as chance has it. The
// objects themselves go before the world does, what is counted for them stays.

#ifndef INTERLOCK_TEST_STRESS_STRESS_OBJECTS_HPP
#define INTERLOCK_TEST_STRESS_STRESS_OBJECTS_HPP

#include <cstdint>
#include <deque>
#include <random>

#include "stress/stress_opening.hpp"
#include "stress/stress_operations.hpp"

namespace stress {

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
    const auto each = [&what](auto& p)
    {
      for (auto& s : p)
        what(s);
    };
    each(locals_);
    each(readers_);
    each(writers_);
    each(connecting_);
    each(accepted_);
    each(acceptors_);
  }

  // --- The steps of threads.

  void disturb(random& r)
  {
    switch (r() % 6)
    {
    case 0:
      return disturb_local(any(locals_, r), r);
    case 1:
      return disturb_reader(any(readers_, r), r);
    case 2:
      return disturb_writer(any(writers_, r), r);
    case 3:
      return disturb_connecting(any(connecting_, r), r);
    case 4:
      return disturb_stream(any(accepted_, r), r);
    case 5:
      return disturb_acceptor(any(acceptors_, r), r);
    }
  }

  void read_blocking(random& r)
  {
    switch (r() % 4)
    {
    case 0:
      return read(world_, any(locals_, r));
    case 1:
      return read(world_, any(readers_, r));
    case 2:
      return read(world_, any(connecting_, r));
    case 3:
      return read(world_, any(accepted_, r));
    }
  }

  void write_blocking(random& r)
  {
    switch (r() % 4)
    {
    case 0:
      return write(world_, any(locals_, r));
    case 1:
      return write(world_, any(writers_, r));
    case 2:
      return write(world_, any(connecting_, r));
    case 3:
      return write(world_, any(accepted_, r));
    }
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

  template <class Object>
  void disturb_stream(shared<Object>& s, random& r)
  {
    if (s.busy())
      return disturb_any(s, r);
    switch (r() % 8)
    {
    case 0:
      return start_read(world_, s);
    case 1:
      return start_write(world_, s);
    case 2:
      return start_long_write(world_, s);
    case 3:
      return start_wait(world_, s, Object::wait_read);
    case 4:
      return start_wait(world_, s, Object::wait_write);
    default:
      return disturb_any(s, r);
    }
  }

  template <class Object>
  void disturb_any(shared<Object>& s, random& r)
  {
    switch (r() % 8)
    {
    case 0:
      return close(world_, s);
    case 1:
      return start_close<Family>(world_, s);
    case 2:
      return cancel(world_, s);
    default:
      return look(world_, s);
    }
  }

  void disturb_local(shared<local>& s, random& r)
  {
    switch (r() % 16)
    {
    case 0:
      return release(world_, s);
    case 1:
      return s.busy() ? void() : start_long_read(world_, s);
    default:
      open_pair(world_, s);
    }
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
