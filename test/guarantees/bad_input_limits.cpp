// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// No descriptor is to be had: each call that needs one reports EMFILE, once, and works when there
// are some again. A close needs none.

#include "support/prelude.hpp"

#include <boost/asio/detached.hpp>

#include <interlock/local/connect_pair.hpp>

#include "support/blocking_subjects.hpp"
#include "support/counted.hpp"
#include "support/refusals.hpp"
#include "support/system_errors.hpp"

using namespace support;
using interlock::local::connect_pair;

namespace {

const error_code no_descriptors = system_error(EMFILE);

/// A listener with a connection in its queue, and a socket for that.
struct listening : counted
{
  acceptor_subject s;
  tcp::socket peer{s.context};
  error_code into_peer = not_called;
  error_code into_new = not_called;
  bool new_is_open = false;

  listening()
  {
    s.feed();
  }

  auto keep()
  {
    return tally(
      [this](error_code ec, const tcp::socket& accepted)
      {
        into_new = ec;
        new_is_open = accepted.is_open();
      });
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_bad_input_limits, counted_in_context)

BOOST_AUTO_TEST_CASE(an_open_without_descriptors_fails_and_can_be_repeated)
{
  tcp::socket socket(context, tcp::v4());
  // Closed for good: no descriptor may come free while there are none.
  socket.async_close(asio::detached);
  run();
  tcp::acceptor acceptor(context);
  {
    const no_more_descriptors limit;
    refused("open", no_descriptors, [&](auto&... ec) { socket.open(tcp::v4(), ec...); });
    refused("open", no_descriptors, [&](auto&... ec) { acceptor.open(tcp::v4(), ec...); });
    throws("open", no_descriptors, [&] { tcp::socket made(context, tcp::v4()); });
    throws("open", no_descriptors, [&] { tcp::acceptor made(context, any_local_port()); });
  }
  BOOST_TEST(!socket.is_open());
  BOOST_TEST(!acceptor.is_open());
  BOOST_CHECK_NO_THROW(socket.open(tcp::v4()));
  BOOST_CHECK_NO_THROW(acceptor.open(tcp::v4()));
}

// Asio's reactor, which is made with a context's first object, needs descriptors of its own.
BOOST_AUTO_TEST_CASE(the_first_open_of_a_context_without_descriptors_reports_it_too)
{
  tcp::socket socket(context);
  error_code ec;
  error_code async_ec;
  {
    const no_more_descriptors limit;
    BOOST_CHECK_NO_THROW(socket.open(tcp::v4(), ec));
    BOOST_CHECK_NO_THROW(socket.async_connect(any_local_port(), tally(into(async_ec))));
    run();
  }
  BOOST_TEST(ec == no_descriptors);
  BOOST_TEST(tally.all_called());
  BOOST_TEST(async_ec == no_descriptors);
  BOOST_CHECK_NO_THROW(socket.open(tcp::v4()));
}

BOOST_AUTO_TEST_CASE(a_connect_without_descriptors_fails_and_can_be_repeated)
{
  acceptor_subject s;
  const auto where = s.object.local_endpoint();
  tcp::socket object(s.context);
  error_code ec = success;
  {
    const no_more_descriptors limit;
    refused("connect", no_descriptors, [&](auto&... e) { object.connect(where, e...); });
    object.async_connect(where, tally(into(ec)));
    BOOST_TEST(tally.called() == 0);
    s.context.run();
    BOOST_TEST(ec == no_descriptors);
  }
  BOOST_TEST(!object.is_open());
  object.async_connect(where, tally(into(ec)));
  s.context.restart();
  s.context.run();
  BOOST_TEST(tally.all_called());
  BOOST_TEST(ec == success);
}

// The connection stays in the backlog, and is had by the first accept that has a descriptor for it.
BOOST_FIXTURE_TEST_CASE(an_accept_without_descriptors_fails_and_can_be_repeated, listening)
{
  {
    const no_more_descriptors limit;
    refused("accept", no_descriptors, [&](auto&... ec) { s.object.accept(ec...); });
    refused("accept", no_descriptors, [&](auto&... ec) { s.object.accept(peer, ec...); });
  }
  BOOST_TEST(!peer.is_open());
  s.object.non_blocking(true);
  BOOST_CHECK_NO_THROW(s.object.accept(peer));
  BOOST_TEST(peer.is_open());
}

BOOST_FIXTURE_TEST_CASE(
  an_asynchronous_accept_without_descriptors_fails_and_can_be_repeated, listening)
{
  {
    const no_more_descriptors limit;
    s.object.async_accept(peer, tally(into(into_peer)));
    s.object.async_accept(keep());
    BOOST_TEST(tally.called() == 0);
    s.context.run();
  }
  BOOST_TEST(tally.all_called());
  BOOST_TEST(into_peer == no_descriptors);
  BOOST_TEST(!peer.is_open());
  BOOST_TEST(into_new == no_descriptors);
  BOOST_TEST(!new_is_open);
  s.object.async_accept(keep());
  s.context.restart();
  s.context.run();
  BOOST_TEST(tally.all_called());
  BOOST_TEST(into_new == success);
  BOOST_TEST(new_is_open);
}

// Two are needed: one alone is not kept.
BOOST_AUTO_TEST_CASE(a_pair_without_descriptors_fails_and_leaves_both_closed)
{
  local::socket first(context, local());
  local::socket second(context);
  first.close();
  {
    const no_more_descriptors limit;
    refused(
      "connect_pair", no_descriptors, [&](auto&... ec) { connect_pair(first, second, ec...); });
  }
  BOOST_TEST(!first.is_open());
  BOOST_TEST(!second.is_open());
  first.open();
  error_code ec;
  connect_pair(second, first, ec);
  BOOST_TEST(ec == error_code(asio::error::already_open));
  BOOST_TEST(!second.is_open());
  first.close();
  BOOST_CHECK_NO_THROW(connect_pair(first, second));
}

// The first close of a context starts a thread with a wake-up descriptor. Without one the descriptor is
// closed in the call.
BOOST_AUTO_TEST_CASE(a_close_needs_no_descriptor)
{
  tcp::socket socket(context, tcp::v4());
  stream_descriptor descriptor(context, pipe_ends().near.release());
  const int fd_of_socket = socket.native_handle();
  const int fd_of_descriptor = descriptor.native_handle();
  const no_more_descriptors limit;
  socket.close();
  BOOST_TEST(!is_fd_open(fd_of_socket));
  error_code ec = not_called;
  descriptor.async_close(tally(into(ec)));
  run();
  BOOST_TEST(!is_fd_open(fd_of_descriptor));
  BOOST_TEST(tally.all_called());
  BOOST_TEST(ec == success);
}

BOOST_AUTO_TEST_SUITE_END()
