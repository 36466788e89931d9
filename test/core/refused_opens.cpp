// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Where nothing may be opened: on an object that has been retired, on a context that has been shut down, and on one
// that has been told to do without locks, since nothing could be closed there from another thread (Boost 1.87 or later,
// before which a context cannot be asked). Whatever would open an object fails. A descriptor that was offered stays the
// caller's, and what was accepted is closed.

#include "support/prelude.hpp"

#include <interlock/local/connect_pair.hpp>

#include <boost/asio/connect.hpp>

#include "support/local_port.hpp"
#include "support/refusals.hpp"

using namespace support;

namespace {

/// A context that can be shut down before it is destroyed.
struct mortal_context : asio::io_context
{
  using asio::io_context::io_context;
  using asio::io_context::execution_context::shutdown;
};

/// Why nothing is opened.
struct refusal
{
  const char* reason;
  error_code expected;
  std::unique_ptr<mortal_context> context = std::make_unique<mortal_context>();
  bool is_of_object = false; // others of its context are not refused
  bool is_run = true;

  /// `open(object's arguments..., ec)` and `open(...)` fail alike.
  template <class Object, class Open>
  void check(const char* function, Object& object, Open open) const
  {
    if (is_of_object)
      object.retire();
    error_code ec;
    open(ec);
    BOOST_TEST(ec == expected);
    throws(function, expected, [&] { open(); });
    BOOST_TEST(!object.is_open());
  }

  template <class Start>
  void check_told(const error_code& error, Start start) const
  {
    handler_tally tally;
    error_code told = not_called;
    start(tally(into(told)));
    BOOST_TEST(tally.called() == 0);
    turn(*context);
    BOOST_TEST(told == error);
    BOOST_TEST(tally.all_called());
  }
};

refusal retirement()
{
  refusal r{"the object is retired", retired};
  r.is_of_object = true;
  return r;
}

/// Asio's contexts make no services while they are shut down: those needed are there before.
refusal shutdown()
{
  refusal r{"the context is shut down", not_supported};
  local::socket(*r.context, local(), unix_ends().near.release()).close();
  r.context->shutdown();
  r.is_run = false;
  return r;
}

std::vector<refusal> all_refusals()
{
  std::vector<refusal> all;
  all.push_back(retirement());
  all.push_back(shutdown());
#if defined(INTERLOCK_HAS_CONTEXT_CONFIG)
  for (const int hint : {BOOST_ASIO_CONCURRENCY_HINT_UNSAFE, BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO})
    all.push_back({"unsafe by hint", not_supported, std::make_unique<mortal_context>(hint)});
  for (const char* setting :
    {"scheduler.locking=0\n", "reactor.registration_locking=0\n", "reactor.io_locking=0\n"})
    all.push_back({setting, not_supported,
      std::make_unique<mortal_context>(asio::config_from_string(setting))});
#endif
  return all;
}

template <class Body>
void for_each_refusal(Body body)
{
  for (const refusal& r : all_refusals())
    BOOST_TEST_CONTEXT(r.reason)
    {
      body(r, *r.context);
    }
}

/// A listener with a connection in its queue, on a context where all is well.
struct waiting_connection
{
  asio::io_context context;
  tcp::acceptor acceptor{context, any_local_port()};
  const fd client = tcp_connected_to(fd(checked(::dup(acceptor.native_handle()), "dup")));

