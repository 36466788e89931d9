// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The stages of a delivery: every one that can be reached with every observation, and the few ways
// that a delivery usually goes, by the facts of TCP and of AF_UNIX.

#include <interlock/detail/closing/delivery_stages.hpp>

#include <cerrno>

#include <boost/test/unit_test.hpp>

#include "closing/delivery_walk.hpp"

namespace detail = interlock::detail;

using detail::delivery_act;
using detail::delivery_observation;
using detail::delivery_sight;
using detail::delivery_stage;
using detail::socket_facts;
using detail::tcp_state;
using detail::transport;
using interlock::close_outcome;
using kind = interlock::close_mode::kind;

namespace {

constexpr socket_facts tcp(tcp_state state, std::size_t queued = 0, int error = 0)
{
  socket_facts f;
  f.kind = transport::tcp;
  f.state = state;
  f.queued = queued;
  f.error = error;
  return f;
}

constexpr socket_facts local(bool connected, std::size_t queued = 0, int error = 0)
{
  socket_facts f;
  f.kind = transport::unix_stream;
  f.connected = connected;
  f.queued = queued;
  f.error = error;
  return f;
}

/// A delivery that is shown one look after the other.
class shown
{
public:
  explicit shown(kind wanted, delivery_stage first = delivery_stage::fresh)
    : wanted_(wanted)
  {
    state_.stage = first;
  }

  delivery_act operator()(const socket_facts& facts, bool end_read = false)
  {
    delivery_observation o;
    o.sight = sight_of(facts);
    alive_ |= o.sight == delivery_sight::pending;
    o.drained = drained(facts, alive_);
    o.peer_finished = peer_finished(facts, end_read);
    return operator()(o);
  }

  delivery_act operator()(const delivery_observation& o)
  {
    const auto step = advance(state_, o, wanted_);
    state_ = step.next;
    return step.act;
  }

  close_outcome outcome() const
  {
    return state_.outcome;
  }

private:
  detail::delivery_state state_;
  const kind wanted_;
  bool alive_ = false;
};

struct draining : shown
{
  explicit draining(kind wanted = kind::deliver)
    : shown(wanted, delivery_stage::draining)
  {
  }

  bool ends(close_outcome o, const socket_facts& facts)
  {
    return operator()(facts) == delivery_act::report && outcome() == o;
  }
};

delivery_observation expired(delivery_sight sight)
{
  delivery_observation o;
  o.sight = sight;
  o.expired = true;
  return o;
}

} // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(delivery_act)
BOOST_TEST_DONT_PRINT_LOG_VALUE(delivery_sight)

BOOST_AUTO_TEST_SUITE(test_delivery_stages)

// A walk that became shorter would no longer see everything: the descriptors are those of today.
BOOST_AUTO_TEST_CASE(no_observation_leads_astray_in_any_stage)
{
  const support::delivery_walk w;
  BOOST_TEST(w.flaw() == "");
  BOOST_TEST_MESSAGE("walked " << w.states() << " states, " << w.steps() << " steps");
  for (close_outcome o :
    {close_outcome::closed, close_outcome::acknowledged, close_outcome::peer_closed,
      close_outcome::reset, close_outcome::timed_out, close_outcome::aborted})
    BOOST_TEST(w.reaches(o), o << " is never reached");
  BOOST_TEST(!w.reaches(close_outcome::detached));
}

BOOST_AUTO_TEST_CASE(states_of_tcp_are_read_for_what_they_say)
{
  using s = delivery_sight;
  BOOST_TEST(sight_of(tcp(tcp_state::established, 5)) == s::pending);
  BOOST_TEST(sight_of(tcp(tcp_state::fin_wait1, 1)) == s::pending);
  BOOST_TEST(sight_of(tcp(tcp_state::closing, 1)) == s::pending);
  BOOST_TEST(sight_of(tcp(tcp_state::last_ack, 1)) == s::pending);
  BOOST_TEST(sight_of(tcp(tcp_state::close_wait)) == s::pending);
  BOOST_TEST(sight_of(tcp(tcp_state::syn_received)) == s::pending);
  BOOST_TEST(sight_of(tcp(tcp_state::fin_wait2)) == s::acknowledged);
  BOOST_TEST(sight_of(tcp(tcp_state::time_wait)) == s::acknowledged);
  BOOST_TEST(sight_of(tcp(tcp_state::close)) == s::ended);
  BOOST_TEST(sight_of(tcp(tcp_state::unknown)) == s::unconnected);
  BOOST_TEST(sight_of(tcp(tcp_state::syn_sent)) == s::unconnected);
  BOOST_TEST(sight_of(tcp(tcp_state::listen)) == s::unconnected);
}

