// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A group's close with fewer descriptors than the queue of its acceptor has connections: it accepts as many as it
// can, the others are reset, and the close is complete all the same.

#include "group_test.hpp"

#include <algorithm>

using namespace groups;

namespace {

/// While it lives, so many descriptors can be opened.
class few_descriptors
{
public:
  explicit few_descriptors(std::size_t n)
    : reserved_(n),
      none_(highest())
  {
    reserved_.clear();
  }

private:
  int highest()
  {
    int fd = -1;
    for (support::fd& each : reserved_)
    {
      each.reset(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
      fd = std::max(fd, each.get());
    }
    return fd;
  }

  std::vector<support::fd> reserved_;
  support::no_more_descriptors none_;
};

struct queue : support::no_trace, scene
{
  tcp::acceptor acceptor{context, any_local_port()};
  std::vector<asio::ip::tcp::socket> clients;
  std::size_t ends = 0;
  std::size_t resets = 0;

  queue()
  {
    start_worker();
    group.add(acceptor);
    for (int i = 0; i != 5; ++i)
      clients.emplace_back(context).connect(acceptor.local_endpoint());
  }

  // It has descriptors of its own.
  void start_worker()
  {
    local::socket s(context, local(), support::unix_ends().near.release());
    error_code closed = not_called;
    s.async_close([&closed](error_code e) { closed = e; });
    context.run();
    context.restart();
    BOOST_TEST(closed == success);
  }

  // Every client reads before any closes: no descriptor becomes free in between.
  void read_all()
  {
    for (asio::ip::tcp::socket& c : clients)
    {
      const error_code end = end_of(c);
      ends += end == asio::error::eof ? 1 : 0;
      resets += end == asio::error::connection_reset ? 1 : 0;
    }
    clients.clear();
  }

  void close_with(std::size_t descriptors)
  {
    const few_descriptors limited(descriptors);
    start(close_mode::graceful(long_enough));
    std::thread peers([this] { read_all(); });
    context.run();
    peers.join();
    BOOST_TEST(ec == success);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_accept_queue_limits)

BOOST_FIXTURE_TEST_CASE(connections_beyond_the_limit_of_descriptors_are_reset, queue)
{
  close_with(2);
  BOOST_TEST(ends == 2u);
  BOOST_TEST(resets == 3u);
  BOOST_TEST(tally.members() == 3u);
  BOOST_TEST(tally[close_outcome::peer_closed] == 2u);
  BOOST_TEST(tally[close_outcome::closed] == 1u);
  BOOST_TEST(tally.failed == 0u);
}

BOOST_FIXTURE_TEST_CASE(without_a_descriptor_every_connection_of_the_queue_is_reset, queue)
{
  close_with(0);
  BOOST_TEST(resets == 5u);
  BOOST_TEST(tally.members() == 1u);
  BOOST_TEST(tally.unfinished == 0u);
}

BOOST_FIXTURE_TEST_CASE(with_enough_descriptors_no_connection_is_reset, queue)
{
  close_with(5);
  BOOST_TEST(ends == 5u);
  BOOST_TEST(tally.members() == 6u);
}

BOOST_AUTO_TEST_SUITE_END()
