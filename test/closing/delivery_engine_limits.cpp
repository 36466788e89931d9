// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What bounds a delivery: the deadline, progress, the input that is worth discarding, a stronger mode, and the kernel's
// own limit.

#include <interlock/detail/closing/delivery_engine.hpp>

#include <chrono>
#include <cstddef>
#include <string>

#include <boost/test/unit_test.hpp>

#include "support/delivery_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/lingering_socket.hpp"
#include "support/tcp_facts.hpp"

using interlock::close_mode;
using interlock::close_outcome;
using interlock::detail::delivery_engine;
using std::chrono::milliseconds;
using std::chrono::seconds;
using support::delivery_fixture;
using support::delivery_probe;
using support::long_enough;
using support::taken;
using support::ways;

namespace {

unsigned user_timeout_of(const support::fd& n)
{
  unsigned value = 0;
  ::socklen_t size = sizeof(value);
  support::checked(
    ::getsockopt(n.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &size), "getsockopt");
  return value;
}

/// The kernel's limit while a delivery under the given mode waits for the peer; an immediate end, which overtakes it,
/// has lifted the limit.
template <class Fixture>
unsigned limit_under(Fixture& f, support::ends& tcp, const close_mode& mode)
{
  delivery_probe job;
  f.submit(job, tcp.near, mode);
  f.engine.run_once(milliseconds(0));
  const unsigned limit = user_timeout_of(tcp.near);
  f.engine.overtake(job, close_mode::immediate());
  f.engine.run_once(milliseconds(0));
  BOOST_TEST(job.reports() == 1);
  BOOST_TEST(user_timeout_of(tcp.near) == 0u);
  return limit;
}

/// Without the right to more, only what the system allows.
void give_room(const support::fd& n, int which)
{
  const int size = 1 << 23;
  ::setsockopt(n.get(), SOL_SOCKET, which, &size, sizeof(size));
}

/// The near end has room for much input.
support::ends roomy_tcp_ends()
{
  const support::fd listener = support::tcp_listener();
  give_room(listener, SO_RCVBUFFORCE);
  support::fd far = support::tcp_connected_to(listener);
  return {support::fd(support::checked(::accept(listener.get(), nullptr, nullptr), "accept")),
    std::move(far)};
}

/// Sends more than the engine discards in one turn, as far as there is room, and ends its side.
struct sender
{
  static constexpr std::size_t size = 3 * delivery_engine::discard_at_once;

  const support::fd& from;
  std::string left = std::string(size, 'x');

