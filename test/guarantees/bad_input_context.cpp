// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Contexts that do not serve: one that has been stopped, one that no thread runs, one that has been
// shut down. On the first two everything but completions works, and a close closes; on the third
// nothing is opened. No descriptor is lost, and no handler is called where it should not be.

#include <memory>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/ip/tcp.hpp>
#include <interlock/local/connect_pair.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include "support/blocking_subjects.hpp"
#include "support/census.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/handler_tally.hpp"
#include "support/refusals.hpp"
#include "support/sync_support.hpp"

namespace asio = boost::asio;
using namespace support;
using interlock::ip::tcp;
using interlock::posix::stream_descriptor;

namespace {

const error_code not_supported = asio::error::operation_not_supported;

/// A context that can be shut down while its objects live. (Its services are shut down once more
/// with the context itself, as they are by every context from Boost 1.82 on.)
class mortal_context : public asio::io_context
{
public:
  void shut_down()
  {
    shutdown();
  }
};

void refuses_a_pair(asio::io_context& context)
{
  interlock::local::stream_protocol::socket first(context);
  interlock::local::stream_protocol::socket second(context);
  error_code ec;
  interlock::local::connect_pair(first, second, ec);
  BOOST_TEST(ec == not_supported);
  BOOST_TEST(!first.is_open());
  BOOST_TEST(!second.is_open());
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_bad_input_context)

BOOST_AUTO_TEST_CASE(a_stopped_context_serves_synchronous_calls_and_completes_after_a_restart)
{
  const census descriptors;
  {
    tcp_subject s;
    s.context.stop();
    handler_tally handlers;
    error_code read_result;
    error_code close_result = aborted;
    char data[8];
    s.feed();
    BOOST_TEST(s.object.read_some(asio::buffer(data)) == 1u);
    s.object.async_read_some(asio::buffer(data), handlers(into(read_result)));
    s.object.async_close(handlers(into(close_result)));
    BOOST_TEST(s.context.run() == 0u);
    BOOST_TEST(handlers.called() == 0);
    s.context.restart();
    s.context.run();
    BOOST_TEST(handlers.all_called());
    BOOST_TEST(read_result == aborted);
    BOOST_TEST(close_result == success);
  }
  BOOST_TEST(descriptors.restored());
}

// The step on the strand never comes; the descriptor is closed nevertheless, and the handlers,
// which no thread calls, go with the context.
BOOST_AUTO_TEST_CASE(a_context_that_is_not_run_keeps_no_descriptor_open)
{
  const census descriptors;
  handler_tally handlers;
  {
    tcp_subject s;
    close_watch watch(s.object.native_handle());
    error_code ignored;
    char data[8];
    s.object.async_read_some(asio::buffer(data), handlers(into(ignored)));
    s.object.async_close(handlers(into(ignored)));
    BOOST_TEST(watch.wait_closed());
    BOOST_TEST(watch.closed() == 1u);
    BOOST_TEST(handlers.called() == 0);
  }
  BOOST_TEST(handlers.called() == 0);
  BOOST_TEST(handlers.all_ended());
  BOOST_TEST(descriptors.restored());
}

BOOST_AUTO_TEST_CASE(a_failed_initiation_on_a_stopped_context_completes_after_a_restart)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      tcp::socket object(context);
      context.stop();
      handler_tally handlers;
      error_code result;
      char data[8];
      object.async_read_some(asio::buffer(data), handlers(into(result)));
      BOOST_TEST(context.run() == 0u);
      BOOST_TEST(handlers.called() == 0);
      context.restart();
      context.run();
      BOOST_TEST(handlers.all_called());
      BOOST_TEST(result == bad_descriptor);
    });
}

BOOST_AUTO_TEST_CASE(a_context_that_has_been_shut_down_opens_nothing)
{
  const census descriptors;
  {
    mortal_context context;
    tcp::socket socket(context, tcp::v4());
    tcp::acceptor acceptor(context, any_local_port());
    stream_descriptor descriptor(context, pipe_ends().near.release());
    close_watch watch(socket.native_handle());
    const auto where = acceptor.local_endpoint();
    context.shut_down();
    BOOST_TEST(watch.closed() == 1u);
    BOOST_TEST(!socket.is_open());
    BOOST_TEST(!acceptor.is_open());
    BOOST_TEST(!descriptor.is_open());

    error_code ec;
    socket.open(tcp::v4(), ec);
    BOOST_TEST(ec == not_supported);
    throws("open", not_supported, [&] { socket.open(tcp::v4()); });
    socket.connect(where, ec);
    BOOST_TEST(ec == not_supported);
    acceptor.open(tcp::v4(), ec);
    BOOST_TEST(ec == not_supported);
    const fd offered = pipe_ends().near;
    descriptor.assign(offered.get(), ec);
    BOOST_TEST(ec == not_supported);
    throws("assign", not_supported, [&] { stream_descriptor(context, offered.get()); });
    throws("open", not_supported, [&] { tcp::socket(context, tcp::v4()); });
    refuses_a_pair(context);
    BOOST_TEST(!socket.is_open());
    socket.close();
  }
  BOOST_TEST(descriptors.restored());
}

// Asio's object has let go of its descriptor by then: it is closed, not lost.
BOOST_AUTO_TEST_CASE(a_context_that_has_been_shut_down_takes_nothing_over_from_asio)
{
  const census descriptors;
  {
    mortal_context context;
    tcp::socket first(context, tcp::v4());
    first.close();
    asio::ip::tcp::socket plain(context, asio::ip::tcp::v4());
    context.shut_down();
    asio::ip::tcp::socket late(context);
    late.assign(asio::ip::tcp::v4(), tcp_ends().near.release());
    throws("move", not_supported, [&] { tcp::socket taken(std::move(late)); });
  }
  BOOST_TEST(descriptors.restored());
}

// There is nowhere to complete: the handlers are destroyed, not called.
BOOST_AUTO_TEST_CASE(operations_started_after_the_shutdown_are_destroyed_uncalled)
{
  const census descriptors;
  handler_tally handlers;
  {
    mortal_context context;
    tcp::socket object(context, tcp::v4());
    context.shut_down();
    error_code ignored;
    char data[8];
    object.async_read_some(asio::buffer(data), handlers(into(ignored)));
    object.async_connect(any_local_port(), handlers(into(ignored)));
    object.async_close(handlers(into(ignored)));
    object.async_wait(object.wait_read, handlers(into(ignored)));
  }
  BOOST_TEST(handlers.made() == 4);
  BOOST_TEST(handlers.called() == 0);
  BOOST_TEST(handlers.all_ended());
  BOOST_TEST(descriptors.restored());
}

BOOST_AUTO_TEST_SUITE_END()
