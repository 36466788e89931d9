// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the kernel tells of connected sockets, with the peer in our hands.

#include <interlock/detail/descriptor/socket_facts.hpp>

#include <interlock/detail/descriptor/calls.hpp>

#include <cerrno>
#include <string>

#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/lingering_socket.hpp"
#include "support/no_trace.hpp"
#include "support/wait_until.hpp"

namespace detail = interlock::detail;

using detail::look;
using detail::socket_facts;
using detail::tcp_state;
using detail::transport;
using support::fd;
using support::wait_until;

namespace {

fd made(int domain, int type, int protocol = 0)
{
  return fd(support::checked(::socket(domain, type | SOCK_CLOEXEC, protocol), "socket"));
}

socket_facts facts_of(const fd& n, int known_error = 0)
{
  return look(n.get(), detail::transport_of(n.get()), known_error);
}

bool becomes(const fd& n, tcp_state s)
{
  return wait_until([&] { return facts_of(n).state == s; });
}

bool has_input(const fd& n, std::size_t bytes)
{
  return wait_until(
    [&]
    {
      int count = 0;
      return ::ioctl(n.get(), FIONREAD, &count) == 0 && static_cast<std::size_t>(count) >= bytes;
    });
}

detail::discarded_input discard(const fd& n, std::uint64_t most = 1 << 30)
{
  return detail::discard_input(n.get(), detail::transport_of(n.get()), most);
}

} // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(tcp_state)
BOOST_TEST_DONT_PRINT_LOG_VALUE(transport)

BOOST_FIXTURE_TEST_SUITE(test_socket_facts, support::no_trace)

BOOST_AUTO_TEST_CASE(only_stream_sockets_of_two_kinds_tell)
{
  BOOST_TEST(detail::transport_of(made(AF_INET, SOCK_STREAM).get()) == transport::tcp);
  BOOST_TEST(detail::transport_of(made(AF_UNIX, SOCK_STREAM).get()) == transport::unix_stream);
  BOOST_TEST(detail::transport_of(made(AF_UNIX, SOCK_DGRAM).get()) == transport::other);
  BOOST_TEST(detail::transport_of(made(AF_UNIX, SOCK_SEQPACKET).get()) == transport::other);
  BOOST_TEST(detail::transport_of(made(AF_INET, SOCK_DGRAM).get()) == transport::other);
  BOOST_TEST(detail::transport_of(support::pipe_ends().near.get()) == transport::other);
  BOOST_TEST(detail::transport_of(support::bad_fd) == transport::other);
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_is_none_is_unknown)
{
  BOOST_TEST(look(support::bad_fd, transport::tcp, 0).state == tcp_state::unknown);
  BOOST_TEST(!look(support::bad_fd, transport::unix_stream, 0).connected);
  BOOST_TEST(detail::unsent_bytes(support::bad_fd, transport::tcp) == 0u);
  BOOST_TEST(!detail::send_fin(support::bad_fd));
  BOOST_TEST(detail::discard_input(support::bad_fd, transport::tcp, 1).error == EBADF);
  BOOST_TEST((detail::calls::linger_time(support::bad_fd) == detail::linger_setting::off()));
}

BOOST_AUTO_TEST_CASE(sockets_without_a_connection_say_so)
{
  BOOST_TEST(facts_of(support::tcp_listener()).state == tcp_state::listen);
  BOOST_TEST(facts_of(made(AF_INET, SOCK_STREAM)).state == tcp_state::close);
  BOOST_TEST(!facts_of(made(AF_UNIX, SOCK_STREAM)).connected);
  BOOST_TEST(!detail::send_fin(made(AF_INET, SOCK_STREAM).get()));
}