  void send()
  {
    if (left.empty())
      return;
    const ::ssize_t sent = ::send(from.get(), left.data(), left.size(), MSG_DONTWAIT);
    left.erase(0, sent > 0 ? static_cast<std::size_t>(sent) : 0);
    if (left.empty())
      support::checked(::shutdown(from.get(), SHUT_WR), "shutdown");
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_delivery_engine_limits)

// Each piece is taken well after half of the progress timeout, and all of them long after it.
BOOST_FIXTURE_TEST_CASE_TEMPLATE(progress_however_slow_is_not_cut, Way, ways, delivery_fixture<Way>)
{
  constexpr milliseconds pause(60);
  support::ends tcp = support::narrow_tcp_ends();
  const std::size_t sent = support::fill(tcp.near.get());
  delivery_probe job;
  this->submit(job, tcp.near, close_mode::deliver(long_enough).progress_timeout(20 * pause));
  taken got;
  auto next = std::chrono::steady_clock::now();
  BOOST_TEST(this->run_until([&] { return job.reports() != 0; },
    [&]
    {
      if (std::chrono::steady_clock::now() < next)
        return;
      next += pause;
      for (std::size_t all = got.bytes + sent / 25; got.bytes < all && !got.ended;)
        got.take(tcp.far, all - got.bytes);
    },
    milliseconds(5)));
  BOOST_TEST(job.outcome() == close_outcome::acknowledged);
  BOOST_TEST((job.report().duration > 20 * pause));
}

// What it sends says nothing about what it takes.
BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_peer_that_sends_and_does_not_read_makes_no_progress, Way, ways, delivery_fixture<Way>)
{
  for (support::ends (*connected)() : {&support::narrow_tcp_ends, &support::unix_ends})
  {
    support::ends e = connected();
    support::fill(e.near.get());
    delivery_probe job;
    this->submit(job, e.near, close_mode::graceful(long_enough).progress_timeout(milliseconds(50)));
    BOOST_TEST(this->run_until_delivered(job, [&] { support::fill(e.far.get()); }));
    BOOST_TEST(job.outcome() == close_outcome::timed_out);
    BOOST_TEST(job.report().discarded > 0u);
    BOOST_TEST((job.report().duration < long_enough));
  }
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  input_that_is_left_for_the_next_round_is_due_at_once, Way, ways, delivery_fixture<Way>)
{
  using clock = std::chrono::steady_clock;
  support::ends tcp = support::tcp_ends();
  support::fill(tcp.near.get());
  support::fill(tcp.far.get());
  delivery_probe job;
  this->submit(job, tcp.near, close_mode::graceful(long_enough));
  this->engine.run_once(milliseconds(0));
  BOOST_TEST((this->engine.next_deadline() <= clock::now()));
  // What does not read any more does not wait for input either.
  this->engine.overtake(job, close_mode::deliver(long_enough));
  BOOST_TEST(this->run_until([&] { return this->engine.next_deadline() > clock::now(); }));
  this->engine.overtake(job, close_mode::immediate());
  this->engine.run_once(milliseconds(0));
  BOOST_TEST(job.outcome() == close_outcome::closed);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_deadline_of_nothing_still_sends_all_there_is_room_for, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::tcp_ends();
  support::send_text(tcp.near, "all of it");
  delivery_probe job;
  this->submit(job, tcp.near, close_mode::deliver(seconds(0)));
  this->engine.run_once(milliseconds(0));
  BOOST_TEST(job.reports() == 1);
  taken got;
  BOOST_TEST(got.take_all(tcp.far));
  BOOST_TEST((got.bytes == 9u && got.ended));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  time_limits_count_from_the_close_and_not_from_the_submit, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::narrow_tcp_ends();
  support::fill(tcp.near.get());
  delivery_probe job;
  const auto since = std::chrono::steady_clock::now() - seconds(30);
  this->engine.submit(job, tcp.near.get(), close_mode::deliver(seconds(30)), since);
  this->engine.run_once(milliseconds(0));
  BOOST_TEST(job.reports() == 1);
  BOOST_TEST(job.outcome() == close_outcome::timed_out);
  BOOST_TEST((job.report().duration >= seconds(30)));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_peer_that_sends_for_ever_is_left_at_the_deadline, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::tcp_ends();
  support::send_text(tcp.near, "all of it");
  delivery_probe job;
  this->submit(job, tcp.near, close_mode::graceful(milliseconds(100)));
  taken got;
  std::size_t sent = 0;
  BOOST_TEST(this->run_until_delivered(job,
    [&]
    {
      got.take(tcp.far);
      sent += support::fill(tcp.far.get());
    }));
  BOOST_TEST(job.outcome() == close_outcome::acknowledged);
  BOOST_TEST((job.report().duration >= milliseconds(100)));
  BOOST_TEST((job.report().discarded > 0 && job.report().discarded <= sent));
  BOOST_TEST(got.bytes == 9u);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_peer_that_sends_too_much_is_left_when_it_has_acknowledged, Way, ways, delivery_fixture<Way>)
{
  for (support::ends (*connected)() : {&support::tcp_ends, &support::unix_ends})
  {
    support::ends e = connected();
    support::send_text(e.near, "all of it");
    delivery_probe job;
    this->submit(job, e.near, close_mode::graceful(long_enough).discard_limit(300001));
    bool reads = false;
    taken got;
    const auto peer = [&]
    {
      support::fill(e.far.get());
      if (reads)
        got.take(e.far);
    };
    for (int i = 0; i < 50; ++i)
    {
      peer();
      this->engine.run_once(milliseconds(0));
    }
    reads = true;
    BOOST_TEST(this->run_until_delivered(job, peer));
    BOOST_TEST(job.outcome() == close_outcome::acknowledged);
    BOOST_TEST(job.report().discarded == 300001u);
    BOOST_TEST((job.report().duration < long_enough));
  }
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  as_much_input_as_the_limit_allows_is_not_too_much, Way, ways, delivery_fixture<Way>)
{
  for (support::ends (*connected)() : {&support::tcp_ends, &support::unix_ends})
  {
    support::ends e = connected();
    delivery_probe job;
    this->submit(job, e.near, close_mode::graceful(long_enough).discard_limit(5));
    support::send_text(e.far, "12345");
    BOOST_TEST(support::wait_input(e.near, 5));
    for (int i = 0; i < 5; ++i)
      this->engine.run_once(milliseconds(0));
    BOOST_TEST(job.reports() == 0);
    e.far.reset();
    BOOST_TEST(this->run_until_delivered(job));
    BOOST_TEST(job.outcome() == close_outcome::peer_closed);
    BOOST_TEST(job.report().discarded == 5u);
  }
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  an_immediate_end_keeps_what_is_known_already, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::tcp_ends();
  delivery_probe job;
  this->submit(job, tcp.near, close_mode::graceful(long_enough));
  BOOST_TEST(this->run_until([&] { return support::tcp_state_of(tcp.near) == TCP_FIN_WAIT2; }));
  this->engine.overtake(job, close_mode::immediate());
  this->engine.run_once(milliseconds(0));
  BOOST_TEST(job.outcome() == close_outcome::acknowledged);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_delivery_overtakes_a_graceful_end_and_can_only_shorten_it, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::narrow_tcp_ends();
  support::fill(tcp.near.get());
  for (auto timeouts :
    {std::make_pair(long_enough, seconds(0)), std::make_pair(seconds(0), long_enough)})
  {
    delivery_probe job;
    this->submit(job, tcp.near, close_mode::graceful(timeouts.first));
    this->engine.overtake(job, close_mode::deliver(timeouts.second));
    this->engine.run_once(milliseconds(0));
    BOOST_TEST(job.reports() == 1);
    BOOST_TEST(job.outcome() == close_outcome::timed_out);
  }

  support::ends idle = support::tcp_ends();
  delivery_probe job;
  this->submit(job, idle.near, close_mode::graceful(long_enough));
  BOOST_TEST(this->run_until([&] { return support::tcp_state_of(idle.near) == TCP_FIN_WAIT2; }));
  this->engine.overtake(job, close_mode::deliver(long_enough));
  this->engine.run_once(milliseconds(0));
  BOOST_TEST(job.reports() == 1);
  BOOST_TEST(job.outcome() == close_outcome::acknowledged);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  the_kernel_gives_a_peer_up_by_the_same_deadline, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::narrow_tcp_ends();
  support::fill(tcp.near.get());
  const unsigned limit = limit_under(*this, tcp, close_mode::deliver(seconds(30)));
  BOOST_TEST((limit > 29000 && limit <= 30000));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  the_kernel_is_not_told_to_wait_longer_than_it_would, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::narrow_tcp_ends();
  support::fill(tcp.near.get());
  const auto ages = std::chrono::hours(24 * 300);
  BOOST_TEST(limit_under(*this, tcp, close_mode::deliver(ages)) == 0u);
}

// The probes of keepalive would wait for the limit as well.
BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_peer_that_has_acknowledged_is_under_the_kernels_own_limits, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::narrow_tcp_ends();
  support::fill(tcp.near.get());
  delivery_probe job;
  this->submit(job, tcp.near, close_mode::graceful(seconds(30)));
  this->engine.run_once(milliseconds(0));
  BOOST_TEST(user_timeout_of(tcp.near) != 0u);
  taken got;
  BOOST_TEST(
    this->run_until([&] { return user_timeout_of(tcp.near) == 0; }, [&] { got.take(tcp.far); }));
  BOOST_TEST(job.reports() == 0);
  BOOST_TEST(support::tcp_state_of(tcp.near) == TCP_FIN_WAIT2);
  tcp.far.reset();
  BOOST_TEST(this->run_until_delivered(job));
  BOOST_TEST(job.outcome() == close_outcome::peer_closed);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  all_that_a_peer_sent_before_its_end_is_discarded_and_counted, Way, ways, delivery_fixture<Way>)
{
  for (support::ends (*connected)() : {&roomy_tcp_ends, &support::unix_ends})
  {
    support::ends e = connected();
    give_room(e.far, SO_SNDBUFFORCE);
    sender peer{e.far};
    peer.send();
    delivery_probe job;
    this->submit(job, e.near, close_mode::graceful(long_enough));
    BOOST_TEST(this->run_until_delivered(job, [&] { peer.send(); }));
    BOOST_TEST(job.outcome() == close_outcome::peer_closed);
    BOOST_TEST(job.report().discarded == sender::size);
  }
}

// The kernel counts from where the peer fell silent, which was before the close.
BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  the_kernel_is_not_limited_when_the_peer_was_silent_before, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::narrow_tcp_ends();
  support::fill(tcp.near.get());
  BOOST_TEST(support::wait_until([&] { return support::tcp_info_of(tcp.near).tcpi_backoff != 0; }));
  BOOST_TEST(limit_under(*this, tcp, close_mode::deliver(seconds(30))) == 0u);
}

// The kernel finds out before we do.
BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_peer_given_up_by_the_kernel_has_timed_out, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::narrow_tcp_ends();
  const unsigned soon = 100;
  support::checked(
    ::setsockopt(tcp.near.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &soon, sizeof(soon)), "setsockopt");
  support::fill(tcp.near.get());
  delivery_probe job;
  this->submit(job, tcp.near, close_mode::deliver(long_enough));
  BOOST_TEST(this->run_until_delivered(job));
  BOOST_TEST(job.outcome() == close_outcome::timed_out);
  BOOST_TEST((job.report().duration < long_enough));
  BOOST_TEST(support::tcp_state_of(tcp.near) == TCP_CLOSE);
}

BOOST_AUTO_TEST_SUITE_END()
