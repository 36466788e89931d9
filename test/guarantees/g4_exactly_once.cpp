// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G4: every operation that is started completes once: with its result, or with operation_aborted if
// the close overtook it, or it is destroyed uncalled with its context. A success is never turned
// into an abort.

#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <memory>
#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include "support/census.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/handler_tally.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::ip::tcp;
using local = interlock::local::stream_protocol;
using interlock::posix::stream_descriptor;

namespace {

const error_code success;
const error_code aborted = asio::error::operation_aborted;
const error_code bad_descriptor = asio::error::bad_descriptor;
const error_code not_called = asio::error::fault;

tcp::endpoint any_port()
{
  return tcp::endpoint(asio::ip::address_v4::loopback(), 0);
}

/// A connected socket, nothing to read, and no room to write.
struct connected
{
  support::handler_tally tally;
  asio::io_context context;
  support::ends pair = support::unix_ends();
  local::socket object{context};
  char buffer[8] = {};

  connected()
  {
    support::fill(pair.near.get());
    object.assign(local(), pair.near.release());
  }
};

struct results
{
  error_code read = not_called;
  error_code write = not_called;
  error_code wait = not_called;
  error_code accept = not_called;
  error_code accept_new = not_called;
};

/// Starts one operation of each kind.
void start_all(local::socket& s, tcp::acceptor& a, tcp::socket& peer, char (&buffer)[8],
  support::handler_tally& tally, results& r)
{
  s.async_read_some(asio::buffer(buffer), tally(support::into(r.read)));
  s.async_write_some(asio::buffer("data", 4), tally(support::into(r.write)));
  s.async_wait(local::socket::wait_read, tally(support::into(r.wait)));
  a.async_accept(peer, tally(support::into(r.accept)));
  a.async_accept(tally(support::into(r.accept_new)));
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_g4_exactly_once)

BOOST_FIXTURE_TEST_CASE(what_is_pending_is_aborted, connected)
{
  tcp::acceptor a(context, any_port());
  tcp::socket peer(context);
  results r;
  start_all(object, a, peer, buffer, tally, r);
  context.poll();
  BOOST_TEST(tally.called() == 0);
  object.close();
  a.close();
  // Never from inside the close.
  BOOST_TEST(tally.called() == 0);
  context.run();
  for (const error_code& ec : {r.read, r.write, r.wait, r.accept, r.accept_new})
    BOOST_TEST(ec == aborted);
  BOOST_TEST(tally.all_called());
  BOOST_TEST(!peer.is_open());
}

// Both are complete, and their handlers wait for the context to be run, when the close comes.
BOOST_AUTO_TEST_CASE(a_success_not_yet_dispatched_stays_a_success)
{
  support::handler_tally tally;
  asio::io_context context;
  support::ends pair = support::unix_ends();
  support::send_text(pair.far, "hello");
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
  d.async_write_some(asio::buffer("data", 4), tally(support::into(written)));
  d.close();
  context.run();
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
    support::ends pair = support::unix_ends();
    local::socket object;
    char buffer[8] = {};
    error_code ec = not_called;
    std::size_t size = 0;
  };
  support::handler_tally tally;
  asio::io_context context;
  side sides[2] = {
    {support::unix_ends(), local::socket(context)}, {support::unix_ends(), local::socket(context)}};
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
    support::send_text(s.pair.far, "x");
  context.run();
  BOOST_TEST(tally.all_called());
  BOOST_TEST((sides[0].ec == success || sides[1].ec == success));
  for (const side& s : sides)
    BOOST_TEST((s.ec == success ? s.size == 1 : s.ec == aborted && s.size == 0));
}

BOOST_AUTO_TEST_CASE(an_accepted_connection_is_delivered_after_the_acceptor_was_closed)
{
  support::handler_tally tally;
  asio::io_context context;
  tcp::acceptor a(context, any_port());
  asio::ip::tcp::socket client(context);
  client.connect(a.local_endpoint());
  a.wait(tcp::acceptor::wait_read);
  tcp::socket peer(context);
  error_code ec = not_called;
  a.async_accept(peer, tally(support::into(ec)));
  a.close();
  context.run();
  BOOST_TEST(ec == success);
  BOOST_TEST(peer.is_open());
  BOOST_TEST(tally.all_called());
}

BOOST_AUTO_TEST_CASE(an_operation_on_an_object_never_opened_gets_bad_descriptor_by_post)
{
  support::handler_tally tally;
  asio::io_context context;
  local::socket s(context);
  tcp::acceptor a(context);
  tcp::socket peer(context);
  char buffer[8];
  results r;
  start_all(s, a, peer, buffer, tally, r);
  BOOST_TEST(tally.called() == 0);
  context.run();
  for (const error_code& ec : {r.read, r.write, r.wait, r.accept, r.accept_new})
    BOOST_TEST(ec == bad_descriptor);
  BOOST_TEST(tally.all_called());
}

// Started from within the loop, where a dispatch would be inline.
BOOST_FIXTURE_TEST_CASE(an_operation_on_a_closed_object_is_never_completed_inline, connected)
{
  tcp::acceptor a(context, any_port());
  tcp::socket peer(context);
  object.close();
  a.close();
  results r;
  asio::post(context,
    [&]
    {
      start_all(object, a, peer, buffer, tally, r);
      BOOST_TEST(tally.called() == 0);
    });
  context.run();
  for (const error_code& ec : {r.read, r.write, r.wait, r.accept, r.accept_new})
    BOOST_TEST(ec == bad_descriptor);
  BOOST_TEST(tally.all_called());
}

BOOST_AUTO_TEST_CASE(what_is_pending_is_destroyed_uncalled_with_the_context)
{
  const support::census fds;
  support::handler_tally tally;
  results r;
  {
    connected c;
    tcp::acceptor a(c.context, any_port());
    tcp::socket peer(c.context);
    start_all(c.object, a, peer, c.buffer, tally, r);
    c.object.async_close(tally([](error_code) {}));
    c.object.async_close(tally([](error_code) {}));
  }
  BOOST_TEST(tally.made() == 7);
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(tally.all_ended());
  BOOST_TEST(fds.restored());
}

// The handlers own the objects they are handlers of.
BOOST_AUTO_TEST_CASE(a_handler_that_owns_its_object_is_destroyed_with_the_context)
{
  const support::census fds;
  support::handler_tally tally;
  {
    support::ends pair = support::unix_ends();
    asio::io_context context;
    auto s = std::make_shared<local::socket>(context, local(), pair.near.release());
    auto buffer = std::make_shared<std::string>(8, '\0');
    s->async_read_some(asio::buffer(*buffer), tally([s, buffer](error_code, std::size_t) {}));
    s->async_wait(local::socket::wait_error, tally([s](error_code) {}));
    s->async_close(tally([s](error_code) {}));
  }
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(tally.all_ended());
  BOOST_TEST(fds.restored());
}

BOOST_AUTO_TEST_CASE(an_operation_refused_on_a_closed_object_ends_with_the_context_too)
{
  support::handler_tally tally;
  {
    asio::io_context context;
    local::socket s(context);
    char buffer[8];
    s.async_read_some(asio::buffer(buffer), tally([](error_code, std::size_t) {}));
    s.async_close(tally([](error_code) {}));
  }
  BOOST_TEST(tally.made() == 2);
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(tally.all_ended());
}

BOOST_AUTO_TEST_SUITE_END()
