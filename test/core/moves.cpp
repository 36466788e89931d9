// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Moves within one type: operations go with what is open, and what was moved from is as new. Moves of any kind: a
// descriptor with operations outstanding is not made blocking.

#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <cerrno>
#include <type_traits>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/test/unit_test.hpp>

#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
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

static_assert(std::is_nothrow_move_constructible<tcp::socket>::value, "as Asio's");
static_assert(std::is_nothrow_move_assignable<tcp::socket>::value, "as Asio's");
static_assert(std::is_nothrow_move_constructible<tcp::acceptor>::value, "as Asio's");
static_assert(!std::is_copy_constructible<tcp::socket>::value, "as Asio's");

struct connected
{
  asio::io_context context;
  support::ends pair = support::unix_ends();
  support::handler_tally tally;
  error_code read = not_called;
  error_code closed = not_called;
  std::size_t size = 0;
  char buffer[8] = {};

  template <class Object>
  void start_read(Object& object)
  {
    object.async_read_some(asio::buffer(buffer),
      tally(
        [this](error_code ec, std::size_t n)
        {
          read = ec;
          size = n;
        }));
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_moves)

BOOST_FIXTURE_TEST_CASE(an_operation_goes_with_the_object, connected)
{
  local::socket from(context, local(), pair.near.release());
  start_read(from);
  local::socket to(std::move(from));
  BOOST_TEST(!from.is_open());
  BOOST_TEST(to.is_open());
  support::send_text(pair.far, "hello");
  context.run();
  BOOST_TEST(read == success);
  BOOST_TEST(size == 5u);
}

BOOST_FIXTURE_TEST_CASE(a_close_of_the_new_object_waits_for_operations_of_the_old, connected)
{
  local::socket from(context, local(), pair.near.release());
  start_read(from);
  local::socket to(std::move(from));
  to.async_close(tally(
    [this](error_code ec)
    {
      closed = ec;
      BOOST_TEST(tally.ended() == 1);
    }));
  context.run();
  BOOST_TEST(read == aborted);
  BOOST_TEST(closed == success);
  BOOST_TEST(tally.all_called());
}

BOOST_FIXTURE_TEST_CASE(what_was_moved_from_is_as_new, connected)
{
  local::socket from(context, local(), pair.near.release());
  local::socket to(std::move(from));
  error_code ec;
  BOOST_TEST(from.read_some(asio::buffer(buffer), ec) == 0u);
  BOOST_TEST(ec == bad_descriptor);
  BOOST_TEST(from.native_handle() == -1);
  from.close();
  from.async_close(tally(support::into(closed)));
  support::ends again = support::unix_ends();
  from.assign(local(), again.near.release());
  start_read(from);
  support::send_text(again.far, "x");
  context.run();
  BOOST_TEST(closed == success);
  BOOST_TEST(read == success);
  BOOST_TEST(to.is_open());
}

BOOST_AUTO_TEST_CASE(a_close_goes_on_while_the_object_is_moved)
{
  asio::io_context context;
  support::ends pair = support::pipe_ends();
  support::close_watch watch(pair.near.get());
  watch.report(EIO);
  watch.shut_gate();
  stream_descriptor from(context, pair.near.release());
  support::handler_tally tally;
  error_code first = not_called;
  error_code second = not_called;
  from.async_close(tally(support::into(first)));
  stream_descriptor to(std::move(from));
  to.async_close(tally(support::into(second)));
  context.poll();
  watch.open_gate();
  context.run();
  BOOST_TEST(first == error_code(EIO, boost::system::system_category()));
  BOOST_TEST(second == first);
  BOOST_TEST(tally.all_called());
}

BOOST_FIXTURE_TEST_CASE(move_assignment_closes_what_was_open, connected)
{
  const support::close_watch watch(pair.near.get());
  local::socket s(context, local(), pair.near.release());
  support::ends other = support::unix_ends();
  const int fd = other.near.get();
  start_read(s);
  s = local::socket(context, local(), other.near.release());
  BOOST_TEST(s.native_handle() == fd);
  context.run();
  BOOST_TEST(read == aborted);
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(watch.closed() == 1u);
}

BOOST_FIXTURE_TEST_CASE(move_assignment_to_itself_changes_nothing, connected)
{
  local::socket s(context, local(), pair.near.release());
  local::socket& same = s;
  s = std::move(same);
  BOOST_TEST(s.is_open());
}

// --- The blocking mode of what has operations outstanding.

namespace {

template <class Object>
void check_stays_non_blocking(Object& o)
{
  o.non_blocking(false);
  o.native_non_blocking(false);
  BOOST_TEST(support::is_non_blocking(o.native_handle()));
}

} // namespace

BOOST_FIXTURE_TEST_CASE(an_object_of_another_executor_type_does_not_become_blocking, connected)
{
  using narrow_socket = local::socket::rebind_executor<asio::io_context::executor_type>::other;
  narrow_socket narrow(context, local(), pair.near.release());
  start_read(narrow);
  local::socket wide(std::move(narrow));
  check_stays_non_blocking(wide);
  wide.close();
  context.run();
  BOOST_TEST(read == aborted);
}

BOOST_FIXTURE_TEST_CASE(an_object_that_comes_from_asio_does_not_become_blocking, connected)
{
  for (const bool by_program : {false, true})
  {
    support::ends own = support::unix_ends();
    asio::local::stream_protocol::socket plain(
      context, asio::local::stream_protocol(), own.near.release());
    plain.non_blocking(by_program);
    start_read(plain);
    local::socket s(std::move(plain));
    check_stays_non_blocking(s);
    plain = s.to_asio();
    BOOST_TEST(support::is_non_blocking(plain.native_handle()));
    plain.close();
    context.restart();
    context.run();
    BOOST_TEST(read == aborted);
  }
}

BOOST_AUTO_TEST_SUITE_END()
