// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Giving a shared object something to be open with. Any thread tries it at any time; only an object
// that is to be opened in order, after the handler of async_close, is left alone before that.

#ifndef INTERLOCK_TEST_STRESS_STRESS_OPENING_HPP
#define INTERLOCK_TEST_STRESS_STRESS_OPENING_HPP

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/socket_base.hpp>

#include "stress/stress_operations.hpp"
#include "stress/stress_victims.hpp"

namespace stress {

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

} // namespace stress

#endif // INTERLOCK_TEST_STRESS_STRESS_OPENING_HPP
