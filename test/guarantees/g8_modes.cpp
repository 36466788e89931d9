// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The modes on what cannot deliver anything, and modes that make no sense: each closes, and says so.

#include "support/prelude.hpp"

#include <interlock/borrowed.hpp>
#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/generic/seq_packet_protocol.hpp>
#include <interlock/ip/udp.hpp>

#include <boost/asio/socket_base.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/version.hpp>

#if BOOST_ASIO_VERSION >= 102400 // Boost 1.80
#include <boost/asio/deferred.hpp>
#endif

#include "support/closing_socket.hpp"
#include "support/lingering_socket.hpp"

using namespace support;
using interlock::close_mode;
using interlock::close_outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr seconds long_enough(60);

const error_code invalid(EINVAL, boost::system::system_category());

struct fixture : no_trace
{
  asio::io_context context;

  /// What closing `object` in this mode tells; it is closed by then.
  template <class Object>
  told close(Object& object, const close_mode& mode)
  {
    told t;
    object.async_close(mode, t.handler());
    BOOST_TEST(!object.is_open());
    BOOST_TEST(run_until(context, [&] { return t.times != 0; }));
    return t;
  }

  /// An object on which no mode can wait for a peer: both that wait are refused, the others are not.
  template <class Open>
  void check_waits_for_nobody(Open open)
  {
    for (const close_mode& mode :
      {close_mode::deliver(long_enough), close_mode::graceful(long_enough)})
    {
      auto object = open();
      const told t = close(object, mode);
      BOOST_TEST(t.ec == asio::error::operation_not_supported);
      BOOST_TEST(t.report.outcome == close_outcome::closed);
    }
    for (const close_mode& mode : {close_mode::immediate(), close_mode::abort()})
    {
      auto object = open();
      BOOST_TEST(!close(object, mode).ec);
    }
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_g8_modes, fixture)

BOOST_AUTO_TEST_CASE(an_acceptor_has_nothing_to_deliver)
{
  check_waits_for_nobody(
    [this] {
      return tcp::acceptor(context, {asio::ip::address_v4::loopback(), 0});
    });
}

BOOST_AUTO_TEST_CASE(datagrams_are_not_acknowledged)
{
  check_waits_for_nobody(
    [this] { return interlock::ip::udp::socket(context, asio::ip::udp::v4()); });
}

BOOST_AUTO_TEST_CASE(records_are_not_acknowledged)
{
  check_waits_for_nobody(
    [this]
    {
      interlock::generic::seq_packet_protocol::socket s(context);
      s.open({AF_UNIX, 0});
      return s;
    });
}

BOOST_AUTO_TEST_CASE(a_descriptor_has_no_peer)
{
  check_waits_for_nobody(
    [this]
    {
      ends pipe = pipe_ends();
      return interlock::posix::stream_descriptor(context, pipe.near.release());
    });
}

BOOST_AUTO_TEST_CASE(a_borrowed_connection_is_its_owners_to_deliver)
{
  const ends pair = tcp_ends();
  for (const close_mode& mode :
    {close_mode::deliver(long_enough), close_mode::graceful(long_enough)})
  {
    tcp::socket s(context, tcp::v4(), pair.near.get(), interlock::borrowed);
    const told t = close(s, mode);
    BOOST_TEST(t.ec == asio::error::operation_not_supported);
    BOOST_TEST(t.report.outcome == close_outcome::detached);
  }
  tcp::socket s(context, tcp::v4(), pair.near.get(), interlock::borrowed);
  BOOST_TEST(close(s, close_mode::abort()).is(close_outcome::detached));
  send_text(pair.near, "still open");
}

BOOST_AUTO_TEST_CASE(a_socket_that_is_not_connected_has_nothing_to_wait_for)
{
  for (const close_mode& mode :
    {close_mode::deliver(long_enough), close_mode::graceful(long_enough)})
  {
    tcp::socket s(context, tcp::v4());
    BOOST_TEST(close(s, mode).is(close_outcome::closed));
    interlock::local::stream_protocol::socket l(context, interlock::local::stream_protocol());
    BOOST_TEST(close(l, mode).is(close_outcome::closed));
  }
}

BOOST_AUTO_TEST_CASE(what_was_never_opened_has_nothing_to_close)
{
  tcp::socket s(context);
  BOOST_TEST(close(s, close_mode::graceful(long_enough)).is(close_outcome::closed));
  BOOST_TEST(close(s, close_mode::graceful(seconds(-1))).ec == invalid);
  const interlock::close_handle handle = s.get_close_handle();
  told t;
  handle.async_close(close_mode::deliver(seconds(-1)), t.handler());
  BOOST_TEST(run_until(context, [&] { return t.times != 0; }));
  BOOST_TEST(t.ec == invalid);
}

BOOST_AUTO_TEST_CASE(a_mode_that_makes_no_sense_closes_at_once)
{
  const close_mode senseless[] = {close_mode::deliver(milliseconds(-1)),
    close_mode::graceful(close_mode::longest_timeout() + seconds(1)),
    close_mode::deliver(long_enough).progress_timeout(milliseconds(-1))};
  for (const close_mode& mode : senseless)
  {
    ends pair = narrow_tcp_ends();
    fill(pair.near.get());
    tcp::socket s(context, tcp::v4(), pair.near.release());
    const told t = close(s, mode);
    BOOST_TEST(t.ec == invalid);
    BOOST_TEST(t.report.outcome == close_outcome::closed);
  }
}

BOOST_AUTO_TEST_CASE(a_timeout_of_nothing_delivers_what_can_be_delivered_at_once)
{
  ends pair = tcp_ends();
  tcp::socket s(context, tcp::v4(), pair.near.release());
  BOOST_TEST(s.send(asio::buffer("x", 1)) == 1u);
  const told t = close(s, close_mode::deliver(seconds(0)));
  BOOST_TEST(!t.ec);
  const bool acknowledged = t.report.outcome == close_outcome::acknowledged;
  BOOST_TEST((acknowledged || t.report.outcome == close_outcome::timed_out));
  taken got;
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST((got.ended && got.bytes == 1u));
}

BOOST_AUTO_TEST_CASE(a_close_in_a_mode_has_a_token_like_any_other)
{
  ends pair = tcp_ends();
  tcp::socket s(context, tcp::v4(), pair.near.release());
  auto report = s.async_close(close_mode::deliver(long_enough), asio::use_future);
  context.run();
  BOOST_TEST(report.get().outcome == close_outcome::acknowledged);
}

#if BOOST_ASIO_VERSION >= 102400 // Boost 1.80

BOOST_AUTO_TEST_CASE(a_close_in_a_mode_can_be_deferred)
{
  ends pair = tcp_ends();
  tcp::socket s(context, tcp::v4(), pair.near.release());
  const close_mode mode = close_mode::deliver(long_enough);
  told t;
  auto operation = s.async_close(mode, asio::deferred);
  BOOST_TEST(s.is_open());
  std::move(operation)(t.handler());
  context.run();
  BOOST_TEST(t.is(close_outcome::acknowledged));
}

#endif

BOOST_AUTO_TEST_CASE(a_borrowed_descriptor_is_detached_at_once_whatever_its_linger)
{
  const ends pair = tcp_ends();
  fill(pair.near.get());
  tcp::socket s(context, tcp::v4(), pair.near.get(), interlock::borrowed);
  s.set_option(asio::socket_base::linger(true, 60));
  told t;
  s.async_close(t.handler());
  BOOST_TEST(run_until(context, [&] { return t.times != 0; }));
  BOOST_TEST(!t.ec);
  BOOST_TEST(interlock::detail::calls::linger_time(pair.near.get()).seconds() == 60);
  set_linger(pair.near, 0);
}

BOOST_AUTO_TEST_SUITE_END()
