// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A delivery under way, and what comes meanwhile: stronger closers and cancellations reach it, weaker ones
// and the object's end do not.

#include "support/prelude.hpp"

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#endif

#include "support/closing_socket.hpp"
#include "support/tcp_facts.hpp"

using namespace support;
using interlock::close_mode;
using interlock::close_outcome;
using std::chrono::seconds;

namespace {

constexpr seconds long_enough(60);

/// A full connection whose peer does not read, and a delivery that waits for it.
struct waiting_delivery : closing_tcp
{
  std::size_t sent = fill(fd());
  const support::fd copy{checked(::dup(fd()), "dup")};
  told first;
  told second;

  /// The FIN is queued: the delivery has begun.
  bool begin(const close_mode& mode = close_mode::graceful(long_enough))
  {
    object.async_close(mode, first.handler());
    return has_begun();
  }

  bool has_begun()
  {
    return run_until(context, [this] { return tcp_state_of(copy) == TCP_FIN_WAIT1; });
  }

  bool is_under_way()
  {
    turn(context);
    return first.times == 0 && second.times == 0;
  }

  bool run_until_both_told()
  {
    return run_until_told([] {}, first, second);
  }

  /// A close in this mode reaches the delivery: both callers get the outcome to which it leads.
  void check_overtaken(const close_mode& mode, close_outcome outcome)
  {
    BOOST_TEST(begin());
    object.async_close(mode, second.handler());
    BOOST_TEST(run_until_both_told());
    BOOST_TEST(first.is(outcome));
    BOOST_TEST(second.is(outcome));
  }

