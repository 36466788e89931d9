// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Stacks in a close_group: they are closed with their layers, within the group's deadline.

#include <interlock/adapt/ssl.hpp>

#include <interlock/close_group.hpp>

#include "tls_scene.hpp"

using interlock::close_group;
using interlock::close_tally;

namespace {

using namespace adapt;
using tls_stream = ssl::stream<tcp::socket>;
using scene = tls_scene<tls_stream>;

/// A group of one stack.
struct grouped : scene
{
  close_group group{context};
  int calls = 0;
  close_tally tally;
  const in_time checked{};

  explicit grouped(script s)
    : scene(TLS1_3_VERSION, s)
  {
    group.add(near);
  }

  void start(const close_mode& mode)
  {
    group.async_close(mode,
      [this](error_code ec, const close_tally& t)
      {
        BOOST_TEST(ec == success);
        ++calls;
        tally = t;
      });
  }

  void close(const close_mode& mode)
  {
    start(mode);
    end();
  }

  /// The only member has had this outcome, and each close has been told.
  void check(close_outcome outcome, int closes = 1) const
  {
    BOOST_TEST(calls == closes);
    BOOST_TEST(tally.members() == 1u);
    BOOST_TEST(tally[outcome] == 1u, "not " << outcome << ": " << tally);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_groups_of_stacks)

BOOST_AUTO_TEST_CASE(a_stack_is_closed_with_its_layers)
{
  grouped g(reads);
  large_write w(*g.near);
  g.close(close_mode::graceful(long_enough));
  BOOST_TEST(g.far.seen.is(much));
  g.check(close_outcome::peer_closed);
  BOOST_TEST(g.group.size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_group_does_not_keep_a_stack_but_while_it_closes_it)
{
  grouped g(reads);
  const std::weak_ptr<tls_stream> stack = g.near;
  g.start(close_mode::graceful(long_enough));
  g.near.reset();
  BOOST_TEST(!stack.expired());
  g.run();
  BOOST_TEST(stack.expired());
  BOOST_TEST(g.group.size() == 0u);
  g.check(close_outcome::peer_closed);
}

BOOST_AUTO_TEST_CASE(a_stack_that_is_gone_leaves_the_group)
{
  grouped g(reads);
  g.near.reset();
  g.run();
  BOOST_TEST(g.group.size() == 0u);
  g.close(close_mode::graceful(long_enough));
  BOOST_TEST(g.tally.members() == 0u);
  BOOST_CHECK_THROW(g.group.add(std::weak_ptr<tls_stream>()), std::bad_weak_ptr);
}

BOOST_AUTO_TEST_CASE(a_peer_that_never_answers_does_not_hold_the_group)
{
  grouped g(reads_and_waits);
  g.close(close_mode::graceful(milliseconds(50)));
  g.check(close_outcome::timed_out);
}

BOOST_AUTO_TEST_CASE(writes_that_do_not_end_are_aborted_with_the_group)
{
  grouped g(waits);
  large_write w(*g.near);
  g.close(close_mode::graceful(milliseconds(50)));
  BOOST_TEST(g.calls == 1);
  BOOST_TEST(g.tally.members() == 1u);
  BOOST_TEST(g.tally.unacknowledged != 0u);
  BOOST_TEST(has_failed(w.ec));
}

BOOST_AUTO_TEST_CASE(a_stronger_mode_of_the_group_overtakes_the_layers)
{
  const std::pair<close_mode, close_outcome> rows[] = {
    {close_mode::deliver(long_enough), close_outcome::acknowledged},
    {close_mode::immediate(), close_outcome::closed},
    {close_mode::abort(), close_outcome::aborted}};
  for (const auto& [mode, outcome] : rows)
  {
    grouped g(reads_and_waits);
    g.start(close_mode::graceful(long_enough));
    for (int turns = 0; turns != 10; ++turns)
      g.context.poll_one();
    g.close(mode);
    g.check(outcome, 2);
  }
}

BOOST_AUTO_TEST_CASE(what_is_opened_during_a_close_stays_open_when_the_group_aborts)
{
  for (int turns = 0; turns != 30; ++turns)
  {
    asio::io_context context;
    tcp::acceptor acceptor(context, any_local_port());
    asio::ip::tcp::socket far(context);
    far.connect(acceptor.local_endpoint());
    const auto near = std::make_shared<tcp::socket>(acceptor.accept());
    close_group group(context);
    group.add(near);
    group.async_close(close_mode::immediate(), [](error_code, const close_tally&) {});
    for (int i = 0; i != turns; ++i)
      context.poll_one();
    group.async_close(close_mode::abort(), [](error_code, const close_tally&) {});
    error_code ec;
    near->open(asio::ip::tcp::v4(), ec);
    context.run();
    BOOST_TEST(near->is_open() == !ec);
  }
}

BOOST_AUTO_TEST_CASE(a_stack_that_has_been_moved_is_closed_as_a_connection)
{
  grouped g(reads);
  const auto moved = std::make_shared<tls_stream>(std::move(*g.near));
  g.close(close_mode::immediate());
  BOOST_TEST(!moved->next_layer().is_open());
  BOOST_TEST(g.tally.members() == 1u);
}

BOOST_AUTO_TEST_CASE(a_close_of_the_program_and_one_of_the_group_are_one)
{
  grouped g(reads);
  g.start_close(close_mode::graceful(long_enough));
  g.close(close_mode::graceful(long_enough));
  BOOST_TEST(g.c.told() == "peer_closed, sent");
  g.check(close_outcome::peer_closed);
}

BOOST_AUTO_TEST_SUITE_END()