BOOST_AUTO_TEST_CASE(errors_of_a_connection_that_is_gone_say_why)
{
  using s = delivery_sight;
  for (int error : {ECONNRESET, EPIPE, ECONNABORTED})
    BOOST_TEST(sight_of(tcp(tcp_state::close, 7, error)) == s::reset);
  for (int error : {ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENOPROTOOPT})
    BOOST_TEST(sight_of(tcp(tcp_state::close, 7, error)) == s::given_up);
  BOOST_TEST(sight_of(tcp(tcp_state::close, 0, ECONNREFUSED)) == s::unconnected);
  // One of a connection that lives, from the error queue say, ends nothing.
  BOOST_TEST(sight_of(tcp(tcp_state::fin_wait1, 7, EHOSTUNREACH)) == s::pending);
}

BOOST_AUTO_TEST_CASE(a_local_socket_is_read_by_its_queue_and_its_error)
{
  using s = delivery_sight;
  BOOST_TEST(sight_of(local(true, 768)) == s::pending);
  BOOST_TEST(sight_of(local(true)) == s::acknowledged);
  BOOST_TEST(sight_of(local(false)) == s::unconnected);
  // A peer that closes with unread data empties the queue as well.
  BOOST_TEST(sight_of(local(true, 0, ECONNRESET)) == s::reset);
  BOOST_TEST(sight_of(socket_facts()) == s::unconnected);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_peer_is_told_by_state_or_by_reading)
{
  for (tcp_state s : {tcp_state::close_wait, tcp_state::last_ack, tcp_state::closing})
    BOOST_TEST(peer_finished(tcp(s), false));
  for (tcp_state s : {tcp_state::established, tcp_state::fin_wait1, tcp_state::fin_wait2})
    BOOST_TEST(!peer_finished(tcp(s), true));
  BOOST_TEST(peer_finished(local(true), true));
  BOOST_TEST(!peer_finished(local(true), false));
}

BOOST_AUTO_TEST_CASE(a_delivery_ends_with_the_acknowledgement)
{
  shown d(kind::deliver);
  BOOST_TEST(d(tcp(tcp_state::established, 100)) == delivery_act::send_fin);
  BOOST_TEST(d(tcp(tcp_state::fin_wait1, 101)) == delivery_act::wait);
  BOOST_TEST(d(tcp(tcp_state::fin_wait1, 1)) == delivery_act::wait);
  BOOST_TEST(d(tcp(tcp_state::fin_wait2)) == delivery_act::report);
  BOOST_TEST(d.outcome() == close_outcome::acknowledged);
}

BOOST_AUTO_TEST_CASE(a_peer_that_half_closed_first_leads_from_last_ack_to_close)
{
  for (kind wanted : {kind::deliver, kind::graceful})
  {
    shown d(wanted);
    BOOST_TEST(d(tcp(tcp_state::close_wait, 100)) == delivery_act::send_fin);
    BOOST_TEST(d(tcp(tcp_state::last_ack, 101)) == delivery_act::wait);
    BOOST_TEST(d(tcp(tcp_state::close)) == delivery_act::report);
    BOOST_TEST(d.outcome()
      == (wanted == kind::deliver ? close_outcome::acknowledged : close_outcome::peer_closed));
  }
}

BOOST_AUTO_TEST_CASE(a_graceful_end_waits_for_the_fin_of_the_peer)
{
  shown d(kind::graceful);
  BOOST_TEST(d(tcp(tcp_state::established)) == delivery_act::send_fin);
  BOOST_TEST(d(tcp(tcp_state::fin_wait2)) == delivery_act::wait);
  BOOST_TEST(d(tcp(tcp_state::fin_wait2)) == delivery_act::wait);
  BOOST_TEST(d(tcp(tcp_state::close)) == delivery_act::report);
  BOOST_TEST(d.outcome() == close_outcome::peer_closed);
}