  /// The delivery goes on, with a peer that reads and keeps its own side open, until it has everything.
  void check_delivered()
  {
    BOOST_TEST(is_under_way());
    taken got;
    BOOST_TEST(run_until_told([&] { got.take(pair.far); }, first));
    BOOST_TEST(first.is(close_outcome::acknowledged));
    BOOST_TEST(got.take_all(pair.far));
    BOOST_TEST(got.bytes == sent);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_g8_overtaking)

BOOST_FIXTURE_TEST_CASE(an_immediate_close_overtakes_a_delivery, waiting_delivery)
{
  check_overtaken(close_mode::immediate(), close_outcome::closed);
  BOOST_TEST(first.report.unacknowledged != 0u);
  BOOST_TEST(first.report.unacknowledged == second.report.unacknowledged);
}

BOOST_FIXTURE_TEST_CASE(a_close_without_a_mode_overtakes_a_delivery, waiting_delivery)
{
  BOOST_TEST(begin());
  object.async_close(second.handler());
  BOOST_TEST(run_until_both_told());
  BOOST_TEST(first.is(close_outcome::closed));
  BOOST_TEST(!second.ec);
}

BOOST_FIXTURE_TEST_CASE(an_abort_overtakes_a_delivery, waiting_delivery)
{
  check_overtaken(close_mode::abort(), close_outcome::aborted);
}

BOOST_FIXTURE_TEST_CASE(a_mode_that_makes_no_sense_overtakes_as_an_immediate_one, waiting_delivery)
{
  BOOST_TEST(begin());
  object.async_close(close_mode::graceful(seconds(-1)), second.handler());
  BOOST_TEST(run_until_both_told());
  BOOST_TEST(first.is(close_outcome::closed));
  BOOST_TEST(second.ec == asio::error::invalid_argument);
  BOOST_TEST(second.report.outcome == close_outcome::closed);
}

BOOST_FIXTURE_TEST_CASE(a_weaker_closer_joins_and_waits, waiting_delivery)
{
  BOOST_TEST(begin(close_mode::deliver(long_enough)));
  object.async_close(close_mode::graceful(seconds(0)), second.handler());
  check_delivered();
  BOOST_TEST(run_until_told(second));
  BOOST_TEST(second.is(close_outcome::acknowledged));
}

BOOST_FIXTURE_TEST_CASE(a_stronger_mode_that_waits_shortens_the_time, waiting_delivery)
{
  check_overtaken(close_mode::deliver(std::chrono::milliseconds(100)), close_outcome::timed_out);
}

BOOST_FIXTURE_TEST_CASE(close_changes_nothing, waiting_delivery)
{
  BOOST_TEST(begin(close_mode::deliver(long_enough)));
  object.close();
  check_delivered();
}

BOOST_FIXTURE_TEST_CASE(what_close_has_begun_waits_for_no_peer, waiting_delivery)
{
  // Delays the close, so that there is something to join.
  interlock::fd_lease lease = object.lease();
  object.close();
  object.async_close(close_mode::graceful(long_enough), first.handler());
  lease.reset();
  BOOST_TEST(run_until_told(first));
  BOOST_TEST(first.is(close_outcome::closed));
}

BOOST_FIXTURE_TEST_CASE(the_objects_end_changes_nothing, waiting_delivery)
{
  BOOST_TEST(begin(close_mode::deliver(long_enough)));
  {
    const tcp::socket dying(std::move(object));
  }
  check_delivered();
}

BOOST_FIXTURE_TEST_CASE(an_object_opened_again_leaves_the_delivery_alone, waiting_delivery)
{
  BOOST_TEST(begin(close_mode::deliver(long_enough)));
  object.open(tcp::v4());
  told of_the_new;
  object.async_close(close_mode::abort(), of_the_new.handler());
  BOOST_TEST(run_until_told(of_the_new));
  check_delivered();
}

BOOST_FIXTURE_TEST_CASE(a_handle_reaches_a_delivery_after_the_objects_end, waiting_delivery)
{
  const interlock::close_handle handle = object.get_close_handle();
  BOOST_TEST(begin());
  {
    const tcp::socket dying(std::move(object));
  }
  handle.async_close(close_mode::abort(), second.handler());
  BOOST_TEST(run_until_both_told());
  BOOST_TEST(first.is(close_outcome::aborted));
  BOOST_TEST(second.is(close_outcome::aborted));
}

BOOST_FIXTURE_TEST_CASE(a_closer_after_the_end_gets_the_same_report, waiting_delivery)
{
  BOOST_TEST(begin(close_mode::deliver(std::chrono::milliseconds(50))));
  BOOST_TEST(run_until_told(first));
  object.async_close(close_mode::abort(), second.handler());
  BOOST_TEST(run_until_told(second));
  BOOST_TEST(second.is(close_outcome::timed_out));
  BOOST_TEST(second.report.unacknowledged == first.report.unacknowledged);
  BOOST_TEST((second.report.duration == first.report.duration));
}

BOOST_FIXTURE_TEST_CASE(the_context_goes_in_the_middle_of_a_delivery, waiting_delivery)
{
  auto context_of_its_own = std::make_unique<asio::io_context>();
  ends full = narrow_tcp_ends();
  std::optional<tcp::socket> other(std::in_place, *context_of_its_own);
  fill(full.near.get());
  const close_watch watch(full.near.get());
  other->assign(tcp::v4(), full.near.release());
  other->async_close(close_mode::graceful(long_enough), second.handler());
  turn(*context_of_its_own);
  context_of_its_own.reset();
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(second.times == 0);
}

// --- Cancellation.

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

using asio::cancellation_type;

struct cancelled_delivery : waiting_delivery
{
  asio::cancellation_signal signal;

  bool begin_cancellable()
  {
    object.async_close(close_mode::graceful(long_enough),
      asio::bind_cancellation_slot(signal.slot(), first.handler()));
    return has_begun();
  }
};

BOOST_FIXTURE_TEST_CASE(terminal_aborts_a_delivery, cancelled_delivery)
{
  BOOST_TEST(begin_cancellable());
  signal.emit(cancellation_type::terminal);
  BOOST_TEST(run_until_told(first));
  BOOST_TEST(first.is(close_outcome::aborted));
}

BOOST_FIXTURE_TEST_CASE(partial_goes_on_immediately, cancelled_delivery)
{
  BOOST_TEST(begin_cancellable());
  signal.emit(cancellation_type::partial);
  BOOST_TEST(run_until_told(first));
  BOOST_TEST(first.is(close_outcome::closed));
}

BOOST_FIXTURE_TEST_CASE(total_lets_one_caller_go_and_the_delivery_on, cancelled_delivery)
{
  BOOST_TEST(begin_cancellable());
  object.async_close(close_mode::graceful(long_enough), second.handler());
  signal.emit(cancellation_type::total);
  BOOST_TEST(run_until_told(first));
  BOOST_TEST(first.ec == asio::error::operation_aborted);
  BOOST_TEST(second.times == 0);
  taken got;
  BOOST_TEST(run_until_told(reader(got), second));
  BOOST_TEST(second.is(close_outcome::peer_closed));
}

#endif

BOOST_AUTO_TEST_SUITE_END()
