// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Acceptors move to Asio's own type and back, with their accepts. An acceptor that is not open gives nothing, and what
// uses the descriptor refuses the move. Every descriptor is owned by one object at any time, or closed. Sockets and
// descriptors: conversions.cpp; pipes: pipes_to_asio.cpp.

#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>

#include <type_traits>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/test/unit_test.hpp>

#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/handler_tally.hpp"
#include "support/lingering_socket.hpp"
#include "support/sync_support.hpp"
#include "support/tcp_facts.hpp"
#include "support/to_asio.hpp"

namespace asio = boost::asio;
using namespace support;
using interlock::ip::tcp;
using acceptor = tcp::acceptor;
using plain_acceptor = asio::ip::tcp::acceptor;

namespace {

struct listening : in_context
{
  asio::ip::tcp::endpoint loopback{asio::ip::address_v4::loopback(), 0};
  acceptor listener{context, loopback};
  error_code accepted = not_called;
  error_code closed = not_called;

  template <class Acceptor>
  void start_accept(Acceptor& a)
  {
    a.async_accept(tally([this](error_code ec, const auto& peer)
      { accepted = ec || peer.is_open() ? ec : not_called; }));
  }

  template <class Acceptor>
  fd connect_to(Acceptor& a)
  {
    return tcp_connected_to(fd(checked(::dup(a.native_handle()), "dup")));
  }
};

const auto opens_listening = [](acceptor& a)
{
  a.open(asio::ip::tcp::v4());
  a.listen();
};

} // namespace

static_assert(std::is_constructible<acceptor, plain_acceptor&&>::value
    && !std::is_convertible<plain_acceptor&&, acceptor>::value,
  "explicit, as for sockets");
static_assert(
  std::is_same<decltype(std::declval<acceptor&>().to_asio()), plain_acceptor>::value, "");

BOOST_AUTO_TEST_SUITE(test_acceptors_to_asio)

BOOST_FIXTURE_TEST_CASE(an_acceptor_becomes_one_of_asio_with_its_accept, listening)
{
  start_accept(listener);
  const int number = listener.native_handle();
  plain_acceptor plain = listener.to_asio();
  BOOST_TEST(!listener.is_open());
  BOOST_TEST(plain.native_handle() == number);
  const fd first = connect_to(plain);
  context.run();
  BOOST_TEST(accepted == success);
  BOOST_TEST(tally.all_called());
  const fd second = connect_to(plain);
  BOOST_TEST(plain.accept().is_open());
}

// The accept has left the descriptor O_NONBLOCK, which Asio has to know.
BOOST_FIXTURE_TEST_CASE(asios_acceptor_waits_for_a_connection, listening)
{
  const fd first = connect_to(listener);
  listener.accept();
  BOOST_TEST(is_non_blocking(listener.native_handle()));
  plain_acceptor plain = listener.to_asio();
  BOOST_TEST(!plain.non_blocking());
  call_in_thread blocked(
    [&]
    {
      outcome o;
      plain.accept(o.ec);
      return o;
    });
  BOOST_TEST(blocked.blocks());
  const fd second = connect_to(plain);
  BOOST_TEST(blocked.get().ec == success);
}

BOOST_FIXTURE_TEST_CASE(a_close_after_to_asio_waits_for_the_accept_that_went_along, listening)
{
  start_accept(listener);
  plain_acceptor plain = listener.to_asio();
  listener.async_close(tally(into(closed)));
  context.poll();
  BOOST_TEST(tally.called() == 0);
  const fd peer = connect_to(plain);
  context.restart();
  context.run();
  BOOST_TEST(accepted == success);
  BOOST_TEST(closed == success);
}

// The accept is Asio's: it goes on, and a close aborts it.
BOOST_FIXTURE_TEST_CASE(an_acceptor_of_asio_becomes_one_of_ours_with_its_accept, listening)
{
  plain_acceptor plain(context, loopback);
  start_accept(plain);
  acceptor ours(std::move(plain));
  BOOST_TEST(!plain.is_open());
  BOOST_TEST(ours.local_endpoint().protocol().family() == AF_INET);
  const fd first = connect_to(ours);
  context.run_one();
  BOOST_TEST(accepted == success);
  const fd second = connect_to(ours);
  BOOST_TEST(ours.accept().is_open());
  plain = ours.to_asio();
  start_accept(plain);
  ours = acceptor(std::move(plain));
  ours.close();
  context.restart();
  context.run();
  BOOST_TEST(accepted == aborted);
  BOOST_TEST(tally.all_called());
}

