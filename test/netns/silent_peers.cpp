// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G8: peers that fall silent in the middle of a delivery, as they do when a host dies or a cable is
// cut: nothing is acknowledged any more, and nothing refused.
//
// The peers are in a network namespace of their own. Where there can be none the program says why, on
// a line that begins with "NOT RUN", and ends with 0.

#define BOOST_TEST_MODULE silent_peers
#define BOOST_TEST_NO_MAIN
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/close_outcome.hpp>
#include <interlock/detail/descriptor/retry_limit.hpp>

#include "netns/two_networks.hpp"
#include "support/closing_socket.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/tcp_facts.hpp"

namespace asio = boost::asio;
namespace utf = boost::unit_test;
using interlock::close_mode;
using interlock::close_outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;
using support::closing_tcp;
using support::taken;
using support::told;

namespace {

using clock_type = std::chrono::steady_clock;

constexpr milliseconds soon(500);
constexpr seconds in_time(2);
constexpr seconds long_enough(60);

std::optional<support::two_networks> networks;

support::ends connection()
{
  return networks->connection();
}

/// A setting of the network of this thread, until the end.
class network_setting
{
public:
  network_setting(std::string path, int value)
    : path_(std::move(path))
  {
    std::ifstream(path_) >> before_;
    set(value);
  }

  network_setting(const network_setting&) = delete;
  network_setting& operator=(const network_setting&) = delete;

  ~network_setting()
  {
    set(before_);
  }

private:
  void set(int value) const
  {
    std::ofstream file(path_);
    BOOST_TEST((file << value << std::flush).good());
  }

  const std::string path_;
  int before_ = 0;
};

/// What is written has arrived, until the peer falls silent; what is written then is lost.
struct silenced : closing_tcp
{
  static constexpr std::size_t arrived = 10000;
  static constexpr std::size_t lost = 50000; // more than is sent at once

  const unsigned short port = object.local_endpoint().port();
  told t;

  silenced()
    : closing_tcp(&connection)
  {
    send(arrived);
    BOOST_TEST(support::wait_input(pair.far, arrived));
    BOOST_TEST(
      support::wait_until([this] { return support::tcp_info_of(copy()).tcpi_unacked == 0; }));
    networks->pull();
  }

  ~silenced()
  {
    networks->plug();
  }

  void send(std::size_t bytes)
  {
    const std::string text(bytes, 'x');
    BOOST_TEST(asio::write(object, asio::buffer(text)) == bytes);
  }

  /// Another name of the near end, which keeps it in the kernel.
  support::fd copy()
  {
    return support::fd(support::checked(::dup(fd()), "dup"));
  }

  /// Whether the kernel came to notice that no peer answers.
  static bool wait_retrying(const support::fd& n)
  {
    return support::wait_until([&] { return support::tcp_info_of(n).tcpi_retransmits != 0; });
  }

  /// Closes, and waits for the outcome. How long it took.
  clock_type::duration close(const close_mode& mode)
  {
    const auto begun = clock_type::now();
    object.async_close(mode, t.handler());
    BOOST_TEST(run_until_told(t));
    return clock_type::now() - begun;
  }

  void check_given_up(const close_mode& mode)
  {
    send(lost);
    const support::fd kept = copy();
    const auto took = close(mode);
    BOOST_TEST(t.is(close_outcome::timed_out));
    BOOST_TEST(t.report.unacknowledged == lost);
    // Our FIN is one of those that have not been sent.
    BOOST_TEST(t.report.unsent == support::queue_of(kept, SIOCOUTQNSD) - 1);
    BOOST_TEST((t.report.unsent != 0u && t.report.unsent < lost));
    BOOST_TEST((took >= soon && took < soon + in_time));
  }

  /// Everything arrives after all once the link is there again.
  void check_delivered(const close_mode& mode, close_outcome outcome)
  {
    send(lost);
    const support::fd kept = copy();
    object.async_close(mode, t.handler());
    support::turn(context);
    BOOST_TEST(wait_retrying(kept));
    BOOST_TEST(t.times == 0);
    networks->plug();
    taken got;
    BOOST_TEST(run_until_told(
      [&]
      {
        got.take(pair.far);
        if (got.ended)
          ::shutdown(pair.far.get(), SHUT_WR);
      },
      t));
    BOOST_TEST(t.is(outcome));
    BOOST_TEST(t.report.unacknowledged == 0u);
    BOOST_TEST((got.take_all(pair.far) && got.ended && got.bytes == arrived + lost));
  }

