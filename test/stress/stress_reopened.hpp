// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A composed write has written its first part, and its next step is about to start, when the object
// is closed and opened again with another connection. Nothing of the rest may go there.

#ifndef INTERLOCK_TEST_STRESS_STRESS_REOPENED_HPP
#define INTERLOCK_TEST_STRESS_STRESS_REOPENED_HPP

#include <cstddef>

#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>

#include "stress/stress_blocked.hpp"
#include "stress/stress_family.hpp"
#include "stress/stress_ledger.hpp"
#include "stress/stress_victims.hpp"

namespace stress {

/// How many bytes lie ready to be read there. They are read.
inline std::size_t drain(int fd)
{
  byte b[4096];
  std::size_t total = 0;
  ::ssize_t n = 0;
  while ((n = ::read(fd, b, sizeof(b))) > 0)
    total += static_cast<std::size_t>(n);
  return total;
}

template <class Object>
void open_again(Object& object, const ends& e)
{
  error_code ec;
  object.close(ec);
  ++books::lent;
  assign(object, e.first);
}

template <class Family>
void reopened_round(counts& c)
{
  account book;
  {
    asio::io_context context;
    typename Family::local::socket object(context);
    const ends first(kind::socket_pair);
    const ends second(kind::socket_pair);
    const bytes message = records({origin::object, 0, 0}, 4096);
    open_again(object, first);
    // The first part is written by this very call, its handler waits for the context.
    asio::async_write(object, asio::buffer(message),
      [o = obligation(book, c)](const error_code& ec, std::size_t) mutable { o.called(ec); });
    open_again(object, second);
    context.poll();
    const std::size_t strayed = drain(second.second);
    c.crossed += strayed;
    c.bytes += drain(first.second) + strayed;
    error_code ec;
    object.close(ec);
    context.restart();
    context.poll();
    really::close(first.second);
    really::close(second.second);
  }
  c.unequal += book.outstanding != 0;
  c.closes += 2;
  ++c.rounds;
}

} // namespace stress

#endif // INTERLOCK_TEST_STRESS_STRESS_REOPENED_HPP