BOOST_FIXTURE_TEST_CASE(the_flags_of_an_acceptor_move_as_well, listening)
{
  using asio::socket_base;
  const auto aborted_of = [](auto& a)
  {
    socket_base::enable_connection_aborted option;
    a.get_option(option);
    return option.value();
  };
  for (const bool mode : {false, true}) // it is not taken back
  {
    listener.non_blocking(mode);
    listener.set_option(socket_base::enable_connection_aborted(mode));
    plain_acceptor plain = listener.to_asio();
    BOOST_TEST(plain.non_blocking() == mode);
    BOOST_TEST(aborted_of(plain) == mode);
    listener = acceptor(std::move(plain));
    BOOST_TEST(listener.non_blocking() == mode);
    BOOST_TEST(aborted_of(listener) == mode);
  }
  listener.non_blocking(true);
  plain_acceptor plain = listener.to_asio();
  plain.non_blocking(false);
  plain.native_non_blocking(true);
  const acceptor ours(std::move(plain));
  BOOST_TEST(!ours.non_blocking());
  BOOST_TEST(ours.native_non_blocking());
}

BOOST_FIXTURE_TEST_CASE(a_non_blocking_acceptor_of_asio_does_not_block_as_ours, listening)
{
  plain_acceptor plain(context, loopback);
  plain.non_blocking(true);
  acceptor ours(std::move(plain));
  error_code ec;
  ours.accept(ec);
  BOOST_TEST(ec == error_code(asio::error::would_block));
}

BOOST_FIXTURE_TEST_CASE(a_listener_of_another_protocol_keeps_it, in_context)
{
  using local = interlock::local::stream_protocol;
  asio::local::stream_protocol::acceptor plain(context, asio::local::stream_protocol());
  local::acceptor ours(std::move(plain));
  BOOST_TEST(ours.local_endpoint().protocol().family() == AF_UNIX);
  BOOST_TEST(ours.to_asio().is_open());
}

BOOST_FIXTURE_TEST_CASE(an_acceptor_that_is_not_open_gives_nothing, in_context)
{
  check_gives_nothing_when_not_open<acceptor>(context, opens_listening);
}

BOOST_FIXTURE_TEST_CASE(an_acceptor_takes_nothing_from_one_that_is_not_open, in_context)
{
  check_takes_nothing_when_not_open<acceptor, plain_acceptor>(context, opens_listening);
}

BOOST_FIXTURE_TEST_CASE(an_acceptor_with_a_lease_is_refused_and_one_with_a_handle_is_not, listening)
{
  check_leases_and_handles(listener);
}

BOOST_FIXTURE_TEST_CASE(an_acceptor_is_refused_while_a_call_is_inside, listening)
{
  call_in_thread blocked(
    [&]
    {
      outcome o;
      listener.accept(o.ec);
      return o;
    });
  BOOST_TEST_REQUIRE(blocked.blocks());
  BOOST_TEST(given(listener) == in_use);
  BOOST_TEST(listener.is_open());
  const fd peer = connect_to(listener);
  BOOST_TEST(blocked.get().ec == success);
  BOOST_TEST(given(listener) == success);
}

// The connections inherit the option from the listener, about which the library has not been asked.
BOOST_FIXTURE_TEST_CASE(
  what_a_lingering_listener_of_asio_accepts_is_taken_over_before_its_close, in_context)
{
  plain_acceptor plain(context, {asio::ip::address_v4::loopback(), 0});
  plain.set_option(asio::socket_base::linger(true, 5));
  const fd peer = tcp_connected_to(fd(checked(::dup(plain.native_handle()), "dup")));
  acceptor listener(std::move(plain));
  tcp::socket accepted = listener.accept();
  // No native_handle() of ours: that alone makes the library ask the system.
  check_lingering_close(accepted, descriptor_connected_to(peer), peer);
}

// An acceptor's own close(2) waits for nothing: the thread that closes makes it, and the address is free.
BOOST_FIXTURE_TEST_CASE(a_lingering_listener_of_asio_frees_its_address, in_context)
{
  plain_acceptor plain(context, {asio::ip::address_v4::loopback(), 0});
  plain.set_option(asio::socket_base::linger(true, 5));
  const auto address = plain.local_endpoint();
  acceptor listener(std::move(plain));
  listener.close();
  acceptor next(context, address, false);
  BOOST_TEST(next.is_open());
}

BOOST_AUTO_TEST_SUITE_END()
