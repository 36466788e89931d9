// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A borrowed descriptor keeps its blocking mode until the first operation; what can be assigned can be borrowed.

#include "borrowed.hpp"

#include <cstdlib>

#include "support/refusals.hpp"
#include "support/system_errors.hpp"

using namespace lending_tests;

namespace {

const error_code already_open = asio::error::already_open;

} // namespace

BOOST_AUTO_TEST_SUITE(test_borrowed_use)

// --- The blocking mode.

BOOST_AUTO_TEST_CASE_TEMPLATE(without_an_operation_the_blocking_mode_stays, Row, every_kind)
{
  scene<Row> s;
  if constexpr (Row::has_blocking_state)
  {
    BOOST_TEST(!s.object->native_non_blocking());
    BOOST_TEST(!s.object->non_blocking());
  }
  if constexpr (Row::is_socket)
  {
    s.object->set_option(asio::socket_base::send_buffer_size(10000));
    BOOST_TEST(s.object->available() == 0u);
    BOOST_TEST(s.object->local_endpoint().protocol().family() == AF_UNIX);
  }
  BOOST_TEST(s.object->lease().get() == s.fd);
  s.object->cancel();
  typename scene<Row>::narrow moved(std::move(*s.object));
  typename scene<Row>::wide converted(std::move(moved));
  converted.close();
  lend<Row>(converted, s.fd);
  converted.release();
  BOOST_TEST(!is_non_blocking(s.fd));
}

// It is not taken back.
BOOST_AUTO_TEST_CASE_TEMPLATE(the_first_operation_makes_it_non_blocking, Row, every_kind)
{
  scene<Row> s;
  s.start();
  BOOST_TEST(is_non_blocking(s.fd));
  s.object->close();
  s.run();
  BOOST_TEST(is_non_blocking(s.fd));
}

// Only a socket has a flag of a call that keeps it from blocking.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_synchronous_call_leaves_a_socket_blocking, Row, every_kind)
{
  {
    scene<Row> s;
    const support::fd client = s.feed();
    BOOST_TEST(!is_non_blocking(s.fd));
    if constexpr (Row::is_acceptor)
      BOOST_TEST(s.object->accept().is_open());
    else
      BOOST_TEST(read<Row>(*s.object, asio::buffer(s.buffer)).is(success, 1));
    BOOST_TEST(is_non_blocking(s.fd) == !Row::is_socket);
  }
  if constexpr (can_write<Row>)
  {
    scene<Row> s;
    BOOST_TEST(write<Row>(*s.object, asio::buffer("hello", 5)).is(success, 5));
    BOOST_TEST(is_non_blocking(s.fd) == !Row::is_socket);
    BOOST_TEST(drain(s.lent->far) == 5u);
  }
}

// While it waits it is non-blocking: no close would wake it in connect(2).
BOOST_AUTO_TEST_CASE(only_an_asynchronous_connect_changes_the_blocking_mode)
{
  asio::io_context context;
  const support::fd listener = tcp_listener();
  const asio::ip::tcp::endpoint to(
    asio::ip::address_v4::loopback(), ntohs(address_of(listener).sin_port));
  for (const int mode : {0, int(SOCK_NONBLOCK)})
    for (const bool is_asynchronous : {false, true})
    {
      const support::fd lent(
        checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | mode, 0), "socket"));
      tcp::socket s(context, tcp::v4(), lent.get(), borrowed);
      error_code ec = not_called;
      if (is_asynchronous)
        s.async_connect(to, into(ec));
      else
        s.connect(to, ec);
      BOOST_TEST(is_non_blocking(lent.get()) == (mode != 0 || is_asynchronous));
      turn(context);
      BOOST_TEST(run_until(context, [&] { return ec != not_called; }));
      BOOST_TEST(ec == success);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_blocked_call_on_it_is_woken, Row, every_kind)
{
  scene<Row> s;
  call_in_thread blocked(
    [&]
    {
      outcome o;
      if constexpr (Row::is_acceptor)
        s.object->accept(o.ec);
      else
        o.ec = read<Row>(*s.object, asio::buffer(s.buffer)).ec;
      return o;
    });
  BOOST_TEST_REQUIRE(blocked.blocks());
  s.object->close();
  BOOST_TEST(blocked.get().ec == aborted);
}

