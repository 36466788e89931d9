// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G9 and the execution context: one that is never run, stopped, shut down or destroyed loses no
// descriptor and no handler, and a close that is waited for keeps it running.

#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <atomic>
#include <future>
#include <optional>
#include <thread>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/test/unit_test.hpp>

#include "support/census.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/sync_support.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::ip::tcp;
using local = interlock::local::stream_protocol;
using interlock::posix::stream_descriptor;

namespace {

const error_code aborted = asio::error::operation_aborted;
const error_code not_called = asio::error::fault;

/// A context that can be shut down before it is destroyed.
struct mortal_context : asio::io_context
{
  using asio::io_context::execution_context::shutdown;
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_contexts)

BOOST_AUTO_TEST_CASE(async_close_keeps_run_from_returning)
{
  asio::io_context context;
  support::ends pair = support::pipe_ends();
  support::close_watch watch(pair.near.get());
  watch.shut_gate();
  stream_descriptor d(context, pair.near.release());
  std::atomic<bool> called{false};
  d.async_close([&called](error_code) { called = true; });
  std::thread opener(
    [&watch]
    {
      BOOST_TEST(watch.wait_arrived());
      watch.open_gate();
    });
  context.run();
  BOOST_TEST(called);
  opener.join();
}

BOOST_AUTO_TEST_CASE(async_close_keeps_the_context_of_its_handler_running_too)
{
  support::loop loop;
  asio::io_context other;
  support::ends pair = support::pipe_ends();
  support::close_watch watch(pair.near.get());
  watch.shut_gate();
  stream_descriptor d(loop.context, pair.near.release());
  support::handler_tally tally;
  d.async_close(asio::bind_executor(other.get_executor(), tally([](error_code) {})));
  std::thread opener(
    [&watch]
    {
      BOOST_TEST(watch.wait_arrived());
      watch.open_gate();
    });
  other.run();
  BOOST_TEST(tally.called() == 1);
  opener.join();
}

// Its executor may be of the type of the object's, and is another one all the same.
BOOST_AUTO_TEST_CASE(async_close_keeps_both_contexts_running)
{
  asio::io_context context;
  asio::io_context other;
  support::ends pair = support::pipe_ends();
  support::close_watch watch(pair.near.get());
  watch.shut_gate();
  stream_descriptor d(context, pair.near.release());
  support::handler_tally tally;
  const asio::any_io_executor ex = other.get_executor();
  d.async_close(asio::bind_executor(ex, tally([](error_code) {})));
  context.poll();
  other.poll();
  BOOST_TEST(watch.wait_arrived());
  BOOST_TEST(!context.stopped());
  BOOST_TEST(!other.stopped());
  watch.open_gate();
  context.run();
  BOOST_TEST(tally.called() == 0);
  other.run();
  BOOST_TEST(tally.called() == 1);
}

BOOST_AUTO_TEST_CASE(close_does_not_keep_run_from_returning)
{
  asio::io_context context;
  support::ends pair = support::unread_ends();
  support::close_watch watch(pair.near.get());
  watch.shut_gate();
  stream_descriptor d(context, pair.near.release());
  d.close();
  BOOST_TEST(watch.wait_arrived());
  context.run();
  BOOST_TEST(watch.closed() == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_open_is_closed_when_the_context_goes)
{
  support::ends stream = support::tcp_ends();
  support::ends pipe = support::pipe_ends();
  const support::close_watch first(stream.near.get());
  const support::close_watch second(pipe.near.get());
  {
    std::optional<asio::io_context> context(std::in_place);
    tcp::socket s(*context, tcp::v4(), stream.near.release());
    stream_descriptor d(*context, pipe.near.release());
    tcp::acceptor a(*context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    context.reset();
    BOOST_TEST(first.closed() == 1u);
    BOOST_TEST(second.closed() == 1u);
    BOOST_TEST(!s.is_open());
    BOOST_TEST(!a.is_open());
  }
  BOOST_TEST(first.closed() == 1u);
  BOOST_TEST(second.closed() == 1u);
}

BOOST_AUTO_TEST_CASE(nothing_can_be_opened_after_the_shutdown)
{
  support::handler_tally tally;
  {
    mortal_context context;
    support::ends pair = support::unix_ends();
    const support::close_watch watch(pair.near.get());
    local::socket s(context, local(), pair.near.release());
    local::socket never_opened(context);
    s.async_close(tally([](error_code) {}));
    context.shutdown();
    BOOST_TEST(watch.closed() == 1u);
    BOOST_TEST(tally.ended() == 1);
    error_code ec;
    tcp::socket late(context);
    late.open(tcp::v4(), ec);
    BOOST_TEST(ec == error_code(asio::error::operation_not_supported));
    support::ends again = support::unix_ends();
    s.assign(local(), again.near.get(), ec);
    BOOST_TEST(ec == error_code(asio::error::operation_not_supported));
    BOOST_TEST(!support::hung_up(again.far));
    // There is nowhere to complete: it is destroyed, now or with the context.
    s.async_close(tally([](error_code) {}));
    never_opened.async_close(tally([](error_code) {}));
    s.close();
  }
  BOOST_TEST(tally.made() == 3);
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(tally.all_ended());
}

// As from Boost 1.82 on, where the destructor does it a second time.
BOOST_AUTO_TEST_CASE(a_context_may_be_shut_down_twice)
{
  const support::census fds;
  {
    mortal_context context;
    support::handler_tally tally;
    support::ends pair = support::unix_ends();
    local::socket s(context, local(), pair.near.release());
    char buffer[8];
    s.async_read_some(asio::buffer(buffer), tally([](error_code, std::size_t) {}));
    context.shutdown();
    context.shutdown();
    BOOST_TEST(tally.called() == 0);
    BOOST_TEST(tally.all_ended());
  }
  BOOST_TEST(fds.restored());
}

// The worker is left behind with the close(2) that is blocked, and finishes it without the context.
BOOST_AUTO_TEST_CASE(a_context_may_be_destroyed_while_close2_is_blocked)
{
  const support::census fds;
  {
    support::handler_tally tally;
    support::ends pair = support::unread_ends();
    support::close_watch watch(pair.near.get());
    watch.shut_gate();
    {
      asio::io_context context;
      stream_descriptor d(context, pair.near.release());
      d.async_close(tally([](error_code) {}));
      d.close();
      BOOST_TEST(watch.wait_arrived());
    }
    BOOST_TEST(tally.called() == 0);
    BOOST_TEST(tally.all_ended());
    BOOST_TEST(watch.closed() == 0u);
    watch.open_gate();
    BOOST_TEST(watch.wait_closed());
  }
  BOOST_TEST(fds.restored());
}

// The call is inside when the context goes: it is woken, and is the last to touch the descriptor.
BOOST_AUTO_TEST_CASE(a_blocked_call_returns_when_its_context_is_destroyed)
{
  std::optional<asio::io_context> context(std::in_place);
  support::ends pair = support::unix_ends();
  const support::close_watch watch(pair.near.get());
  local::socket s(*context, local(), pair.near.release());
  char buffer[8];
  support::call_in_thread reader(
    [&]
    {
      support::outcome o;
      o.bytes = s.read_some(asio::buffer(buffer), o.ec);
      return o;
    });
  BOOST_TEST(reader.blocks());
  context.reset();
  BOOST_TEST(reader.get().ec == aborted);
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(watch.closed() == 1u);
}

BOOST_AUTO_TEST_CASE(a_handler_outlives_the_context_of_its_object)
{
  const support::census fds;
  {
    asio::io_context idle;
    support::handler_tally tally;
    error_code read = not_called;
    char buffer[8];
    {
      asio::io_context context;
      support::ends pair = support::unix_ends();
      local::socket s(context, local(), pair.near.release());
      s.async_read_some(
        asio::buffer(buffer), asio::bind_executor(idle.get_executor(), tally(support::into(read))));
      s.async_close(tally([](error_code) {}));
      s.close();
      // The aborted read is handed over to its own context.
      context.poll();
    }
    BOOST_TEST(tally.ended() == 1);
    idle.run();
    BOOST_TEST(read == aborted);
    BOOST_TEST(tally.all_ended());
  }
  BOOST_TEST(fds.restored());
}

BOOST_AUTO_TEST_CASE(a_thread_pool_serves_as_context)
{
  const support::census fds;
  {
    support::handler_tally tally;
    error_code read = not_called;
    asio::thread_pool pool(2);
    support::ends pair = support::unix_ends();
    local::socket s(pool, local(), pair.near.release());
    char buffer[8];
    s.async_read_some(asio::buffer(buffer), tally(support::into(read)));
    s.async_close(tally([](error_code ec) { BOOST_TEST(!ec); }));
    pool.join();
    BOOST_TEST(read == aborted);
    BOOST_TEST(tally.all_called());
  }
  BOOST_TEST(fds.restored());
}

BOOST_AUTO_TEST_CASE(each_context_has_a_worker_of_its_own)
{
  support::ends first = support::unread_ends();
  support::ends second = support::unread_ends();
  support::close_watch blocked(first.near.get());
  support::close_watch free(second.near.get());
  blocked.shut_gate();
  asio::io_context one;
  asio::io_context two;
  stream_descriptor a(one, first.near.release());
  stream_descriptor b(two, second.near.release());
  a.close();
  BOOST_TEST(blocked.wait_arrived());
  b.close();
  BOOST_TEST(free.wait_closed());
  blocked.open_gate();
}

BOOST_AUTO_TEST_SUITE_END()