  template <class Start>
  void check_accepted_and_closed(const error_code& expected, Start start)
  {
    error_code ec = not_called;
    start(acceptor, ec);
    context.run();
    BOOST_TEST(ec == expected);
    BOOST_TEST(wait_until([this] { return hung_up(client); }));
    BOOST_TEST(acceptor.is_open());
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_refused_opens, no_trace)

BOOST_AUTO_TEST_CASE(an_open_fails)
{
  for_each_refusal(
    [](const refusal& r, asio::io_context& context)
    {
      tcp::socket s(context);
      tcp::acceptor a(context);
      r.check("open", s, [&](auto&... ec) { s.open(tcp::v4(), ec...); });
      r.check("open", a, [&](auto&... ec) { a.open(tcp::v4(), ec...); });
      if (r.is_of_object)
        return;
      throws("open", r.expected, [&] { tcp::socket(context, tcp::v4()); });
      throws("open", r.expected, [&] { tcp::socket(context, any_local_port()); });
      throws("open", r.expected, [&] { tcp::acceptor(context, any_local_port()); });
    });
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_is_offered_stays_the_callers)
{
  for_each_refusal(
    [](const refusal& r, asio::io_context& context)
    {
      const ends connection = unix_ends();
      const fd listener = tcp_listener();
      const int offered = connection.near.get();
      const close_watch watch(offered);
      local::socket s(context);
      stream_descriptor d(context);
      tcp::acceptor a(context);
      r.check("assign", s, [&](auto&... ec) { s.assign(local(), offered, ec...); });
      r.check("assign", d, [&](auto&... ec) { d.assign(offered, ec...); });
      r.check("assign", a, [&](auto&... ec) { a.assign(tcp::v4(), listener.get(), ec...); });
      r.check(
        "assign", s, [&](auto&... ec) { s.assign(local(), offered, interlock::borrowed, ec...); });
      r.check("assign", d, [&](auto&... ec) { d.assign(offered, interlock::borrowed, ec...); });
      if (!r.is_of_object)
      {
        throws("assign", r.expected, [&] { local::socket(context, local(), offered); });
        throws("assign", r.expected, [&] { stream_descriptor(context, offered); });
      }
      BOOST_TEST(watch.arrived() == 0u);
      BOOST_TEST(is_fd_open(listener.get()));
      send_text(connection.near, "still connected");
      BOOST_TEST(drain(connection.far) == 15u);
    });
}

// Nor is a descriptor looked at by an object that is retired, or registered with its reactor.
BOOST_AUTO_TEST_CASE(a_retired_object_says_so_whatever_descriptor_is_offered)
{
  const refusal r = retirement();
  stream_descriptor d(*r.context);
  for (const int none : {-1, bad_fd})
    r.check("assign", d, [&](auto&... ec) { d.assign(none, ec...); });
  const ends pipe = pipe_ends();
  r.check("assign", d, [&](auto&... ec) { d.assign(pipe.near.get(), ec...); });
  stream_descriptor other(*r.context, pipe.near.get());
  other.release();
}

// An asynchronous connect over a list closes the socket before an attempt, which undoes nothing; that it finds the
// socket closed is what Asio says of a closed one.
BOOST_AUTO_TEST_CASE(a_connect_opens_nothing)
{
  for_each_refusal(
    [](const refusal& r, asio::io_context& context)
    {
      const fd listener = tcp_listener();
      const tcp::endpoint where(
        asio::ip::address_v4::loopback(), ntohs(address_of(listener).sin_port));
      const std::vector<tcp::endpoint> list(2, where);
      tcp::socket s(context);
      r.check("connect", s, [&](auto&... ec) { s.connect(where, ec...); });
      error_code ec;
      asio::connect(s, list, ec);
      BOOST_TEST(ec == r.expected);
      if (r.is_run)
      {
        r.check_told(r.expected, [&](auto handler) { s.async_connect(where, std::move(handler)); });
        r.check_told(
          aborted, [&](auto handler) { asio::async_connect(s, list, std::move(handler)); });
      }
      BOOST_TEST(!s.is_open());
      ::pollfd connected = {listener.get(), POLLIN, 0};
      BOOST_TEST(::poll(&connected, 1, 0) == 0);
    });
}

BOOST_AUTO_TEST_CASE(what_is_accepted_is_closed)
{
  for_each_refusal(
    [](const refusal& r, asio::io_context& context)
    {
      handler_tally tally;
      tcp::socket peer(context);
      tcp::endpoint address;
      if (r.is_of_object)
        peer.retire();
      const auto check = [&r](auto start)
      { waiting_connection().check_accepted_and_closed(r.expected, start); };
      check([&](tcp::acceptor& a, error_code& ec) { a.accept(peer, ec); });
      check([&](tcp::acceptor& a, error_code& ec) { a.accept(peer, address, ec); });
      check([&](tcp::acceptor& a, error_code& ec) { a.async_accept(peer, tally(into(ec))); });
      if (!r.is_of_object)
        check([&](tcp::acceptor& a, error_code& ec) { a.async_accept(context, tally(into(ec))); });
      waiting_connection c;
      throws("accept", r.expected, [&] { c.acceptor.accept(peer); });
      BOOST_TEST(!peer.is_open());
      BOOST_TEST(tally.all_called());
    });
}

BOOST_AUTO_TEST_CASE(a_pair_of_which_one_end_cannot_be_opened_is_closed)
{
  for_each_refusal(
    [](const refusal& r, asio::io_context& context)
    {
      asio::io_context elsewhere;
      local::socket first(elsewhere);
      local::socket second(context);
      r.check("connect_pair", second,
        [&](auto&... ec) { interlock::local::connect_pair(first, second, ec...); });
      BOOST_TEST(!first.is_open());
    });
}

BOOST_AUTO_TEST_CASE(a_socket_of_asio_is_closed_rather_than_taken)
{
  for_each_refusal(
    [](const refusal& r, asio::io_context& context)
    {
      if (r.is_of_object)
        return;
      ends connection = tcp_ends();
      const close_watch watch(connection.near.get());
      asio::ip::tcp::socket plain(context, asio::ip::tcp::v4(), connection.near.release());
      throws("move", r.expected, [&] { tcp::socket taken(std::move(plain)); });
      BOOST_TEST(!plain.is_open());
      BOOST_TEST(watch.closed() == 1u);
    });
}

// There is nothing to lock for: an object that is not open is one thread's as any other.
BOOST_AUTO_TEST_CASE(an_object_that_could_not_be_opened_behaves_as_one_never_opened)
{
  for_each_refusal(
    [](const refusal& r, asio::io_context& context)
    {
      tcp::socket s(context);
      r.check("open", s, [&](auto&... ec) { s.open(tcp::v4(), ec...); });
      error_code ec;
      char data[8];
      s.close(ec);
      BOOST_TEST(ec == success);
      BOOST_TEST(s.read_some(asio::buffer(data), ec) == 0u);
      BOOST_TEST(ec == bad_descriptor);
      BOOST_TEST(!s.lease());
      if (!r.is_run)
        return;
      r.check_told(bad_descriptor,
        [&](auto handler) { s.async_read_some(asio::buffer(data), std::move(handler)); });
      r.check_told(success, [&](auto handler) { s.async_close(std::move(handler)); });
    });
}

#if defined(INTERLOCK_HAS_CONTEXT_CONFIG)

BOOST_AUTO_TEST_CASE(a_thread_pool_without_locks_is_refused_too)
{
  asio::thread_pool pool(1, asio::config_from_string("reactor.io_locking=0\n"));
  tcp::socket s(pool);
  throws("open", not_supported, [&] { s.open(tcp::v4()); });
  pool.join();
}

BOOST_AUTO_TEST_CASE(a_context_with_its_locks_is_not_refused)
{
  std::vector<std::unique_ptr<asio::io_context>> contexts;
  for (int hint : {BOOST_ASIO_CONCURRENCY_HINT_SAFE, BOOST_ASIO_CONCURRENCY_HINT_DEFAULT, 1, 2})
    contexts.push_back(std::make_unique<asio::io_context>(hint));
  for (const char* settings :
    {"scheduler.locking=1\nreactor.registration_locking=1\nreactor.io_locking=1\n",
      "scheduler.concurrency_hint=1\n"})
    contexts.push_back(std::make_unique<asio::io_context>(asio::config_from_string(settings)));
  for (const auto& context : contexts)
  {
    error_code closed = not_called;
    tcp::socket s(*context, tcp::v4());
    s.async_close(into(closed));
    context->run();
    BOOST_TEST(closed == success);
  }
}

#endif

BOOST_AUTO_TEST_SUITE_END()
