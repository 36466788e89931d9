// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Coroutines of the language on every asynchronous member of every type: `use_awaitable`, and the operators
// that combine awaitables. C++20.

#define BOOST_TEST_MODULE smoke_coroutines
#include <boost/test/unit_test.hpp>

#include <exception>
#include <string>
#include <tuple>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/version.hpp>

#if BOOST_ASIO_VERSION >= 102000
#include <boost/asio/experimental/awaitable_operators.hpp>
#endif

#include "support/token_awaitable.hpp"

namespace asio = boost::asio;
using support::setting;

BOOST_AUTO_TEST_SUITE(test_coroutines)

BOOST_AUTO_TEST_CASE_TEMPLATE(an_operation_is_awaited, Subject, support::every_subject)
{
  using awaiting = support::awaiting<asio::any_io_executor, asio::use_awaitable_t<>>;
  support::try_token<awaiting::way, Subject>();
}

#if BOOST_ASIO_VERSION >= 102000

using namespace asio::experimental::awaitable_operators;

namespace {

using socket_subject = support::subject<support::tcp_socket>;

/// A timer that never fires by itself.
struct alarm
{
  asio::steady_timer timer;

  explicit alarm(asio::io_context& context)
    : timer(context, asio::steady_timer::time_point::max())
  {
  }

  auto wait()
  {
    return timer.async_wait(asio::use_awaitable);
  }

  /// Now.
  void ring()
  {
    timer.expires_at(asio::steady_timer::time_point::min());
  }
};

/// Runs the coroutine to its end, which it must reach without an exception.
template <class Coroutine>
void finish(asio::io_context& context, Coroutine c)
{
  bool ended = false;
  asio::co_spawn(context, std::move(c),
    [&ended](std::exception_ptr failure)
    {
      BOOST_TEST(!failure);
      ended = true;
    });
  context.run();
  BOOST_TEST(ended);
}

} // namespace

BOOST_AUTO_TEST_CASE(what_is_read_cancels_the_alarm)
{
  socket_subject s(setting::ready);
  alarm a(s.context);
  finish(s.context,
    [&]() -> asio::awaitable<void>
    {
      auto first = co_await(s.object.async_read_some(s.into(), asio::use_awaitable) || a.wait());
      BOOST_TEST(first.index() == 0u);
      BOOST_TEST(std::get<0>(first) == support::travelling_text().size());
    });
}

BOOST_AUTO_TEST_CASE(the_alarm_cancels_what_waits)
{
  socket_subject s(setting::waiting);
  support::subject<support::tcp_acceptor> l(setting::waiting);
  alarm a(s.context);
  alarm b(l.context);
  a.ring();
  b.ring();
  finish(s.context,
    [&]() -> asio::awaitable<void>
    {
      auto first = co_await(s.object.async_read_some(s.into(), asio::use_awaitable) || a.wait());
      BOOST_TEST(first.index() == 1u);
      first = co_await(s.object.async_write_some(s.from(), asio::use_awaitable) || a.wait());
      BOOST_TEST(first.index() == 1u);
    });
  finish(l.context,
    [&]() -> asio::awaitable<void>
    {
      auto first = co_await(l.object.async_accept(l.peer, asio::use_awaitable) || b.wait());
      BOOST_TEST(first.index() == 1u);
    });
  BOOST_TEST(s.object.is_open());
  BOOST_TEST(!l.peer.is_open());
}

// The close ends the read, so that both are over; the close is told last.
BOOST_AUTO_TEST_CASE(a_close_is_awaited_beside_what_it_ends)
{
  socket_subject s(setting::waiting);
  std::string order;
  const auto read = [&]() -> asio::awaitable<void>
  {
    try
    {
      co_await s.object.async_read_some(s.into(), asio::use_awaitable);
    }
    catch (const boost::system::system_error& e)
    {
      BOOST_TEST((e.code() == asio::error::operation_aborted));
      order += "read ";
    }
  };
  const auto close = [&]() -> asio::awaitable<void>
  {
    co_await s.object.async_close(asio::use_awaitable);
    order += "close";
  };
  finish(s.context, [&]() -> asio::awaitable<void> { co_await(read() && close()); });
  BOOST_TEST(order == "read close");
}

#endif

BOOST_AUTO_TEST_SUITE_END()
