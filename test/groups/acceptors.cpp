// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Acceptors in a group: the connections that wait in their queues are closed like members where the mode delivers.

#include "group_test.hpp"

#include <interlock/borrowed.hpp>

using namespace groups;

namespace {

/// An acceptor, and clients in its queue that have sent something.
struct queue : scene
{
  support::many_descriptors descriptors;
  tcp::acceptor acceptor{context, any_local_port()};
  std::vector<asio::ip::tcp::socket> clients;

  explicit queue(std::size_t n = 500)
  {
    while (n-- != 0)
    {
      clients.emplace_back(context);
      clients.back().connect(acceptor.local_endpoint());
      asio::write(clients.back(), asio::buffer("hello", 5));
    }
    group.add(acceptor);
  }

  /// How each client's connection ends.
  std::size_t ends_with(const error_code& expected)
  {
    std::size_t n = 0;
    for (asio::ip::tcp::socket& c : clients)
      n += end_of(c) == expected ? 1 : 0;
    return n;
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_close_group_acceptors)

BOOST_FIXTURE_TEST_CASE(what_waits_in_an_accept_queue_sees_an_end, queue)
{
  close(close_mode::deliver(long_enough));
  BOOST_TEST(!acceptor.is_open());
  BOOST_TEST(tally.members() == clients.size() + 1);
  BOOST_TEST((*this)[close_outcome::acknowledged] == clients.size());
  BOOST_TEST(ends_with(asio::error::eof) == clients.size());
}

BOOST_FIXTURE_TEST_CASE(what_waits_in_an_accept_queue_sees_no_reset_in_graceful_mode, queue)
{
  std::size_t ends = 0;
  const std::size_t all = clients.size();
  std::thread reads(
    [&]
    {
      ends = ends_with(asio::error::eof);
      clients.clear();
    });
  close(close_mode::graceful(long_enough));
  reads.join();
  BOOST_TEST(ends == all);
  BOOST_TEST((*this)[close_outcome::peer_closed] + 1 == tally.members());
}

BOOST_FIXTURE_TEST_CASE(what_waits_in_an_accept_queue_is_reset_in_immediate_mode, queue)
{
  close(close_mode::immediate());
  BOOST_TEST(tally.members() == 1u);
  BOOST_TEST(ends_with(asio::error::connection_reset) == clients.size());
}

BOOST_FIXTURE_TEST_CASE(
  the_queue_of_an_acceptor_that_is_added_during_a_close_sees_an_end, connections)
{
  tcp::acceptor late(context, any_local_port());
  asio::ip::tcp::socket client(context);
  client.connect(late.local_endpoint());
  support::fill(members[0].native_handle());
  start(close_mode::deliver(long_enough));
  group.add(late);
  support::drain(peers[0]);
  context.run();
  BOOST_TEST(end_of(client) == asio::error::eof);
  BOOST_TEST(tally.members() == 5u);
}

BOOST_FIXTURE_TEST_CASE(every_acceptor_is_closed_before_a_window_begins, queue)
{
  tcp::acceptor second(context, any_local_port());
  group.add(second);
  tcp::socket open(context, asio::ip::tcp::v4());
  group.add(open);
  group.spread(long_enough / 2);
  start(close_mode::deliver(long_enough));
  BOOST_TEST(!acceptor.is_open());
  BOOST_TEST(!second.is_open());
  group.async_close(close_mode::immediate(), ignored);
  context.run();
  BOOST_TEST(ec == success);
  BOOST_TEST(tally.members() == clients.size() + 3);
}

BOOST_FIXTURE_TEST_CASE(a_borrowed_acceptor_keeps_its_queue, scene)
{
  const support::fd listener = support::tcp_listener();
  tcp::acceptor borrowed(context);
  borrowed.assign(asio::ip::tcp::v4(), listener.get(), interlock::borrowed);
  const support::fd client = support::tcp_connected_to(listener);
  group.add(borrowed);
  close(close_mode::deliver(long_enough));
  BOOST_TEST((*this)[close_outcome::detached] == 1u);
  BOOST_TEST(tally.members() == 1u);
  const support::fd accepted(::accept(listener.get(), nullptr, nullptr));
  BOOST_TEST(accepted.get() >= 0);
}

// What is in it is reset, as by the acceptor's own close.
BOOST_FIXTURE_TEST_CASE(an_acceptor_that_is_added_by_its_handle_keeps_its_queue, scene)
{
  tcp::acceptor acceptor(context, any_local_port());
  asio::ip::tcp::socket client(context);
  client.connect(acceptor.local_endpoint());
  group.add(acceptor.get_close_handle());
  close(close_mode::deliver(long_enough));
  BOOST_TEST(tally.members() == 1u);
  BOOST_TEST(end_of(client) == asio::error::connection_reset);
}

BOOST_AUTO_TEST_SUITE_END()