  void check_forgotten_by_kernel(const close_mode& mode)
  {
    BOOST_TEST(support::is_known_to_kernel(port));
    const auto begun = clock_type::now();
    close(mode);
    BOOST_TEST(t.is(close_outcome::timed_out));
    const auto is_forgotten = [this] { return !support::is_known_to_kernel(port); };
    BOOST_TEST(support::wait_until(is_forgotten, begun + soon + in_time));
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_silent_peers)

// --- What is said of a peer that never answers.

BOOST_FIXTURE_TEST_CASE(what_has_not_arrived_is_counted_at_the_deadline, silenced)
{
  check_given_up(close_mode::deliver(soon));
}

BOOST_FIXTURE_TEST_CASE(and_in_a_graceful_close, silenced)
{
  check_given_up(close_mode::graceful(soon));
}

BOOST_FIXTURE_TEST_CASE(and_when_nothing_moves, silenced)
{
  check_given_up(close_mode::deliver(long_enough).progress_timeout(soon));
}

BOOST_FIXTURE_TEST_CASE(of_a_fin_alone_no_data_is_missing, silenced)
{
  close(close_mode::deliver(soon));
  BOOST_TEST(t.is(close_outcome::timed_out));
  BOOST_TEST(t.report.unacknowledged == 0u);
  BOOST_TEST(t.report.unsent == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_peer_that_had_been_silent_before_is_given_up_no_later, silenced)
{
  send(lost);
  BOOST_TEST(wait_retrying(copy()));
  const auto took = close(close_mode::deliver(soon));
  BOOST_TEST(t.is(close_outcome::timed_out));
  BOOST_TEST(t.report.unacknowledged == lost);
  BOOST_TEST((took >= soon && took < soon + in_time));
}

BOOST_FIXTURE_TEST_CASE(a_kernel_that_gives_the_peer_up_ends_the_waiting, silenced)
{
  const unsigned impatience = 300;
  BOOST_TEST(::setsockopt(fd(), IPPROTO_TCP, TCP_USER_TIMEOUT, &impatience, sizeof(int)) == 0);
  send(lost);
  const auto took = close(close_mode::deliver(long_enough));
  BOOST_TEST(t.is(close_outcome::timed_out));
  BOOST_TEST(t.report.unacknowledged == lost);
  BOOST_TEST((took >= milliseconds(impatience) && took < in_time));
}

BOOST_AUTO_TEST_CASE(a_peer_that_falls_silent_before_its_own_end_has_acknowledged)
{
  closing_tcp c(&connection);
  told t;
  const support::fd kept(support::checked(::dup(c.fd()), "dup"));
  c.object.async_close(close_mode::graceful(soon), t.handler());
  BOOST_TEST(support::wait_until(
    [&] { return support::turn(c.context), support::tcp_state_of(kept) == TCP_FIN_WAIT2; }));
  networks->pull();
  BOOST_TEST(c.run_until_told(t));
  networks->plug();
  BOOST_TEST(t.is(close_outcome::acknowledged));
}

// --- What the kernel keeps of the connection afterwards.

BOOST_FIXTURE_TEST_CASE(a_connection_that_has_timed_out_does_not_stay_in_the_kernel, silenced)
{
  send(lost);
  check_forgotten_by_kernel(close_mode::deliver(soon));
}

BOOST_FIXTURE_TEST_CASE(nor_does_a_graceful_one, silenced)
{
  send(lost);
  check_forgotten_by_kernel(close_mode::graceful(soon));
}

// --- Peers that come back.

BOOST_FIXTURE_TEST_CASE(nothing_is_lost_if_the_peer_comes_back_in_time, silenced)
{
  check_delivered(close_mode::deliver(long_enough), close_outcome::acknowledged);
}

BOOST_FIXTURE_TEST_CASE(nor_in_a_graceful_close, silenced)
{
  check_delivered(close_mode::graceful(long_enough), close_outcome::peer_closed);
}

// --- For how long the kernel sends again.

// 3: after 0.2 + 0.4 + 0.8 + 1.6 s it gives the peer up.
BOOST_AUTO_TEST_CASE(the_limit_of_retransmissions_is_that_of_the_threads_network)
{
  const support::ends pair = connection();
  const network_setting retries("/proc/sys/net/ipv4/tcp_retries2", 3);
  interlock::detail::retry_limit limit;
  unsigned before = 1;
  BOOST_TEST(!limit.shorten(pair.near.get(), 3000, before));
  BOOST_TEST(limit.shorten(pair.near.get(), 2999, before));
  BOOST_TEST(before == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

int main(int argc, char** argv)
{
  try
  {
    networks.emplace();
  }
  catch (const std::exception& e)
  {
    std::printf("NOT RUN: silent_peers: %s\n", e.what());
    return 0;
  }
  const int result = utf::unit_test_main(&init_unit_test, argc, argv);
  networks.reset();
  return result;
}
