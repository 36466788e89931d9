// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a close_service tells of its objects: every descriptor counts once, and what a close waits for is named.

#include "support/prelude.hpp"

#include <interlock/close_statistics.hpp>
#include <interlock/generic/stream_protocol.hpp>

#include <array>
#include <cstdint>
#include <numeric>
#include <sstream>

#include "support/standing_close.hpp"

using namespace support;
using interlock::close_in_progress;
using interlock::close_mode;
using interlock::close_outcome;
using interlock::close_report;
using interlock::close_service;
using interlock::close_stage;
using interlock::close_statistics;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr seconds long_enough(60);

struct scene
{
  asio::io_context context;
  close_service& service;

  /// Takes no close over.
  explicit scene(std::size_t max_elastic_threads = 16)
    : service(interlock::make_close_service(context, patient(max_elastic_threads)))
  {
  }

  static close_service::options patient(std::size_t max_elastic_threads)
  {
    close_service::options o;
    o.takeover = hours(1);
    o.max_elastic_threads = max_elastic_threads;
    return o;
  }

  close_statistics now() const
  {
    return service.statistics();
  }

  bool comes_to(close_stage stage) const
  {
    return comes_to([stage](const close_statistics& s) { return s[stage] == 1; });
  }

  template <class Condition>
  bool comes_to(Condition is_met) const
  {
    return wait_until([&] { return is_met(now()); });
  }

  std::string dump() const
  {
    std::ostringstream lines;
    service.dump(lines);
    return lines.str();
  }
};

/// With a connection over AF_UNIX.
struct connection : scene
{
  ends pair = unix_ends();
  const int descriptor = pair.near.get();
  local::socket socket{context, local(), pair.near.release()};
  std::array<char, 1> byte{};
  std::string much = std::string(1 << 20, 'x');

  void close(const close_mode& mode)
  {
    socket.async_close(mode, [](error_code, const close_report&) {});
  }

  void run()
  {
    context.restart();
    context.run();
  }