BOOST_AUTO_TEST_CASE(the_queue_of_tcp_is_what_is_not_acknowledged_and_our_fin)
{
  const support::ends tcp = support::tcp_ends();
  const std::size_t sent = support::fill(tcp.near.get());
  BOOST_TEST(facts_of(tcp.near).state == tcp_state::established);
  BOOST_TEST(facts_of(tcp.near).queued <= sent);
  BOOST_TEST(detail::unsent_bytes(tcp.near.get(), transport::tcp) <= sent);
  const std::size_t before = facts_of(tcp.near).queued;
  BOOST_TEST(detail::send_fin(tcp.near.get()));
  const socket_facts after = facts_of(tcp.near);
  BOOST_TEST(after.state == tcp_state::fin_wait1);
  BOOST_TEST(after.queued >= 1u);
  BOOST_TEST(after.queued <= before + 1);

  BOOST_TEST(
    wait_until([&] { return support::drain(tcp.far) == 0 && facts_of(tcp.near).queued == 0; }));
  BOOST_TEST(facts_of(tcp.near).state == tcp_state::fin_wait2);
}

// TIME_WAIT is never seen.
BOOST_AUTO_TEST_CASE(after_both_fins_tcp_is_closed_without_an_error)
{
  support::ends tcp = support::tcp_ends();
  BOOST_TEST(detail::send_fin(tcp.near.get()));
  BOOST_TEST(becomes(tcp.near, tcp_state::fin_wait2));
  BOOST_TEST(becomes(tcp.far, tcp_state::close_wait));
  BOOST_TEST(detail::send_fin(tcp.far.get()));
  BOOST_TEST(becomes(tcp.near, tcp_state::close));
  BOOST_TEST(becomes(tcp.far, tcp_state::close));
  for (const fd* n : {&tcp.near, &tcp.far})
    BOOST_TEST((facts_of(*n).error == 0 && facts_of(*n).queued == 0));
}

BOOST_AUTO_TEST_CASE(the_error_of_a_reset_is_told_once_and_can_be_carried_on)
{
  support::ends tcp = support::tcp_ends();
  support::fill(tcp.near.get());
  support::set_linger(tcp.far, 0);
  tcp.far.reset();
  socket_facts facts;
  BOOST_TEST(wait_until(
    [&] { return facts = facts_of(tcp.near, facts.error), facts.state == tcp_state::close; }));
  BOOST_TEST(facts.error == ECONNRESET);
  // What was on its way is still known.
  BOOST_TEST(facts.queued != 0u);
  BOOST_TEST(facts_of(tcp.near, ECONNABORTED).error == ECONNABORTED);
}

BOOST_AUTO_TEST_CASE(an_error_that_was_taken_is_assumed_if_something_was_on_its_way)
{
  for (bool has_sent : {false, true})
  {
    support::ends tcp = support::tcp_ends();
    if (has_sent)
      support::fill(tcp.near.get());
    support::set_linger(tcp.far, 0);
    tcp.far.reset();
    BOOST_TEST(becomes(tcp.near, tcp_state::close));
    BOOST_TEST(facts_of(tcp.near).error == (has_sent ? ECONNRESET : 0));
  }
}

BOOST_AUTO_TEST_CASE(a_local_socket_has_hung_up_when_its_peer_has_gone)
{
  support::ends local = support::unix_ends();
  BOOST_TEST(!detail::has_hung_up(local.near.get()));
  support::checked(::shutdown(local.far.get(), SHUT_WR), "shutdown");
  BOOST_TEST(!detail::has_hung_up(local.near.get()));
  local.far.reset();
  BOOST_TEST(detail::has_hung_up(local.near.get()));
}

BOOST_AUTO_TEST_CASE(an_error_can_be_left_for_the_next)
{
  for (auto* make : {&support::tcp_ends, &support::unix_ends})
  {
    support::ends pair = make();
    const transport kind = detail::transport_of(pair.near.get());
    BOOST_TEST(detail::look_and_leave(pair.near.get(), kind).error == 0);
    support::fill(pair.near.get());
    pair.far.reset();
    BOOST_TEST(wait_until(
      [&] { return detail::look_and_leave(pair.near.get(), kind).error == ECONNRESET; }));
    BOOST_TEST(facts_of(pair.near).error == ECONNRESET);
    // Of TCP what is left in the queue says the same.
    BOOST_TEST(detail::look_and_leave(pair.near.get(), kind).error
      == (kind == transport::tcp ? ECONNRESET : 0));
  }
}