BOOST_AUTO_TEST_CASE(a_fin_from_either_side_at_once_ends_gracefully)
{
  shown d(kind::graceful);
  BOOST_TEST(d(tcp(tcp_state::established)) == delivery_act::send_fin);
  BOOST_TEST(d(tcp(tcp_state::closing, 1)) == delivery_act::wait);
  BOOST_TEST(d(tcp(tcp_state::close)) == delivery_act::report);
  BOOST_TEST(d.outcome() == close_outcome::peer_closed);
}

BOOST_AUTO_TEST_CASE(a_reset_after_the_acknowledgement_is_no_graceful_end)
{
  shown d(kind::graceful);
  d(tcp(tcp_state::established));
  d(tcp(tcp_state::fin_wait2));
  BOOST_TEST(d(tcp(tcp_state::close, 0, ECONNRESET)) == delivery_act::report);
  BOOST_TEST(d.outcome() == close_outcome::reset);
}

BOOST_AUTO_TEST_CASE(what_was_acknowledged_before_the_deadline_is_not_timed_out)
{
  shown late(kind::graceful);
  late(tcp(tcp_state::established));
  BOOST_TEST(late(tcp(tcp_state::fin_wait2)) == delivery_act::wait);
  BOOST_TEST(late(expired(delivery_sight::acknowledged)) == delivery_act::report);
  BOOST_TEST(late.outcome() == close_outcome::acknowledged);

  shown never(kind::graceful);
  never(tcp(tcp_state::established));
  BOOST_TEST(never(expired(delivery_sight::pending)) == delivery_act::report);
  BOOST_TEST(never.outcome() == close_outcome::timed_out);
}

BOOST_AUTO_TEST_CASE(a_deadline_that_has_passed_at_the_start_still_sends_the_fin)
{
  shown d(kind::deliver);
  BOOST_TEST(d(expired(delivery_sight::pending)) == delivery_act::send_fin);
  BOOST_TEST(d(expired(delivery_sight::pending)) == delivery_act::report);
  BOOST_TEST(d.outcome() == close_outcome::timed_out);
}

// A connect in progress would be ended by shutdown(2), without an error, as if all had arrived.
BOOST_AUTO_TEST_CASE(what_was_never_connected_is_closed_without_a_fin)
{
  for (tcp_state s : {tcp_state::syn_sent, tcp_state::listen, tcp_state::close, tcp_state::unknown})
  {
    shown d(kind::graceful);
    BOOST_TEST(d(tcp(s)) == delivery_act::report);
    BOOST_TEST(d.outcome() == close_outcome::closed);
  }
}

BOOST_AUTO_TEST_CASE(a_local_socket_is_delivered_when_its_peer_has_read_all)
{
  shown d(kind::deliver);
  BOOST_TEST(d(local(true, 768)) == delivery_act::send_fin);
  BOOST_TEST(d(local(true, 768)) == delivery_act::wait);
  BOOST_TEST(d(local(true)) == delivery_act::report);
  BOOST_TEST(d.outcome() == close_outcome::acknowledged);

  shown g(kind::graceful);
  g(local(true));
  BOOST_TEST(g(local(true)) == delivery_act::wait);
  BOOST_TEST(g(local(true), true) == delivery_act::report);
  BOOST_TEST(g.outcome() == close_outcome::peer_closed);
}

// What is there is counted as discarded before the close is over, unless it takes too long.
BOOST_AUTO_TEST_CASE(a_graceful_end_waits_for_input_that_is_still_to_be_discarded)
{
  for (bool is_late : {false, true})
  {
    shown d(kind::graceful);
    d(tcp(tcp_state::close_wait));
    delivery_observation o;
    o.sight = delivery_sight::ended;
    o.peer_finished = o.input_more = true;
    BOOST_TEST(d(o) == delivery_act::wait);
    o.input_more = is_late;
    o.expired = is_late;
    BOOST_TEST(d(o) == delivery_act::report);
    BOOST_TEST(d.outcome() == close_outcome::peer_closed);
  }
}

BOOST_AUTO_TEST_CASE(of_a_local_connection_only_a_reset_counts_that_an_operation_has_received)
{
  for (int error : {ECONNRESET, EPIPE, ETIMEDOUT, 0})
  {
    BOOST_TEST(detail::error_that_counts(transport::tcp, error) == error);
    BOOST_TEST(detail::error_that_counts(transport::unix_stream, error)
      == (error == ECONNRESET ? ECONNRESET : 0));
  }
}

