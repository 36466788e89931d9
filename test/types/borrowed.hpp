// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Objects of each kind that borrow a descriptor, for the tests of that.

#ifndef INTERLOCK_TEST_TYPES_BORROWED_HPP
#define INTERLOCK_TEST_TYPES_BORROWED_HPP

#include "support/prelude.hpp"

#include <interlock/borrowed.hpp>

#include <tuple>

#include <poll.h>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "support/dropin_members.hpp"
#include "support/subject.hpp"

namespace lending_tests {

using interlock::borrowed;
using namespace support;

using every_kind = std::tuple<local_stream_socket, local_datagram_socket,
  support::stream_descriptor, readable_pipe, tcp_acceptor>;

#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
template <class>
using made_narrow = over_the_context;
#else
// There is one type of descriptors only: a conversion is a move.
template <class Row>
using made_narrow =
  std::conditional_t<Row::is_socket || Row::is_acceptor, over_the_context, as_they_are>;
#endif

/// Assigns `fd` to the object, which borrows it.
template <class Row, class Object, class... Ec>
void lend(Object& o, int fd, Ec&... ec)
{
  if constexpr (Row::is_socket || Row::is_acceptor)
    o.assign(Row::protocol(), fd, borrowed, ec...);
  else
    o.assign(fd, borrowed, ec...);
}

/// An object that borrows. In the end the owner has the descriptor as it was, and closes it itself.
template <class Row>
struct scene
{
  using row = Row;
  using wide = plain_object<Row>;
  using narrow = typename made_narrow<Row>::template type<wide>;

  census fds;
  std::optional<ends> lent{Row::make()};
  const int fd = lent->near.get();
  const std::string file = referred_to(fd);
  close_watch watch{fd};
  std::optional<asio::io_context> context{std::in_place};
  std::optional<narrow> object{std::in_place, *context};
  handler_tally tally;
  error_code ec = not_called;
  error_code read = not_called;
  error_code closed = not_called;
  char buffer[8] = {};

  scene()
  {
    lend<Row>(*object, fd, ec);
    BOOST_TEST_REQUIRE(ec == success);
    BOOST_TEST(object->native_handle() == fd);
  }

  ~scene()
  {
    object.reset();
    if (context)
      run();
    context.reset();
    BOOST_TEST(tally.all_ended());
    check_lent();
    lent.reset();
    BOOST_TEST(watch.closed() == 1u);
    BOOST_TEST(fds.restored());
  }

  void run()
  {
    context->restart();
    context->run();
  }

  /// An operation that waits for input.
  template <class Handler>
  void start(Handler h)
  {
    if constexpr (Row::is_acceptor)
      object->async_accept(std::move(h));
    else if constexpr (Row::reads)
      object->async_read_some(asio::buffer(buffer), std::move(h));
    else
      object->async_receive(asio::buffer(buffer), std::move(h));
  }

  void start()
  {
    start(tally(into(read)));
  }

  /// The client, if the object accepts.
  support::fd feed()
  {
    if constexpr (Row::is_acceptor)
      return client_of(fd);
    send_text(lent->far, "x");
    return support::fd();
  }

  /// The owner goes on using it.
  bool is_usable()
  {
    const support::fd client = feed();
    ::pollfd p = {fd, POLLIN, 0};
    ::poll(&p, 1, -1);
    if constexpr (Row::is_acceptor)
      return support::fd(::accept(fd, nullptr, nullptr)).get() >= 0;
    char got = 0;
    return ::read(fd, &got, 1) == 1 && got == 'x';
  }

  /// Open, what it was, and as good as ever.
  void check_lent()
  {
    BOOST_TEST(referred_to(fd) == file);
    BOOST_TEST(watch.arrived() == 0u);
    BOOST_TEST(is_usable());
  }

  /// The reactor has forgotten it: other code may give it to the same.
  void check_unregistered()
  {
    asio::posix::stream_descriptor other(*context);
    error_code failed;
    other.assign(fd, failed);
    BOOST_TEST(failed == success);
    other.release();
  }

  /// The closer is told.
  template <class Closed>
  void close_asynchronously(Closed&& o)
  {
    o.async_close(tally(into(closed)));
    run();
    BOOST_TEST(closed == success);
  }
};

/// Without an object: for what is particular to one kind.
struct lending
{
  asio::io_context context;
  ends pair = unix_ends();
  close_watch watch{pair.near.get()};
  handler_tally tally;
  error_code ec = not_called;

  int fd() const
  {
    return pair.near.get();
  }

  ~lending()
  {
    BOOST_TEST(watch.arrived() == 0u);
    BOOST_TEST(is_fd_open(fd()));
  }
};

} // namespace lending_tests

#endif // INTERLOCK_TEST_TYPES_BORROWED_HPP
