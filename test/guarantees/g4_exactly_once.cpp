// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G4: every operation that is started completes once: with its result, or with operation_aborted if
// the close overtook it, or it is destroyed uncalled with its context. A success is never turned
// into an abort.

#include "support/prelude.hpp"

#include <tuple>

#include "support/counted.hpp"
#include "support/local_port.hpp"

using namespace support;

namespace {

/// One operation of each kind, on objects that are open or not.
struct operations : counted_in_context
{
  local::socket object{context};
  tcp::acceptor acceptor{context};
  tcp::socket peer{context};
  char buffer[8] = {};
  std::shared_ptr<std::vector<error_code>> results = std::make_shared<std::vector<error_code>>();

  auto handler()
  {
    return tally([r = results](error_code ec, auto&&...) { r->push_back(ec); });
  }

  void start()
  {
    object.async_read_some(asio::buffer(buffer), handler());
    object.async_write_some(asio::buffer("data", 4), handler());
    object.async_wait(local::socket::wait_read, handler());
    acceptor.async_accept(peer, handler());
    acceptor.async_accept(handler());
    // Never from inside the initiating function, nor from inside a close.
    BOOST_TEST(tally.called() == 0);
  }

  void check(const error_code& expected)
  {
    BOOST_TEST(*results == std::vector<error_code>(5, expected), boost::test_tools::per_element());
    BOOST_TEST(tally.all_called());
    BOOST_TEST(!peer.is_open());
  }
};

/// Nothing to read, no room to write, and no connection to accept.
struct pending_operations : operations
{
  ends pair = unix_ends();

  pending_operations()
  {
    fill(pair.near.get());
    object.assign(local(), pair.near.release());
    acceptor = tcp::acceptor(context, any_local_port());
  }

  void close()
  {
    object.close();
    acceptor.close();
    BOOST_TEST(tally.called() == 0);
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_g4_exactly_once, counted_in_context)

BOOST_FIXTURE_TEST_CASE(what_is_pending_is_aborted, pending_operations)
{
  start();
  turn(context);
  BOOST_TEST(tally.called() == 0);
  close();
  run();
  check(aborted);
}

// Both are complete, and their handlers wait for the context to be run, when the close comes.
BOOST_AUTO_TEST_CASE(a_success_not_yet_dispatched_stays_a_success)
{
  ends pair = unix_ends();
  send_text(pair.far, "hello");
  stream_descriptor d(context, pair.near.release());
  std::string data(16, '\0');
  error_code read = not_called;
  error_code written = not_called;
  std::size_t size = 0;
  d.async_read_some(asio::buffer(data),
    tally(
      [&](error_code ec, std::size_t n)
      {
        read = ec;
        size = n;
      }));
  d.async_write_some(asio::buffer("data", 4), tally(into(written)));
  d.close();
  run();
  BOOST_TEST(read == success);
  BOOST_TEST(data.substr(0, size) == "hello");
  BOOST_TEST(written == success);
  BOOST_TEST(tally.all_called());
}

// Two sockets become ready in the same look at the reactor. The handler that is called first closes
// the other socket, whose read has been done by then or has not.
BOOST_AUTO_TEST_CASE(a_read_completed_in_the_same_turn_keeps_its_bytes)
{
  struct side
  {
    ends pair = unix_ends();
    local::socket object;
    char buffer[8] = {};
    error_code ec = not_called;
    std::size_t size = 0;
  };
  side sides[2] = {{unix_ends(), local::socket(context)}, {unix_ends(), local::socket(context)}};
  for (int i : {0, 1})
  {
    side& own = sides[i];
    side& other = sides[1 - i];
    own.object.assign(local(), own.pair.near.release());
    own.object.async_read_some(asio::buffer(own.buffer),
      tally(
        [&](error_code ec, std::size_t n)
        {
          own.ec = ec;
          own.size = n;
          other.object.close();
        }));
  }
  context.poll();
  context.restart();
  for (const side& s : sides)
    send_text(s.pair.far, "x");
  context.run();
  BOOST_TEST(tally.all_called());
  BOOST_TEST((sides[0].ec == success || sides[1].ec == success));
  for (const side& s : sides)
    BOOST_TEST((s.ec == success ? s.size == 1 : s.ec == aborted && s.size == 0));
}

BOOST_AUTO_TEST_CASE(an_accepted_connection_is_delivered_after_the_acceptor_was_closed)
{
  tcp::acceptor a(context, any_local_port());
  asio::ip::tcp::socket client(context);
  client.connect(a.local_endpoint());
  a.wait(tcp::acceptor::wait_read);
  tcp::socket peer(context);
  error_code ec = not_called;
  a.async_accept(peer, tally(into(ec)));
  a.close();
  context.run();
  BOOST_TEST(ec == success);
  BOOST_TEST(peer.is_open());
  BOOST_TEST(tally.all_called());
}

BOOST_FIXTURE_TEST_CASE(
  an_operation_on_an_object_never_opened_gets_bad_descriptor_by_post, operations)
{
  start();
  run();
  check(bad_descriptor);
}

// Started from within the loop, where a dispatch would be inline.
BOOST_FIXTURE_TEST_CASE(
  an_operation_on_a_closed_object_is_never_completed_inline, pending_operations)
{
  close();
  asio::post(context, [this] { start(); });
  run();
  check(bad_descriptor);
}

using pending_or_refused = std::tuple<pending_operations, operations>;

BOOST_AUTO_TEST_CASE_TEMPLATE(
  what_is_pending_or_refused_is_destroyed_uncalled_with_the_context, Operations, pending_or_refused)
{
  std::shared_ptr<const std::vector<error_code>> results;
  {
    Operations o;
    results = o.results;
    o.start();
    o.object.async_close(o.handler());
    o.object.async_close(o.handler());
  }
  BOOST_TEST(results->empty());
}

BOOST_FIXTURE_TEST_CASE(a_handler_that_owns_its_object_is_destroyed_with_the_context, counted)
{
  asio::io_context context;
  auto s = std::make_shared<local::socket>(context, local(), unix_ends().near.release());
  auto buffer = std::make_shared<std::string>(8, '\0');
  const auto never = [s, buffer](auto&&...) { BOOST_TEST(false); };
  s->async_read_some(asio::buffer(*buffer), tally(never));
  s->async_close(tally(never));
}

BOOST_AUTO_TEST_SUITE_END()