BOOST_AUTO_TEST_CASE(our_fin_is_no_byte_of_data)
{
  BOOST_TEST(detail::data_in(5, false) == 5u);
  BOOST_TEST(detail::data_in(5, true) == 4u);
  BOOST_TEST(detail::data_in(0, true) == 0u);
}

BOOST_AUTO_TEST_CASE(our_fin_shows_in_the_state)
{
  for (tcp_state s : {tcp_state::fin_wait1, tcp_state::closing, tcp_state::last_ack})
    BOOST_TEST(fin_queued(tcp(s, 1)));
  for (tcp_state s : {tcp_state::established, tcp_state::close_wait, tcp_state::fin_wait2,
         tcp_state::close, tcp_state::unknown})
    BOOST_TEST(!fin_queued(tcp(s, 1)));
  BOOST_TEST(!fin_queued(local(true, 1)));
}

// --- What leaves our FIN to close(2).

BOOST_AUTO_TEST_CASE(draining_ends_with_the_queue)
{
  for (tcp_state s : {tcp_state::established, tcp_state::close_wait})
  {
    draining d;
    BOOST_TEST(d(tcp(s, 100)) == delivery_act::wait);
    BOOST_TEST(d(tcp(s, 1)) == delivery_act::wait);
    BOOST_TEST(d.ends(close_outcome::acknowledged, tcp(s)));
  }
  draining d;
  BOOST_TEST(d(local(true, 768)) == delivery_act::wait);
  BOOST_TEST(d.ends(close_outcome::acknowledged, local(true)));
}

BOOST_AUTO_TEST_CASE(draining_waits_for_a_fin_that_the_program_has_sent)
{
  draining d;
  BOOST_TEST(d(tcp(tcp_state::fin_wait1, 2)) == delivery_act::wait);
  BOOST_TEST(d(tcp(tcp_state::fin_wait1, 1)) == delivery_act::wait);
  BOOST_TEST(d.ends(close_outcome::acknowledged, tcp(tcp_state::fin_wait2)));

  draining last;
  BOOST_TEST(last(tcp(tcp_state::last_ack, 1)) == delivery_act::wait);
  BOOST_TEST(last.ends(close_outcome::acknowledged, tcp(tcp_state::close)));
}

// The two look the same: only what was there before tells them apart.
BOOST_AUTO_TEST_CASE(draining_what_may_never_have_been_connected_claims_nothing)
{
  BOOST_TEST(draining().ends(close_outcome::closed, tcp(tcp_state::close)));
  BOOST_TEST(draining().ends(close_outcome::closed, tcp(tcp_state::syn_sent)));
  BOOST_TEST(draining().ends(close_outcome::closed, tcp(tcp_state::listen)));
  BOOST_TEST(draining().ends(close_outcome::closed, local(false)));
  BOOST_TEST(draining().ends(close_outcome::closed, socket_facts()));
}

// SIOCOUTQ says nothing yet of what was sent with a SYN.
BOOST_AUTO_TEST_CASE(draining_waits_for_the_end_of_a_handshake)
{
  draining d;
  BOOST_TEST(d(tcp(tcp_state::syn_received)) == delivery_act::wait);
  BOOST_TEST(d.ends(close_outcome::acknowledged, tcp(tcp_state::established)));
}

BOOST_AUTO_TEST_CASE(draining_what_is_gone_is_told_as_ever)
{
  const auto gone = tcp_state::close;
  BOOST_TEST(draining().ends(close_outcome::reset, tcp(gone, 7, ECONNRESET)));
  BOOST_TEST(draining().ends(close_outcome::timed_out, tcp(gone, 7, ETIMEDOUT)));
  BOOST_TEST(draining().ends(close_outcome::reset, local(true, 0, ECONNRESET)));
  BOOST_TEST(draining(kind::abort).ends(close_outcome::aborted, tcp(tcp_state::established, 7)));
  BOOST_TEST(draining(kind::immediate).ends(close_outcome::closed, tcp(tcp_state::established, 7)));
  draining late;
  BOOST_TEST(late(expired(delivery_sight::pending)) == delivery_act::report);
  BOOST_TEST(late.outcome() == close_outcome::timed_out);
}

BOOST_AUTO_TEST_SUITE_END()