BOOST_AUTO_TEST_CASE(a_read_hands_the_error_on)
{
  support::ends tcp = support::tcp_ends();
  support::set_linger(tcp.far, 0);
  tcp.far.reset();
  detail::discarded_input input;
  BOOST_TEST(wait_until([&] { return input = discard(tcp.near), input.error != 0; }));
  BOOST_TEST(input.error == ECONNRESET);
  BOOST_TEST(!input.ended);
  BOOST_TEST(facts_of(tcp.near).error == 0);
}

BOOST_AUTO_TEST_CASE(the_queue_of_a_local_socket_empties_when_the_peer_reads)
{
  const support::ends local = support::unix_ends();
  support::send_text(local.near, "12345");
  BOOST_TEST(detail::send_fin(local.near.get()));
  BOOST_TEST(facts_of(local.near).connected);
  BOOST_TEST(facts_of(local.near).queued >= 5u);
  BOOST_TEST(detail::unsent_bytes(local.near.get(), transport::unix_stream) == 0u);
  BOOST_TEST(support::drain(local.far) == 5u);
  BOOST_TEST(facts_of(local.near).queued == 0u);
}

BOOST_AUTO_TEST_CASE(a_local_peer_that_closes_empties_the_queue_too_and_leaves_an_error)
{
  support::ends local = support::unix_ends();
  support::send_text(local.near, "12345");
  local.far.reset();
  const socket_facts facts = facts_of(local.near);
  BOOST_TEST(facts.queued == 0u);
  BOOST_TEST(facts.error == ECONNRESET);
}

BOOST_AUTO_TEST_CASE(a_local_peer_that_has_read_all_leaves_none)
{
  support::ends local = support::unix_ends();
  local.far.reset();
  const socket_facts facts = facts_of(local.near);
  BOOST_TEST(facts.connected);
  BOOST_TEST(facts.error == 0);
  BOOST_TEST(discard(local.near).ended);
}

BOOST_AUTO_TEST_CASE(input_is_thrown_away_up_to_the_limit_and_to_the_end)
{
  for (support::ends (*connected)() : {&support::tcp_ends, &support::unix_ends})
  {
    support::ends e = connected();
    support::send_text(e.far, std::string(50000, 'x'));
    BOOST_TEST(has_input(e.near, 50000));
    const auto first = discard(e.near, 20001);
    BOOST_TEST((first.bytes == 20001 && first.more && !first.ended && first.error == 0));
    const auto second = discard(e.near);
    BOOST_TEST((second.bytes == 29999 && !second.more && !second.ended && second.error == 0));
    e.far.reset();
    BOOST_TEST(wait_until([&] { return discard(e.near).ended; }));
  }
}

BOOST_AUTO_TEST_CASE(input_can_be_seen_without_being_taken)
{
  for (support::ends (*connected)() : {&support::tcp_ends, &support::unix_ends})
  {
    support::ends e = connected();
    const auto none = detail::examine_input(e.near.get());
    BOOST_TEST((!none.more && !none.ended));
    support::send_text(e.far, "x");
    e.far.reset();
    BOOST_TEST(has_input(e.near, 1));
    BOOST_TEST(wait_until([&] { return support::hung_up(e.near); }));
    const auto some = detail::examine_input(e.near.get());
    BOOST_TEST((some.more && !some.ended && some.bytes == 0));
    BOOST_TEST(support::drain(e.near) == 1u);
    const auto over = detail::examine_input(e.near.get());
    BOOST_TEST((!over.more && over.ended));
  }
}

BOOST_AUTO_TEST_CASE(a_socket_lingers_if_it_has_been_told_to)
{
  const support::ends tcp = support::tcp_ends();
  BOOST_TEST((detail::calls::linger_time(tcp.near.get()) == detail::linger_setting::off()));
  support::set_linger(tcp.near, 5);
  BOOST_TEST(detail::calls::linger_time(tcp.near.get()).seconds() == 5);
  const auto of_a_pipe = detail::calls::linger_time(support::pipe_ends().near.get());
  BOOST_TEST((of_a_pipe == detail::linger_setting::off()));
}

BOOST_AUTO_TEST_SUITE_END()
