// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The stages of a delivery: every one that can be reached with every observation; and what the facts of TCP and of
// AF_UNIX are taken for. delivery_situations.cpp has the ways that a delivery usually goes.

#include <interlock/detail/closing/delivery_stages.hpp>

#include <cerrno>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "closing/delivery_walk.hpp"

namespace detail = interlock::detail;

using detail::delivery_act;
using detail::delivery_observation;
using detail::delivery_sight;
using detail::socket_facts;
using detail::tcp_state;
using detail::transport;
using interlock::close_outcome;

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

/// A look, and whether it shows that nothing sent is unacknowledged.
struct look
{
  socket_facts facts;
  bool was_alive;
  bool is_drained;
};

/// What a delivery is shown one after the other, and its answer to the last of it. Those before end nothing.
struct way
{
  const char* shows;
  interlock::close_mode::kind wanted;
  std::vector<delivery_observation> seen;
  delivery_act answer;
  close_outcome outcome; // of a report
};

delivery_observation seen(delivery_sight sight, bool is_expired = false, bool has_input = false)
{
  delivery_observation o;
  o.sight = sight;
  o.expired = is_expired;
  o.peer_finished = sight == delivery_sight::ended;
  o.input_more = has_input;
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

// Where the walk would let a delivery end in more than one way.
BOOST_AUTO_TEST_CASE(a_few_ways_end_in_this_way_alone)
{
  using s = delivery_sight;
  using kind = interlock::close_mode::kind;
  constexpr auto report = delivery_act::report;
  constexpr auto none = close_outcome::closed;
  const way ways[] = {
    {"a deadline that has passed at the start still sends the FIN", kind::deliver,
      {seen(s::pending, true)}, delivery_act::send_fin, none},
    {"and ends the delivery then", kind::deliver, {seen(s::pending, true), seen(s::pending, true)},
      report, close_outcome::timed_out},
    {"a reset after the acknowledgement is no graceful end", kind::graceful,
      {seen(s::pending), seen(s::acknowledged), seen(s::reset)}, report, close_outcome::reset},
    {"input that is still there is waited for", kind::graceful,
      {seen(s::pending), seen(s::ended, false, true)}, delivery_act::wait, none},
    {"until there is none", kind::graceful,
      {seen(s::pending), seen(s::ended, false, true), seen(s::ended)}, report,
      close_outcome::peer_closed},
    {"or it takes too long", kind::graceful,
      {seen(s::pending), seen(s::ended, false, true), seen(s::ended, true, true)}, report,
      close_outcome::peer_closed},
  };
  for (const way& w : ways)
    BOOST_TEST_CONTEXT(w.shows)
    {
      detail::delivery_state state;
      delivery_act answer = report;
      for (const delivery_observation& o : w.seen)
      {
        BOOST_TEST((state.stage != detail::delivery_stage::over));
        const auto step = advance(state, o, w.wanted);
        state = step.next;
        answer = step.act;
      }
      BOOST_TEST(answer == w.answer);
      if (answer == report)
        BOOST_TEST(state.outcome == w.outcome);
    }
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

// A socket of TCP that is closed may never have been connected: only what was there before tells. In SYN_RECV SIOCOUTQ
// says nothing yet.
BOOST_AUTO_TEST_CASE(an_empty_queue_is_drained_if_there_was_a_connection)
{
  const look looks[] = {
    {tcp(tcp_state::established), true, true},
    {tcp(tcp_state::established, 1), true, false},
    {tcp(tcp_state::close_wait), true, true},
    {tcp(tcp_state::fin_wait1, 1), true, false},
    {tcp(tcp_state::fin_wait2), true, true},
    {tcp(tcp_state::last_ack, 1), true, false},
    {tcp(tcp_state::close), true, true},
    {tcp(tcp_state::close), false, false},
    {tcp(tcp_state::close, 0, ECONNRESET), true, false},
    {tcp(tcp_state::syn_received), true, false},
    {tcp(tcp_state::syn_sent), true, false},
    {tcp(tcp_state::listen), true, false},
    {local(true), true, true},
    {local(true, 768), true, false},
    {local(true, 0, ECONNRESET), true, false},
    {local(false), true, false},
    {socket_facts(), true, false},
  };
  for (const look& l : looks)
    BOOST_TEST_CONTEXT("look " << &l - looks)
    {
      BOOST_TEST(drained(l.facts, l.was_alive) == l.is_drained);
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

BOOST_AUTO_TEST_SUITE_END()
