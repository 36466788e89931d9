// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G7: cancelling an async_close never leaves the descriptor open. Of the closer that leads, terminal
// aborts, partial detaches at once, total only lets the caller go; of a closer that has joined, each only
// lets the caller go. Boost 1.77 or later; empty before.

#include <interlock/detail/core/asio_features.hpp>

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

#include <interlock/close_service.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

#include <sys/socket.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/probe_job.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using asio::cancellation_type;
using boost::system::error_code;
using interlock::ip::tcp;
using local = interlock::local::stream_protocol;

namespace {

const error_code success;
const error_code aborted = asio::error::operation_aborted;
const error_code not_called = asio::error::fault;

/// What reading from the far end says: 0 at the end of the stream, or an errno.
int farewell(const support::fd& far)
{
  char byte;
  const ::ssize_t n = ::recv(far.get(), &byte, 1, 0);
  return n < 0 ? errno : static_cast<int>(n);
}

/// A connection that the worker does not close in the place of the executor.
struct fixture
{
  asio::io_context context;
  asio::cancellation_signal signal;
  asio::cancellation_signal second_signal;
  support::handler_tally tally;
  error_code first = not_called;
  error_code second = not_called;
  support::ends pair = support::tcp_ends();
  support::close_watch watch{pair.near.get()};
  std::optional<tcp::socket> object;

  fixture()
  {
    interlock::close_service::options patient;
    patient.takeover = std::chrono::hours(1);
    interlock::make_close_service(context, patient);
    object.emplace(context, tcp::v4(), pair.near.release());
  }

  ~fixture()
  {
    run();
    BOOST_TEST(tally.all_called());
    BOOST_TEST(watch.wait_closed());
    BOOST_TEST(watch.closed() == 1u);
  }

  auto into(error_code& ec, asio::cancellation_signal& s)
  {
    return asio::bind_cancellation_slot(s.slot(), tally(support::into(ec)));
  }

  void lead()
  {
    object->async_close(into(first, signal));
  }

  void join()
  {
    object->async_close(into(second, second_signal));
  }