  void check_ended()
  {
    BOOST_TEST(now().closing() == 0u);
    BOOST_TEST(now().open == 0u);
    BOOST_TEST(now().closed() == now().opened);
    BOOST_TEST(dump().empty());
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_statistics)

// --- Counts.

BOOST_FIXTURE_TEST_CASE(what_is_not_used_has_counted_nothing, scene)
{
  const local::socket unopened(context);
  BOOST_TEST(now().opened == 0u);
  BOOST_TEST(now().open == 0u);
  BOOST_TEST(now().closed() == 0u);
}

BOOST_FIXTURE_TEST_CASE(each_descriptor_counts_once_by_its_outcome, scene)
{
  local::socket s(context);
  for (int i = 0; i != 3; ++i)
  {
    s.assign(local(), unix_ends().near.release());
    BOOST_TEST(now().open == 1u);
    s.close();
    s.assign(local(), unix_ends().near.release());
    s.async_close(close_mode::abort(), [](error_code, const close_report&) {});
    context.restart();
    context.run();
    s.assign(local(), unix_ends().near.release());
    const fd released(s.release());
  }
  const close_statistics all = now();
  BOOST_TEST(all.opened == 9u);
  BOOST_TEST(all.open == 0u);
  BOOST_TEST(all[close_outcome::closed] == 3u);
  BOOST_TEST(all[close_outcome::aborted] == 3u);
  BOOST_TEST(all[close_outcome::detached] == 3u);
  BOOST_TEST(std::accumulate(all.times.begin(), all.times.end(), std::uint64_t{0}) == 9u);
}

BOOST_FIXTURE_TEST_CASE(a_move_to_another_type_counts_as_a_new_descriptor, connection)
{
  {
    const interlock::generic::stream_protocol::socket moved(std::move(socket));
    BOOST_TEST(now().open == 1u);
    BOOST_TEST(now().opened == 2u);
    BOOST_TEST(now()[close_outcome::detached] == 1u);
  }
  check_ended();
}

BOOST_FIXTURE_TEST_CASE(a_time_counts_in_the_class_of_its_length, connection)
{
  fill(socket.native_handle());
  close(close_mode::deliver(milliseconds(5)));
  run();
  const close_statistics all = now();
  BOOST_TEST(all[close_outcome::timed_out] == 1u);
  const auto from_4096us_on = all.times.begin() + 13;
  BOOST_TEST(std::accumulate(all.times.begin(), from_4096us_on, std::uint64_t{0}) == 0u);
  BOOST_TEST(std::accumulate(from_4096us_on, all.times.end(), std::uint64_t{0}) == 1u);
}

BOOST_AUTO_TEST_CASE(counts_are_exact_after_threads_have_opened_and_closed)
{
  constexpr int threads = 4;
  constexpr int each = 300;
  support::loop loop(2);
  const close_service& service = interlock::make_close_service(loop.context);
  at_once(threads + 1,
    [&](int number)
    {
      for (int i = 0; i != each; ++i)
      {
        if (number == threads)
        {
          static_cast<void>(service.statistics());
          static_cast<void>(service.closes_in_progress());
          continue;
        }
        ends pair = unix_ends();
        local::socket s(loop.context, local(), pair.near.release());
        if (i % 3 == 0)
          s.async_close(close_mode::deliver(long_enough), [](error_code, const close_report&) {});
        else if (i % 3 == 1)
          s.close();
      }
    });
  loop.join();
  const auto is_over = [&] { return service.statistics().closed() == threads * each; };
  BOOST_TEST(wait_until(is_over));
  const close_statistics all = service.statistics();
  BOOST_TEST(all.opened == std::uint64_t(threads * each));
  BOOST_TEST(all.open == 0u);
  BOOST_TEST(all.closing() == 0u);
  BOOST_TEST(all.elastic_threads == 0u);
}

// --- What a close waits for.

BOOST_FIXTURE_TEST_CASE(a_close_waits_for_outstanding_writes, connection)
{
  asio::async_write(socket, asio::buffer(much), [](error_code, std::size_t) {});
  close(close_mode::deliver(long_enough));
  BOOST_TEST(now()[close_stage::writes] == 1u);
  const close_in_progress oldest = now().oldest;
  BOOST_TEST(oldest.descriptor == descriptor);
  BOOST_TEST((oldest.waits_for == close_stage::writes));
  BOOST_TEST(oldest.writes == 1u);
  BOOST_TEST(dump().find("waits for outstanding writes") != std::string::npos);
  pair.far.reset();
  run();
  check_ended();
}

BOOST_FIXTURE_TEST_CASE(a_close_waits_for_a_thread_of_the_executor, connection)
{
  close(close_mode::immediate());
  BOOST_TEST(now()[close_stage::detach] == 1u);
  run();
  check_ended();
}

BOOST_FIXTURE_TEST_CASE(a_close_waits_for_a_lease, connection)
{
  std::optional<interlock::fd_lease> lease(socket.lease());
  socket.close();
  BOOST_TEST(now()[close_stage::lease] == 1u);
  BOOST_TEST(now().oldest.leases == 1u);
  lease.reset();
  BOOST_TEST(comes_to([](const close_statistics& s) { return s.closed() == 1; }));
  check_ended();
}

BOOST_FIXTURE_TEST_CASE(a_close_waits_for_its_peer, connection)
{
  fill(socket.native_handle());
  close(close_mode::deliver(long_enough));
  context.poll();
  BOOST_TEST(comes_to(close_stage::peer));
  drain(pair.far);
  run();
  check_ended();
}

BOOST_FIXTURE_TEST_CASE(a_close_waits_for_handlers, connection)
{
  socket.async_read_some(asio::buffer(byte), [](error_code, std::size_t) {});
  socket.close();
  BOOST_TEST(comes_to(close_stage::handlers));
  BOOST_TEST(now().closed() == 1u);
  BOOST_TEST(now().oldest.handlers == 1u);
  run();
  check_ended();
}

BOOST_AUTO_TEST_CASE(a_close_waits_for_close2_and_the_next_for_a_thread)
{
  scene s(1);
  standing_close stuck(s.context);
  BOOST_TEST(s.comes_to(close_stage::close_call));
  BOOST_TEST(s.now().oldest.descriptor == stuck.descriptor);
  ends next = unread_ends();
  local::socket(s.context, local(), next.near.release()).close();
  BOOST_TEST(s.comes_to(close_stage::queue));
  BOOST_TEST(s.comes_to([](const close_statistics& n) { return n.waiting_for_threads == 1; }));
  BOOST_TEST(s.now().elastic_threads == 1u);
  stuck.watch.open_gate();
  BOOST_TEST(s.comes_to([](const close_statistics& n) { return n.closed() == 2; }));
  BOOST_TEST(s.now().closing() == 0u);
}

BOOST_FIXTURE_TEST_CASE(the_close_that_has_begun_first_is_the_oldest, connection)
{
  ends second_pair = unix_ends();
  local::socket second(context, local(), second_pair.near.release());
  close(close_mode::immediate());
  const auto first = now().oldest.age;
  BOOST_TEST(comes_to(
    [first](const close_statistics& s) { return s.oldest.age > first + milliseconds(2); }));
  second.async_close(close_mode::immediate(), [](error_code, const close_report&) {});
  const close_statistics both = now();
  BOOST_TEST(both.closing() == 2u);
  BOOST_TEST(both.oldest.descriptor == descriptor);
  BOOST_TEST(service.closes_in_progress().size() == 2u);
  run();
  check_ended();
}

BOOST_AUTO_TEST_SUITE_END()
