// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G9, for want of memory, of groups. Each allocation of `add` and of `async_close` is made to fail in turn. An `add`
// that throws has no effect. An `async_close` that throws has closed nothing, and a second one closes everything; one
// that does not throw has its handler called once. Every descriptor is closed once.

#define BOOST_TEST_MODULE interlock_alloc_failure_groups
#include "groups/group_test.hpp"

#include <boost/asio/steady_timer.hpp>

#include "support/allocation_walk.hpp"
#include "support/told.hpp"

using interlock::close_group;
using interlock::close_mode;
using interlock::close_tally;
using std::chrono::hours;
using std::chrono::milliseconds;
using support::failing;

namespace {

using told = support::told_with<close_tally>;

/// Over strands of the test's own: see alloc_failure.cpp.
using strand = asio::strand<asio::io_context::executor_type>;
using local_socket = local::socket::rebind_executor<strand>::other;
using tcp_acceptor = tcp::acceptor::rebind_executor<strand>::other;

/// An acceptor with a connection in its queue, and two sockets.
struct scene : support::walked_context
{
  close_group group{context};
  tcp_acceptor acceptor{
    strand(context.get_executor()), asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  asio::ip::tcp::socket client{context};
  support::ends first_pair = support::unix_ends();
  support::ends second_pair = support::unix_ends();
  support::close_watch watch_of_acceptor{acceptor.native_handle()};
  support::close_watch watch_of_first{first_pair.near.get()};
  support::close_watch watch_of_second{second_pair.near.get()};
  local_socket first{strand(context.get_executor()), local(), first_pair.near.release()};
  local_socket second{strand(context.get_executor()), local(), second_pair.near.release()};

  scene()
  {
    client.connect(acceptor.local_endpoint());
    const asio::steady_timer services(context); // of Asio's, made before
    group.abort_wait(milliseconds(20));
  }

  void add_all()
  {
    group.add(acceptor);
    group.add(first);
    group.add(second);
  }

  std::size_t open() const
  {
    return std::size_t(acceptor.is_open()) + std::size_t(first.is_open())
      + std::size_t(second.is_open());
  }

  std::size_t closes() const
  {
    return watch_of_acceptor.closed() + watch_of_first.closed() + watch_of_second.closed();
  }

  /// By the group, and each once.
  void check_closed()
  {
    BOOST_TEST(open() == 0u);
    BOOST_TEST(support::wait_until([this] { return closes() == 3; }));
  }

  /// Has no effect on what has been closed before.
  void close_again()
  {
    told second_time;
    group.async_close(close_mode::immediate(), handlers(second_time.handler()));
    run_until_ended();
    BOOST_TEST(second_time.times == 1);
    BOOST_TEST(second_time.ec == error_code());
  }
};

struct close_row : support::row
{
  close_mode mode;
  milliseconds spread = milliseconds(0);
};

const close_mode patient = close_mode::deliver(hours(1));

const close_row closes[] = {
  {{"immediate", 6}, close_mode::immediate()},
  {{"deliver", 10}, close_mode::deliver(milliseconds(20))},
  // Without memory for the timer the others do not wait for their turn.
  {{"deliver, spread", 10}, close_mode::deliver(milliseconds(50)), milliseconds(10)},
};

const close_row overtaking[] = {{{"deliver", 3}, patient}, {{"abort", 3}, close_mode::abort()}};

} // namespace

INTERLOCK_TEST_WALK(an_add_that_throws_has_no_effect, 4)
{
  scene s;
  std::size_t added = 0;
  const bool threw = fails(
    [&]
    {
      s.group.add(s.acceptor);
      ++added;
      s.group.add(s.first);
      ++added;
      s.group.add(s.second);
      ++added;
    });
  BOOST_TEST(threw == (added != 3));
  BOOST_TEST(s.group.size() == added);
  told t;
  s.group.async_close(patient, s.handlers(t.handler()));
  s.run_until_ended();
  BOOST_TEST(s.open() == 3 - added);
  // The connection in the queue of the acceptor is one.
  BOOST_TEST(t.report.members() == (added == 0 ? 0u : added + 1));
}

INTERLOCK_TEST_WALK_ROWS(a_close_closes_all_or_throws, closes)
{
  scene s;
  s.add_all();
  s.group.spread(row.spread);
  told t;
  const bool threw = fails([&] { s.group.async_close(row.mode, s.handlers(t.handler())); });
  if (threw || row.spread.count() == 0)
    BOOST_TEST(s.open() == (threw ? 3u : 0u));
  s.run_until_ended();
  BOOST_TEST(t.times == (threw ? 0 : 1));
  BOOST_TEST((threw || t.report.members() >= 3u));
  s.close_again();
  s.check_closed();
  BOOST_TEST(groups::end_of(s.client) != error_code());
}

// The first waits for peers that do not read.
INTERLOCK_TEST_WALK_ROWS(a_stronger_close_overtakes_or_throws, overtaking)
{
  scene s;
  s.add_all();
  support::fill(s.first.native_handle());
  support::fill(s.second.native_handle());
  told t;
  s.group.async_close(patient, s.handlers(t.handler()));
  told joined;
  const bool threw = fails([&] { s.group.async_close(row.mode, s.handlers(joined.handler())); });
  s.first_pair.far.reset();
  s.second_pair.far.reset();
  s.run_until_ended();
  BOOST_TEST(t.times == 1);
  BOOST_TEST(joined.times == (threw ? 0 : 1));
  BOOST_TEST((threw || joined.report.members() == t.report.members()));
  BOOST_TEST(t.report.unfinished == 0u);
  s.check_closed();
}

INTERLOCK_TEST_WALK(an_object_added_during_a_close_is_closed_or_stays_open, 2)
{
  scene s;
  s.group.add(s.first);
  support::fill(s.first.native_handle());
  told t;
  s.group.async_close(close_mode::deliver(milliseconds(50)), s.handlers(t.handler()));
  const bool threw = fails([&] { s.group.add(s.second); });
  BOOST_TEST(s.second.is_open() == threw);
  BOOST_TEST(s.group.size() == (threw ? 1u : 2u));
  s.run_until_ended();
  BOOST_TEST(t.times == 1);
  BOOST_TEST(t.report.members() == (threw ? 1u : 2u));
}
