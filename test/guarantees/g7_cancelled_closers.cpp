// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G7: cancelling an async_close never leaves the descriptor open. Of the closer that leads, terminal
// aborts, partial detaches at once, total only lets the caller go; of a closer that has joined, each only
// lets the caller go. Boost 1.77 or later; empty before.

#include "support/prelude.hpp"

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "support/counted.hpp"
#include "support/probe_job.hpp"

using namespace support;
using asio::cancellation_type;

namespace {

/// What reading from the far end says: 0 at the end of the stream, or an errno.
int farewell(const fd& far)
{
  char byte;
  const ::ssize_t n = ::recv(far.get(), &byte, 1, 0);
  return n < 0 ? errno : static_cast<int>(n);
}

constexpr cancellation_type every_type[] = {
  cancellation_type::terminal, cancellation_type::partial, cancellation_type::total};

/// A connection that the worker does not close in the place of the executor.
struct fixture : counted_in_context
{
  asio::cancellation_signal signal;
  asio::cancellation_signal second_signal;
  error_code first = not_called;
  error_code second = not_called;
  ends pair = tcp_ends();
  close_watch watch{pair.near.get()};
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
    BOOST_TEST(run_until(context, [this] { return tally.all_called(); }));
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

BOOST_AUTO_TEST_CASE(terminal_aborts_and_partial_detaches_at_once)
{
  for (const cancellation_type type : {cancellation_type::terminal, cancellation_type::partial})
  {
    fixture f;
    f.lead();
    f.join();
    f.signal.emit(type);
    BOOST_TEST(f.watch.wait_closed());
    BOOST_TEST(farewell(f.pair.far) == (type == cancellation_type::terminal ? ECONNRESET : 0));
    BOOST_TEST(f.first == not_called);
    f.run();
    BOOST_TEST(f.first == success);
    BOOST_TEST(f.second == success);
  }
  object->close();
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
  for (const cancellation_type type : every_type)
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
  worker_hold held(asio::use_service<interlock::close_service>(services).shared()->worker());
  lead();
  turn(context);
  BOOST_TEST(watch.arrived() == 0u);
  signal.emit(cancellation_type::terminal);
  held.go_on();
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
  turn(context);
  BOOST_TEST(first == not_called);
  idle.run();
  run();
  BOOST_TEST(first == success);
}

BOOST_AUTO_TEST_CASE(a_late_emission_does_not_close_what_has_been_opened_since)
{
  lead();
  run();
  for (int i = 0; i != 3; ++i)
  {
    object->assign(tcp::v4(), unix_ends().near.release());
    for (const cancellation_type type : every_type)
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

BOOST_FIXTURE_TEST_CASE(cancellation_and_completion_may_meet, counted)
{
  for (int i = 0; i != 300; ++i)
  {
    loop threads;
    asio::cancellation_signal cancel;
    ends pair = unix_ends();
    close_watch closed(pair.near.get());
    local::socket s(threads.context, local(), pair.near.release());
    s.async_close(asio::bind_cancellation_slot(cancel.slot(), tally([](error_code) {})));
    s.async_close(tally([](error_code) {}));
    cancel.emit(every_type[i % 3]);
    threads.join();
    BOOST_TEST(tally.all_called());
    BOOST_TEST(closed.wait_closed());
    BOOST_TEST(closed.closed() == 1u);
  }
}

BOOST_AUTO_TEST_SUITE_END()

#endif
