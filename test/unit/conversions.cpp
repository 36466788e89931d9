// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Moves between types: of another executor, and from and to Asio's own. Operations go along, and a
// close waits for them.

#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <thread>
#include <type_traits>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/test/unit_test.hpp>

#include "support/census.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/handler_tally.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using boost::system::system_error;
using interlock::ip::tcp;
using local = interlock::local::stream_protocol;
using interlock::posix::stream_descriptor;

namespace
{

const error_code success;
const error_code aborted = asio::error::operation_aborted;
const error_code not_called = asio::error::fault;

using plain_socket = asio::local::stream_protocol::socket;
using narrow_socket = local::socket::rebind_executor<asio::io_context::executor_type>::other;

struct connected
{
  asio::io_context context;
  support::ends pair = support::unix_ends();
  support::handler_tally tally;
  error_code read = not_called;
  error_code closed = not_called;
  std::size_t size = 0;
  char buffer[8] = {};

  template <class Object>
  void start_read(Object& object)
  {
    object.async_read_some(asio::buffer(buffer),
      tally(
        [this](error_code ec, std::size_t n)
        {
          read = ec;
          size = n;
        }));
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_conversions)

BOOST_FIXTURE_TEST_CASE(an_operation_goes_with_a_move_to_another_executor_type, connected)
{
  narrow_socket from(context, local(), pair.near.release());
  start_read(from);
  local::socket to(std::move(from));
  BOOST_TEST(!from.is_open());
  BOOST_TEST(to.remote_endpoint().protocol().family() == AF_UNIX);
  support::send_text(pair.far, "hello");
  context.run();
  BOOST_TEST(read == success);
  BOOST_TEST(size == 5u);
  BOOST_TEST(to.is_open());
}

// Its handlers are the new object's to wait for, though another tenure has counted them.
BOOST_FIXTURE_TEST_CASE(a_close_waits_for_operations_from_before_a_converting_move, connected)
{
  asio::io_context idle;
  narrow_socket from(context, local(), pair.near.release());
  const support::close_watch watch(from.native_handle());
  from.async_read_some(
    asio::buffer(buffer), asio::bind_executor(idle.get_executor(), tally(support::into(read))));
  local::socket to(std::move(from));
  to.async_close(tally(support::into(closed)));
  BOOST_TEST(support::wait_until([&] { return context.poll(), watch.closed() == 1; }));
  context.poll();
  BOOST_TEST(tally.called() == 0);
  idle.run();
  BOOST_TEST(read == aborted);
  context.run();
  BOOST_TEST(closed == success);
  BOOST_TEST(tally.all_called());
}

BOOST_FIXTURE_TEST_CASE(a_converting_assignment_takes_over_and_closes_the_old, connected)
{
  const support::close_watch watch(pair.near.get());
  local::socket s(context, local(), pair.near.release());
  support::ends other = support::unix_ends();
  narrow_socket from(context, local(), other.near.release());
  start_read(from);
  s = std::move(from);
  BOOST_TEST(watch.wait_closed());
  support::send_text(other.far, "x");
  context.run();
  BOOST_TEST(read == success);
  // Opened again, what was moved from has a tenure that nothing of the old one reaches.
  support::ends again = support::unix_ends();
  from.assign(local(), again.near.release());
  BOOST_TEST(from.is_open());
}

// A call is inside: its thread would go on with a descriptor that is another object's.
BOOST_FIXTURE_TEST_CASE(a_converting_move_is_refused_while_a_call_is_inside, connected)
{
  narrow_socket from(context, local(), pair.near.release());
  std::thread reader(
    [&]
    {
      // The object is closed for a moment each time that the other thread takes the descriptor out.
      error_code ec;
      do
      {
        size = from.read_some(asio::buffer(buffer), ec);
      } while (ec == asio::error::bad_descriptor);
    });
  bool refused = false;
  BOOST_TEST(support::wait_until(
    [&]
    {
      error_code ec;
      const int released = from.release(ec);
      refused = ec == error_code(interlock::error::in_use);
      if (released >= 0)
        from.assign(local(), released);
      return refused;
    }));
  BOOST_CHECK_THROW(local::socket to(std::move(from)), system_error);
  BOOST_CHECK_THROW(from.to_asio(), system_error);
  BOOST_TEST(from.is_open());
  support::send_text(pair.far, "hello");
  reader.join();
  BOOST_TEST(size == 5u);
}

BOOST_FIXTURE_TEST_CASE(a_socket_of_asio_becomes_one_of_ours, connected)
{
  plain_socket from(context, asio::local::stream_protocol(), pair.near.release());
  start_read(from);
  local::socket to(std::move(from));
  BOOST_TEST(!from.is_open());
  support::send_text(pair.far, "hello");
  context.run();
  BOOST_TEST(read == success);
  BOOST_TEST(to.is_open());
  BOOST_TEST(to.send(asio::buffer("data", 4)) == 4u);
}

BOOST_FIXTURE_TEST_CASE(a_socket_of_ours_becomes_one_of_asio, connected)
{
  local::socket from(context, local(), pair.near.release());
  start_read(from);
  plain_socket to = from.to_asio();
  BOOST_TEST(!from.is_open());
  BOOST_TEST(to.is_open());
  support::send_text(pair.far, "hello");
  context.run();
  BOOST_TEST(read == success);
  BOOST_CHECK_THROW(from.to_asio(), system_error);
}

// Nothing of ours is open any more, but the handler of an operation is still outstanding.
BOOST_FIXTURE_TEST_CASE(a_close_after_to_asio_waits_for_the_operations_that_went_along, connected)
{
  local::socket from(context, local(), pair.near.release());
  start_read(from);
  plain_socket to = from.to_asio();
  from.async_close(tally(support::into(closed)));
  context.poll();
  BOOST_TEST(tally.called() == 0);
  support::send_text(pair.far, "x");
  context.restart();
  context.run();
  BOOST_TEST(read == success);
  BOOST_TEST(closed == success);
}

BOOST_AUTO_TEST_CASE(descriptors_move_from_and_to_asio_too)
{
  const support::census fds;
  {
    asio::io_context context;
    support::ends pair = support::pipe_ends();
    asio::posix::stream_descriptor plain(context, pair.near.release());
    stream_descriptor ours(std::move(plain));
    BOOST_TEST(ours.is_open());
    plain = ours.to_asio();
    BOOST_TEST(plain.is_open());
    BOOST_TEST(!ours.is_open());
  }
  BOOST_TEST(fds.restored());
}

#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
BOOST_AUTO_TEST_CASE(descriptors_move_to_another_executor_type_too)
{
  const support::census fds;
  {
    asio::io_context context;
    using narrow = interlock::posix::basic_stream_descriptor<asio::io_context::executor_type>;
    narrow from(context, support::pipe_ends().near.release());
    stream_descriptor to(std::move(from));
    BOOST_TEST(to.is_open());
    BOOST_TEST(!from.is_open());
  }
  BOOST_TEST(fds.restored());
}
#endif

BOOST_AUTO_TEST_CASE(acceptors_move_with_their_accepts)
{
  asio::io_context context;
  support::handler_tally tally;
  error_code ec = not_called;
  using narrow = tcp::acceptor::rebind_executor<asio::io_context::executor_type>::other;
  narrow from(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  from.async_accept(
    tally([&ec](error_code e, const auto& peer) { ec = peer.is_open() ? e : not_called; }));
  tcp::acceptor to(std::move(from));
  asio::ip::tcp::socket client(context);
  client.connect(to.local_endpoint());
  context.run();
  BOOST_TEST(ec == success);
  BOOST_TEST(to.is_open());
  BOOST_TEST(tally.all_called());
}

BOOST_AUTO_TEST_SUITE_END()
