// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Stacks in a close_group: they are closed with their layers, within the group's deadline.

#include <interlock/adapt/ssl.hpp>

#include <chrono>
#include <list>
#include <memory>
#include <utility>

#include <boost/test/unit_test.hpp>

#include <interlock/close_group.hpp>

#include "tls_scene.hpp"

using interlock::close_group;
using interlock::close_mode;
using interlock::close_outcome;
using interlock::close_tally;
using interlock::ip::tcp;
using std::chrono::milliseconds;

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

  void close(const close_mode& mode)
  {
    group.async_close(mode,
      [this](error_code ec, const close_tally& t)
      {
        BOOST_TEST(ec == success);
        ++calls;
        tally = t;
      });
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_groups_of_stacks)

BOOST_AUTO_TEST_CASE(a_stack_is_closed_with_its_layers)
{
  read_end seen;
  grouped g([&](tls_peer& p) { seen = p.read_all(); });
  large_write w;
  w.start(*g.near);
  g.close(close_mode::graceful(long_enough));
  g.context.run();
  g.join();
  BOOST_TEST(seen.bytes == much);
  BOOST_TEST(seen.is_clean());
  BOOST_TEST(g.calls == 1);
  BOOST_TEST(g.tally[close_outcome::peer_closed] == 1u);
  BOOST_TEST(g.tally.members() == 1u);
  BOOST_TEST(g.group.size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_group_does_not_keep_a_stack_but_while_it_closes_it)
{
  grouped g([](tls_peer& p) { p.read_all(); });
  const std::weak_ptr<tls_stream> stack = g.near;
  g.close(close_mode::graceful(long_enough));
  g.near.reset();
  BOOST_TEST(!stack.expired());
  g.context.run();
  BOOST_TEST(stack.expired());
  BOOST_TEST(g.group.size() == 0u);
  BOOST_TEST(g.tally[close_outcome::peer_closed] == 1u);
}

BOOST_AUTO_TEST_CASE(a_stack_that_is_gone_leaves_the_group)
{
  grouped g([](tls_peer& p) { p.read_all(); });
  g.near.reset();
  g.context.run();
  BOOST_TEST(g.group.size() == 0u);
  g.close(close_mode::graceful(long_enough));
  g.context.restart();
  g.context.run();
  BOOST_TEST(g.tally.members() == 0u);
  BOOST_CHECK_THROW(g.group.add(std::weak_ptr<tls_stream>()), std::bad_weak_ptr);
}

BOOST_AUTO_TEST_CASE(a_peer_that_never_answers_does_not_hold_the_group)
{
  grouped g(
    [&](tls_peer& p)
    {
      p.read_all();
      g.wait();
    });
  g.close(close_mode::graceful(milliseconds(50)));
  g.context.run();
  BOOST_TEST(g.calls == 1);
  BOOST_TEST(g.tally[close_outcome::timed_out] == 1u);
  BOOST_TEST(g.tally.members() == 1u);
}

BOOST_AUTO_TEST_CASE(writes_that_do_not_end_are_aborted_with_the_group)
{
  grouped g([&](tls_peer&) { g.wait(); });
  large_write w;
  w.start(*g.near);
  g.close(close_mode::graceful(milliseconds(50)));
  g.context.run();
  BOOST_TEST(g.calls == 1);
  BOOST_TEST(g.tally.members() == 1u);
  BOOST_TEST(g.tally.unacknowledged != 0u);
  BOOST_TEST((w.ec != success && w.ec != not_called));
}

BOOST_AUTO_TEST_CASE(a_stronger_mode_of_the_group_overtakes_the_layers)
{
  for (const auto mode :
    {close_mode::deliver(long_enough), close_mode::immediate(), close_mode::abort()})
  {
    read_end seen;
    grouped g(
      [&](tls_peer& p)
      {
        seen = p.read_all();
        g.wait();
      });
    g.close(close_mode::graceful(long_enough));
    for (int turns = 0; turns != 10; ++turns)
      g.context.poll_one();
    g.close(mode);
    g.context.run();
    g.let_go();
    g.join();
    BOOST_TEST(g.calls == 2);
    BOOST_TEST(g.tally.members() == 1u);
    BOOST_TEST(g.tally[mode.delivers()                      ? close_outcome::acknowledged
                   : mode.what() == close_mode::kind::abort ? close_outcome::aborted
                                                            : close_outcome::closed]
      == 1u);
  }
}

BOOST_AUTO_TEST_CASE(what_is_opened_during_a_close_stays_open_when_the_group_aborts)
{
  for (int turns = 0; turns != 30; ++turns)
  {
    asio::io_context context;
    tcp::acceptor acceptor(context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    asio::ip::tcp::socket far(context);
    far.connect(acceptor.local_endpoint());
    const auto near = std::make_shared<tcp::socket>(acceptor.accept());
    close_group group(context);
    group.add(near);
    closed c;
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
  grouped g([](tls_peer& p) { p.read_all(); });
  const auto moved = std::make_shared<tls_stream>(std::move(*g.near));
  g.close(close_mode::immediate());
  g.context.run();
  BOOST_TEST(!moved->next_layer().is_open());
  BOOST_TEST(g.tally.members() == 1u);
}

BOOST_AUTO_TEST_CASE(a_close_of_the_program_and_one_of_the_group_are_one)
{
  grouped g([](tls_peer& p) { p.read_all(); });
  closed own;
  interlock::async_close(g.near, close_mode::graceful(long_enough), own.handler());
  g.close(close_mode::graceful(long_enough));
  g.context.run();
  BOOST_TEST(own.calls == 1);
  BOOST_TEST(own.report.notify_sent);
  BOOST_TEST(g.calls == 1);
  BOOST_TEST(g.tally[close_outcome::peer_closed] == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
