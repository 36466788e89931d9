// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// No descriptor is to be had: each call that needs one reports EMFILE, once, and works when there
// are some again. A close needs none.

#include <cerrno>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/ip/tcp.hpp>
#include <interlock/local/connect_pair.hpp>
#include <interlock/local/stream_protocol.hpp>
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
namespace local = interlock::local;

namespace {

const error_code no_descriptors = system_error(EMFILE);

} // namespace

BOOST_AUTO_TEST_SUITE(test_bad_input_limits)

BOOST_AUTO_TEST_CASE(an_open_without_descriptors_fails_and_can_be_repeated)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      tcp::socket socket(context, tcp::v4());
      // Closed for good: no descriptor may come free while there are none.
      socket.async_close(asio::detached);
      context.run();
      context.restart();
      tcp::acceptor acceptor(context);
      error_code ec;
      {
        const no_more_descriptors limit;
        socket.open(tcp::v4(), ec);
        BOOST_TEST(ec == no_descriptors);
        acceptor.open(tcp::v4(), ec);
        BOOST_TEST(ec == no_descriptors);
        throws("open", no_descriptors, [&] { socket.open(tcp::v4()); });
        throws("open", no_descriptors, [&] { tcp::socket made(context, tcp::v4()); });
        throws("open", no_descriptors, [&] { tcp::acceptor made(context, any_local_port()); });
      }
      BOOST_TEST(!socket.is_open());
      BOOST_TEST(!acceptor.is_open());
      socket.open(tcp::v4(), ec);
      BOOST_TEST(ec == success);
      acceptor.open(tcp::v4(), ec);
      BOOST_TEST(ec == success);
    });
}

// Asio's reactor, which is made with a context's first object, needs descriptors of its own.
BOOST_AUTO_TEST_CASE(the_first_open_of_a_context_without_descriptors_reports_it_too)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      tcp::socket socket(context);
      handler_tally handlers;
      error_code ec;
      error_code async_ec;
      {
        const no_more_descriptors limit;
        BOOST_CHECK_NO_THROW(socket.open(tcp::v4(), ec));
        BOOST_CHECK_NO_THROW(socket.async_connect(any_local_port(), handlers(into(async_ec))));
        context.run();
      }
      BOOST_TEST(ec == no_descriptors);
      BOOST_TEST(handlers.made() == 1);
      BOOST_TEST(handlers.all_called());
      BOOST_TEST(async_ec == no_descriptors);
      socket.open(tcp::v4(), ec);
      BOOST_TEST(ec == success);
    });
}

BOOST_AUTO_TEST_CASE(a_connect_without_descriptors_fails_and_can_be_repeated)
{
  const census descriptors;
  {
    acceptor_subject s;
    const auto where = s.object.local_endpoint();
    tcp::socket object(s.context);
    error_code ec;
    handler_tally handlers;
    {
      const no_more_descriptors limit;
      object.connect(where, ec);
      BOOST_TEST(ec == no_descriptors);
      throws("connect", no_descriptors, [&] { object.connect(where); });
      object.async_connect(where, handlers(into(ec = success)));
      BOOST_TEST(handlers.called() == 0);
      s.context.run();
      BOOST_TEST(handlers.all_called());
      BOOST_TEST(ec == no_descriptors);
    }
    BOOST_TEST(!object.is_open());
    object.async_connect(where, handlers(into(ec)));
    s.context.restart();
    s.context.run();
    BOOST_TEST(handlers.all_called());
    BOOST_TEST(ec == success);
  }
  BOOST_TEST(descriptors.restored());
}

// The connection stays in the backlog, and is had by the first accept that has a descriptor for it.
BOOST_AUTO_TEST_CASE(an_accept_without_descriptors_fails_and_can_be_repeated)
{
  const census descriptors;
  {
    acceptor_subject s;
    s.feed();
    tcp::socket peer(s.context);
    error_code ec;
    {
      const no_more_descriptors limit;
      BOOST_TEST(!s.object.accept(ec).is_open());
      BOOST_TEST(ec == no_descriptors);
      s.object.accept(peer, ec);
      BOOST_TEST(ec == no_descriptors);
      throws("accept", no_descriptors, [&] { s.object.accept(peer); });
    }
    BOOST_TEST(!peer.is_open());
    s.object.non_blocking(true);
    s.object.accept(peer, ec);
    BOOST_TEST(ec == success);
    BOOST_TEST(peer.is_open());
  }
  BOOST_TEST(descriptors.restored());
}

BOOST_AUTO_TEST_CASE(an_asynchronous_accept_without_descriptors_fails_and_can_be_repeated)
{
  const census descriptors;
  {
    acceptor_subject s;
    s.feed();
    tcp::socket peer(s.context);
    handler_tally handlers;
    error_code into_peer;
    error_code into_new;
    bool new_is_open = true;
    const auto keep = [&](error_code ec, tcp::socket accepted)
    {
      into_new = ec;
      new_is_open = accepted.is_open();
    };
    {
      const no_more_descriptors limit;
      s.object.async_accept(peer, handlers(into(into_peer)));
      s.object.async_accept(handlers(keep));
      BOOST_TEST(handlers.called() == 0);
      s.context.run();
    }
    BOOST_TEST(handlers.all_called());
    BOOST_TEST(into_peer == no_descriptors);
    BOOST_TEST(!peer.is_open());
    BOOST_TEST(into_new == no_descriptors);
    BOOST_TEST(!new_is_open);
    s.object.async_accept(handlers(keep));
    s.context.restart();
    s.context.run();
    BOOST_TEST(handlers.all_called());
    BOOST_TEST(into_new == success);
    BOOST_TEST(new_is_open);
  }
  BOOST_TEST(descriptors.restored());
}

// Two are needed: one alone is not kept.
BOOST_AUTO_TEST_CASE(a_pair_without_descriptors_fails_and_leaves_both_closed)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      local::stream_protocol::socket first(context, local::stream_protocol());
      local::stream_protocol::socket second(context);
      first.close();
      error_code ec;
      {
        const no_more_descriptors limit;
        local::connect_pair(first, second, ec);
        BOOST_TEST(ec == no_descriptors);
        throws("connect_pair", no_descriptors, [&] { local::connect_pair(first, second); });
      }
      BOOST_TEST(!first.is_open());
      BOOST_TEST(!second.is_open());
      first.open();
      local::connect_pair(second, first, ec);
      BOOST_TEST(ec == error_code(asio::error::already_open));
      BOOST_TEST(!second.is_open());
      first.close();
      local::connect_pair(first, second, ec);
      BOOST_TEST(ec == success);
    });
}

// The first close of a context starts a thread with a wake-up descriptor. Without one the descriptor is
// closed in the call.
BOOST_AUTO_TEST_CASE(a_close_needs_no_descriptor)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      tcp::socket socket(context, tcp::v4());
      interlock::posix::stream_descriptor descriptor(context, pipe_ends().near.release());
      const int fd_of_socket = socket.native_handle();
      const int fd_of_descriptor = descriptor.native_handle();
      const no_more_descriptors limit;
      socket.close();
      BOOST_TEST(!is_fd_open(fd_of_socket));
      handler_tally handlers;
      error_code ec = aborted;
      descriptor.async_close(handlers(into(ec)));
      context.run();
      BOOST_TEST(!is_fd_open(fd_of_descriptor));
      BOOST_TEST(handlers.all_called());
      BOOST_TEST(ec == success);
    });
}

BOOST_AUTO_TEST_SUITE_END()
