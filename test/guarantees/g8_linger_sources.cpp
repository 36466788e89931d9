// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// SO_LINGER, from wherever a socket may have it without the object having been told: the library asks the descriptor where other
// code may have set the option, and close(2) never waits for it.

#include "support/prelude.hpp"

#include <interlock/ip/udp.hpp>

#include <tuple>

#include <sys/ioctl.h>

#include <boost/asio/socket_base.hpp>

#include "support/counted.hpp"
#include "support/lingering_socket.hpp"
#include "support/local_port.hpp"
#include "support/raw_option.hpp"
#include "support/tcp_facts.hpp"

using namespace support;
using asio::socket_base;

namespace {

/// The descriptor that is opened next.
int lowest_free()
{
  return fd(checked(::dup(0), "dup")).get();
}

/// A connection of the library's own, whose descriptor is known without asking the object.
struct connected : counted_in_context
{
  // The first object of a context makes its reactor, which takes descriptors as well.
  asio::ip::tcp::acceptor acceptor{context, any_local_port()};
  const int descriptor = lowest_free();
  tcp::socket object{context, tcp::v4()};
  fd peer;

  connected()
  {
    object.async_connect(acceptor.local_endpoint(), tally([](error_code) {}));
    run();
    peer.reset(acceptor.accept().release());
  }
};

/// The connection that is accepted next has `descriptor`.
struct listening : counted_in_context
{
  tcp::acceptor acceptor{context, any_local_port()};
  tcp::socket accepted{context};
  fd peer;
  int descriptor = -1;

  void connect()
  {
    asio::ip::tcp::socket client(context);
    client.connect(acceptor.local_endpoint());
    peer.reset(client.release());
    descriptor = lowest_free();
  }
};

/// A command that Asio has no type for.
struct async_flag
{
  int name() const
  {
    return FIOASYNC;
  }

  void* data()
  {
    return &off;
  }

  int off = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_g8_linger_sources)

BOOST_FIXTURE_TEST_CASE(what_is_inherited_from_a_listener_is_done_as_well, listening)
{
  acceptor.set_option(socket_base::linger(true, 5));
  connect();
  acceptor.accept(accepted);
  check_lingering_close(accepted, descriptor, peer);
}

BOOST_FIXTURE_TEST_CASE(what_is_inherited_from_the_descriptor_of_a_listener_is_done, listening)
{
  set_linger(acceptor.native_handle(), 5);
  connect();
  acceptor.accept(accepted);
  check_lingering_close(accepted, descriptor, peer);
}

BOOST_FIXTURE_TEST_CASE(what_an_async_accept_inherits_is_done, listening)
{
  acceptor.set_option(socket_base::linger(true, 5));
  connect();
  acceptor.async_accept(tally([this](error_code, tcp::socket s) { accepted = std::move(s); }));
  run();
  check_lingering_close(accepted, descriptor, peer);
}

// The accept was started on the object that has been converted since.
BOOST_FIXTURE_TEST_CASE(a_pending_accept_knows_what_has_happened_to_its_listener, listening)
{
  tcp::acceptor::rebind_executor<asio::io_context::executor_type>::other from(
    context, any_local_port());
  from.async_accept(accepted, tally([](error_code ec) { BOOST_TEST(!ec); }));
  acceptor = std::move(from);
  acceptor.set_option(socket_base::linger(true, 5));
  connect();
  run();
  check_lingering_close(accepted, descriptor, peer);
}

BOOST_FIXTURE_TEST_CASE(an_option_that_the_library_does_not_know_makes_it_ask, connected)
{
  object.set_option(raw_option(SOL_SOCKET, SO_TIMESTAMP, sizeof(int)));
  set_linger(descriptor, 5);
  check_lingering_close(object, descriptor, peer);
}

BOOST_FIXTURE_TEST_CASE(a_control_command_of_the_users_makes_the_library_ask, connected)
{
  async_flag command;
  object.io_control(command);
  set_linger(descriptor, 5);
  check_lingering_close(object, descriptor, peer);
}

BOOST_FIXTURE_TEST_CASE(a_lease_makes_the_library_ask, connected)
{
  set_linger(object.lease().get(), 5);
  check_lingering_close(object, descriptor, peer);
}

// What the library finds behind the descriptor counts, not what the object is.
using other_objects = std::tuple<stream_descriptor, interlock::ip::udp::socket>;

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_socket_in_an_object_of_another_type_lingers, Object, other_objects, counted_in_context)
{
  ends pair = narrow_tcp_ends();
  const int descriptor = pair.near.get();
  set_linger(descriptor, 5);
  Object object(this->context);
  if constexpr (std::is_same<Object, stream_descriptor>::value)
    object.assign(pair.near.release());
  else
    object.assign(interlock::ip::udp::v4(), pair.near.release());
  check_lingering_close(object, descriptor, pair.far);
}

BOOST_AUTO_TEST_SUITE_END()
