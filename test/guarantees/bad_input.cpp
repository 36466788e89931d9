// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Input that a call cannot serve: descriptors that cannot be assigned, objects that are open
// already, addresses, options and commands that the system refuses, a release while the descriptor
// is in use. Each gets its exact error, leaves the object as it was, and costs no descriptor.

#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/error.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include "support/blocking_subjects.hpp"
#include "support/census.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/handler_tally.hpp"
#include "support/refusals.hpp"
#include "support/sync_support.hpp"
#include "support/system_errors.hpp"

namespace asio = boost::asio;
using namespace support;
using interlock::ip::tcp;
using interlock::posix::stream_descriptor;

namespace {

const error_code already_open = asio::error::already_open;
const error_code in_use = interlock::error::in_use;

constexpr int every_invalid[] = {-1, bad_fd};

} // namespace

BOOST_AUTO_TEST_SUITE(test_bad_input)

// --- Descriptors that are given.

#if defined(BOOST_ASIO_HAS_EPOLL)

BOOST_AUTO_TEST_CASE(a_descriptor_that_is_not_open_cannot_be_assigned)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      for (const int invalid : every_invalid)
      {
        error_code ec;
        stream_descriptor descriptor(context);
        descriptor.assign(invalid, ec);
        BOOST_TEST(ec == bad_descriptor);
        BOOST_TEST(!descriptor.is_open());
        tcp::socket socket(context);
        socket.assign(tcp::v4(), invalid, ec);
        BOOST_TEST(ec == bad_descriptor);
        BOOST_TEST(!socket.is_open());
        tcp::acceptor acceptor(context);
        acceptor.assign(tcp::v4(), invalid, ec);
        BOOST_TEST(ec == bad_descriptor);
        BOOST_TEST(!acceptor.is_open());

        // And may be tried again.
        descriptor.assign(pipe_ends().near.release(), ec);
        BOOST_TEST(ec == success);
        socket.open(tcp::v4(), ec);
        BOOST_TEST(ec == success);
      }
    });
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_is_not_open_makes_assign_and_constructor_throw)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      stream_descriptor descriptor(context);
      throws("assign", bad_descriptor, [&] { descriptor.assign(bad_fd); });
      throws("assign", bad_descriptor, [&] { stream_descriptor made(context, bad_fd); });
      throws("assign", bad_descriptor, [&] { tcp::socket made(context, tcp::v4(), bad_fd); });
      throws("assign", bad_descriptor, [&] { tcp::acceptor made(context, tcp::v4(), bad_fd); });
    });
}

// The second is refused; the first goes on, and its descriptor is closed once.
BOOST_AUTO_TEST_CASE(a_descriptor_that_is_watched_already_cannot_be_assigned)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      ends pipe = pipe_ends();
      stream_descriptor first(context, pipe.near.release());
      error_code ec;
      stream_descriptor second(context);
      second.assign(first.native_handle(), ec);
      BOOST_TEST(ec == system_error(EEXIST));
      BOOST_TEST(!second.is_open());
      tcp::socket third(context);
      third.assign(tcp::v4(), first.native_handle(), ec);
      BOOST_TEST(ec == system_error(EEXIST));

      handler_tally handlers;
      char data[8];
      ec = aborted;
      first.async_read_some(asio::buffer(data), handlers(into(ec)));
      send_text(pipe.far, "x");
      context.run();
      BOOST_TEST(handlers.all_called());
      BOOST_TEST(ec == success);
    });
}

#endif

BOOST_AUTO_TEST_CASE(an_open_object_takes_no_other_descriptor)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      fd offered = pipe_ends().near;
      stream_descriptor descriptor(context, pipe_ends().near.release());
      const int own = descriptor.native_handle();
      error_code ec;
      descriptor.assign(offered.get(), ec);
      BOOST_TEST(ec == already_open);
      BOOST_TEST(descriptor.native_handle() == own);
      throws("assign", already_open, [&] { descriptor.assign(offered.get()); });
      // Not even its own.
      descriptor.assign(own, ec);
      BOOST_TEST(ec == already_open);
      BOOST_TEST(is_fd_open(own));

      tcp::socket socket(context, tcp::v4());
      socket.assign(tcp::v4(), offered.get(), ec);
      BOOST_TEST(ec == already_open);
      BOOST_TEST(is_fd_open(offered.get()));
      descriptor.close();
      descriptor.assign(offered.get(), ec);
      BOOST_TEST(ec == success);
      offered.release();
    });
}

