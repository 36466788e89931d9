// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A fork in the middle of deliveries: the child closes its copies and does nothing else to the
// connections, with which the parent goes on.

#include "support/prelude.hpp"

#include <boost/asio/execution_context.hpp>

#include "support/closing_socket.hpp"
#include "support/in_child.hpp"
#include "support/tcp_facts.hpp"

using namespace support;
using interlock::close_mode;
using interlock::close_outcome;

namespace {

constexpr std::chrono::seconds long_enough(60);

struct forking : closing_tcp
{
  std::size_t sent = fill(fd());
  const int original = fd();
  told t;

  /// Whether the child closes its copy.
  bool child_closes()
  {
    context.notify_fork(asio::execution_context::fork_prepare);
    const ::pid_t pid = fork_to(
      [this]
      {
        context.notify_fork(asio::execution_context::fork_child);
        return run_until(context, [this] { return !is_fd_open(original); });
      });
    context.notify_fork(asio::execution_context::fork_parent);
    return was_well(pid);
  }

  void check_delivered(close_outcome outcome)
  {
    taken got;
    BOOST_TEST(run_until_told(reader(got), t));
    BOOST_TEST(t.is(outcome));
    BOOST_TEST((got.bytes == sent && got.error == 0));
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_g8_fork, *boost::unit_test::label("forks"))

BOOST_FIXTURE_TEST_CASE(the_parent_goes_on_with_a_delivery, forking)
{
  const support::fd copy(checked(::dup(original), "dup"));
  object.async_close(close_mode::graceful(long_enough), t.handler());
  BOOST_TEST(run_until(context, [&] { return tcp_state_of(copy) == TCP_FIN_WAIT1; }));
  BOOST_TEST(child_closes());
  BOOST_TEST(t.times == 0);
  check_delivered(close_outcome::peer_closed);
}

BOOST_FIXTURE_TEST_CASE(a_child_sends_no_fin_for_what_was_not_delivered_yet, forking)
{
  object.async_close(close_mode::graceful(long_enough), t.handler());
  BOOST_TEST(child_closes());
  check_delivered(close_outcome::peer_closed);
}

BOOST_AUTO_TEST_SUITE_END()