  void run()
  {
    BOOST_TEST(support::wait_until([this] { return support::turn(context), tally.all_called(); }));
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_g7_cancelled_closers, fixture)

BOOST_AUTO_TEST_CASE(without_a_cancellation_nothing_is_closed_that_the_executor_does_not_come_to)
{
  lead();
  BOOST_TEST(watch.arrived() == 0u);
  run();
  BOOST_TEST(first == success);
  BOOST_TEST(farewell(pair.far) == 0);
}

BOOST_AUTO_TEST_CASE(terminal_aborts)
{
  lead();
  join();
  signal.emit(cancellation_type::terminal);
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(farewell(pair.far) == ECONNRESET);
  BOOST_TEST(first == not_called);
  run();
  BOOST_TEST(first == success);
  BOOST_TEST(second == success);
}

BOOST_AUTO_TEST_CASE(partial_detaches_at_once)
{
  lead();
  join();
  signal.emit(cancellation_type::partial);
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(farewell(pair.far) == 0);
  run();
  BOOST_TEST(first == success);
  BOOST_TEST(second == success);
}

BOOST_AUTO_TEST_CASE(total_lets_only_the_caller_go)
{
  lead();
  join();
  signal.emit(cancellation_type::total);
  BOOST_TEST(watch.arrived() == 0u);
  BOOST_TEST(first == not_called);
  run();
  BOOST_TEST(first == aborted);
  BOOST_TEST(second == success);
  BOOST_TEST(farewell(pair.far) == 0);
}

BOOST_AUTO_TEST_CASE(the_close_goes_on_when_every_caller_has_gone)
{
  lead();
  join();
  signal.emit(cancellation_type::total);
  second_signal.emit(cancellation_type::total);
  run();
  BOOST_TEST(first == aborted);
  BOOST_TEST(second == aborted);
  BOOST_TEST(watch.wait_closed());
}

BOOST_AUTO_TEST_CASE(a_joiner_never_escalates)
{
  for (cancellation_type type :
    {cancellation_type::terminal, cancellation_type::partial, cancellation_type::total})
  {
    fixture f;
    f.lead();
    f.join();
    f.second_signal.emit(type);
    BOOST_TEST(f.watch.arrived() == 0u);
    f.run();
    BOOST_TEST(f.first == success);
    BOOST_TEST(f.second == aborted);
    BOOST_TEST(farewell(f.pair.far) == 0);
  }
  object->close();
}

BOOST_AUTO_TEST_CASE(a_close_by_handle_is_cancelled_as_any_other)
{
  object->get_close_handle().async_close(into(first, signal));
  signal.emit(cancellation_type::terminal);
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(farewell(pair.far) == ECONNRESET);
  run();
  BOOST_TEST(first == success);
}

BOOST_AUTO_TEST_CASE(terminal_reaches_a_descriptor_that_waits_for_the_worker)
{
  asio::execution_context& services = context;
  support::worker_hold before(
    asio::use_service<interlock::close_service>(services).shared()->worker());
  lead();
  support::turn(context);
  BOOST_TEST(watch.arrived() == 0u);
  signal.emit(cancellation_type::terminal);
  before.go_on();
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(farewell(pair.far) == ECONNRESET);
}

BOOST_AUTO_TEST_CASE(a_cancelled_closer_does_not_overtake_what_is_inside)
{
  asio::io_context idle;
  char buffer[4];
  object->async_read_some(asio::buffer(buffer),
    asio::bind_executor(idle.get_executor(), tally([](error_code, std::size_t) {})));
  lead();
  signal.emit(cancellation_type::terminal);
  BOOST_TEST(watch.wait_closed());
  support::turn(context);
  BOOST_TEST(first == not_called);
  idle.run();
  run();
  BOOST_TEST(first == success);
}

BOOST_AUTO_TEST_CASE(an_emission_after_the_end_does_nothing)
{
  lead();
  run();
  for (cancellation_type type :
    {cancellation_type::terminal, cancellation_type::partial, cancellation_type::total})
    signal.emit(type);
  BOOST_TEST(first == success);
}

BOOST_AUTO_TEST_CASE(a_late_emission_does_not_close_what_has_been_opened_since)
{
  lead();
  run();
  support::ends again[3] = {support::unix_ends(), support::unix_ends(), support::unix_ends()};
  for (support::ends& ends : again)
  {
    object->assign(tcp::v4(), ends.near.release());
    for (cancellation_type type :
      {cancellation_type::terminal, cancellation_type::partial, cancellation_type::total})
      signal.emit(type);
    BOOST_TEST(object->is_open());
    error_code ec = not_called;
    object->async_close(tally(support::into(ec)));
    signal.emit(cancellation_type::total);
    run();
    BOOST_TEST(ec == success);
  }
}

BOOST_AUTO_TEST_CASE(a_late_emission_finds_the_object_gone)
{
  lead();
  run();
  object.reset();
  signal.emit(cancellation_type::terminal);
  BOOST_TEST(first == success);
}

BOOST_AUTO_TEST_CASE(cancellation_and_completion_may_meet)
{
  for (int i = 0; i != 300; ++i)
  {
    support::loop loop;
    asio::cancellation_signal cancel;
    support::handler_tally calls;
    support::ends ends = support::unix_ends();
    support::close_watch closed(ends.near.get());
    local::socket s(loop.context, local(), ends.near.release());
    s.async_close(asio::bind_cancellation_slot(cancel.slot(), calls([](error_code) {})));
    s.async_close(calls([](error_code) {}));
    cancel.emit(i % 3 == 0 ? cancellation_type::terminal
        : i % 3 == 1       ? cancellation_type::partial
                           : cancellation_type::total);
    loop.join();
    BOOST_TEST(calls.all_called());
    BOOST_TEST(closed.wait_closed());
    BOOST_TEST(closed.closed() == 1u);
  }
  object->close();
}

BOOST_AUTO_TEST_SUITE_END()

#endif