BOOST_AUTO_TEST_CASE(an_open_object_is_not_opened_again)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      tcp::socket socket(context, tcp::v4());
      const int own = socket.native_handle();
      error_code ec;
      socket.open(tcp::v6(), ec);
      BOOST_TEST(ec == already_open);
      BOOST_TEST(socket.native_handle() == own);
      throws("open", already_open, [&] { socket.open(tcp::v4()); });
      BOOST_TEST(socket.is_open());

      tcp::acceptor acceptor(context, any_local_port());
      acceptor.open(tcp::v4(), ec);
      BOOST_TEST(ec == already_open);
      BOOST_TEST(acceptor.local_endpoint(ec).port() != 0);
    });
}

// The connection is neither accepted nor lost: the next accept gets it.
BOOST_AUTO_TEST_CASE(an_open_peer_accepts_nothing)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      acceptor_subject s;
      s.feed();
      tcp::socket peer(s.context, tcp::v4());
      const int own = peer.native_handle();
      error_code ec;
      s.object.accept(peer, ec);
      BOOST_TEST(ec == already_open);
      throws("accept", already_open, [&] { s.object.accept(peer); });

      handler_tally handlers;
      s.object.async_accept(peer, handlers(into(ec = success)));
      BOOST_TEST(handlers.called() == 0);
      s.context.run();
      BOOST_TEST(handlers.all_called());
      BOOST_TEST(ec == already_open);
      BOOST_TEST(peer.native_handle() == own);

      s.object.non_blocking(true);
      BOOST_TEST(s.object.accept(context).is_open());
    });
}

// --- Releasing what is in use.

BOOST_AUTO_TEST_CASE(a_socket_in_use_by_a_blocked_call_is_not_released)
{
  const census descriptors;
  {
    tcp_subject s;
    const int own = s.object.native_handle();
    char data[8];
    call_in_thread blocked(
      [&] {
        return outcome{success, s.object.read_some(asio::buffer(data))};
      });
    BOOST_TEST_REQUIRE(blocked.blocks());
    error_code ec;
    BOOST_TEST(s.object.release(ec) == -1);
    BOOST_TEST(ec == in_use);
    throws("release", in_use, [&] { s.object.release(); });
    throws("move", in_use, [&] { s.object.to_asio(); });
    BOOST_TEST(s.object.native_handle() == own);

    // The call has not been disturbed, and once it has returned the descriptor is to be had.
    s.feed();
    BOOST_TEST(blocked.get().bytes == 1u);
    const fd released(s.object.release(ec));
    BOOST_TEST(ec == success);
    BOOST_TEST(released.get() == own);
    BOOST_TEST(is_fd_open(own));
    BOOST_TEST(!s.object.is_open());
  }
  BOOST_TEST(descriptors.restored());
}

BOOST_AUTO_TEST_CASE(a_descriptor_in_use_by_a_blocked_call_is_not_released)
{
  pipe_subject s;
  char data[8];
  call_in_thread blocked([&] { return outcome{success, s.object.read_some(asio::buffer(data))}; });
  BOOST_TEST_REQUIRE(blocked.blocks());
  error_code ec;
  BOOST_TEST(s.object.release(ec) == -1);
  BOOST_TEST(ec == in_use);
  throws("release", in_use, [&] { s.object.release(); });
  s.feed();
  BOOST_TEST(blocked.get().bytes == 1u);
  const fd released(s.object.release());
  BOOST_TEST(is_fd_open(released.get()));
}

// An operation that is outstanding is not a call: it is cancelled, as with Asio.
BOOST_AUTO_TEST_CASE(a_release_aborts_what_is_outstanding_and_keeps_the_descriptor_open)
{
  const census descriptors;
  {
    tcp_subject s;
    char data[8];
    handler_tally handlers;
    error_code result;
    s.object.async_read_some(asio::buffer(data), handlers(into(result)));
    const fd released(s.object.release());
    BOOST_TEST(is_fd_open(released.get()));
    BOOST_TEST(handlers.called() == 0);
    s.context.run();
    BOOST_TEST(handlers.all_called());
    BOOST_TEST(result == aborted);
    s.feed();
    BOOST_TEST(::read(released.get(), data, sizeof(data)) == 1);
  }
  BOOST_TEST(descriptors.restored());
}

BOOST_AUTO_TEST_SUITE_END()