BOOST_FIXTURE_TEST_CASE(both_kinds_of_transfer_work_on_it, lending)
{
  local::socket s(context, local(), fd(), borrowed);
  char buffer[8] = {};
  error_code written = not_called;
  s.async_read_some(asio::buffer(buffer), tally(into(ec)));
  s.async_write_some(asio::buffer("hello", 5), tally(into(written)));
  send_text(pair.far, "x");
  context.run();
  BOOST_TEST(ec == success);
  BOOST_TEST(written == success);
  BOOST_TEST(drain(pair.far) == 5u);
}

// --- What cannot be borrowed.

#if defined(BOOST_ASIO_HAS_EPOLL)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_descriptor_that_is_not_open_cannot_be_borrowed, Row, every_kind)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      for (const int invalid : {-1, bad_fd})
      {
        error_code ec;
        plain_object<Row> o(context);
        lend<Row>(o, invalid, ec);
        BOOST_TEST(ec == bad_descriptor);
        BOOST_TEST(!o.is_open());
        throws("assign", bad_descriptor, [&] { lend<Row>(o, invalid); });
        throws("assign", bad_descriptor,
          [&]
          {
            if constexpr (Row::is_socket || Row::is_acceptor)
              plain_object<Row> made(context, Row::protocol(), invalid, borrowed);
            else
              plain_object<Row> made(context, invalid, borrowed);
          });
      }
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(
  a_descriptor_that_is_watched_already_cannot_be_borrowed, Row, every_kind)
{
  scene<Row> s;
  typename scene<Row>::wide second(*s.context);
  lend<Row>(second, s.fd, s.ec);
  BOOST_TEST(s.ec == system_error(EEXIST));
  BOOST_TEST(!second.is_open());
  ::stream_descriptor third(*s.context);
  BOOST_TEST(third.assign(s.fd, borrowed, s.ec) == system_error(EEXIST));
  BOOST_TEST(third.assign(s.fd, s.ec) == system_error(EEXIST));
  BOOST_TEST(s.object->is_open());
  s.object->close();
  lend<Row>(second, s.fd, s.ec);
  BOOST_TEST(s.ec == success);
}

// Asio takes it, although the reactor cannot.
BOOST_AUTO_TEST_CASE(a_regular_file_can_be_borrowed_as_it_can_be_assigned)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      char name[] = "/tmp/interlock_borrowed_XXXXXX";
      const support::fd file(checked(::mkstemp(name), "mkstemp"));
      ::unlink(name);
      close_watch watch(file.get());
      ::stream_descriptor d(context, file.get(), borrowed);
      BOOST_TEST(d.write_some(asio::buffer("hello", 5)) == 5u);
      d.close();
      char got[8];
      BOOST_TEST(::pread(file.get(), got, sizeof(got), 0) == 5);
      {
        const ::stream_descriptor other(context, file.get(), borrowed);
        BOOST_TEST(other.is_open());
      }
      BOOST_TEST(watch.arrived() == 0u);
    });
}

#endif

BOOST_AUTO_TEST_CASE_TEMPLATE(an_open_object_borrows_nothing, Row, every_kind)
{
  scene<Row> s;
  plain_object<Row> o(*s.context);
  ends own = Row::make();
  const int before = own.near.get();
  Row::put(o, own.near);
  lend<Row>(o, s.fd, s.ec);
  BOOST_TEST(s.ec == already_open);
  throws("assign", already_open, [&] { lend<Row>(o, s.fd); });
  BOOST_TEST(o.native_handle() == before);
  BOOST_TEST(!is_non_blocking(s.fd));
}

BOOST_AUTO_TEST_SUITE_END()
