// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Moves between types: of another executor or protocol, and from and to Asio's own. Operations go
// along, and a close waits for them. What uses the descriptor, and a close handle, refuse the move. Acceptors and pipes
// to Asio's: acceptors_to_asio.cpp, pipes_to_asio.cpp.

#include <interlock/close_handle.hpp>
#include <interlock/error.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <atomic>
#include <cerrno>
#include <future>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/version.hpp>
#if BOOST_ASIO_VERSION >= 102400
#include <boost/asio/deferred.hpp>
#endif
#include <boost/test/unit_test.hpp>

#include "support/at_once.hpp"
#include "support/census.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using boost::system::system_error;
using interlock::close_handle;
using interlock::ip::tcp;
using local = interlock::local::stream_protocol;
using interlock::posix::stream_descriptor;

namespace {

const error_code success;
const error_code aborted = asio::error::operation_aborted;
const error_code not_called = asio::error::fault;
const error_code in_use = interlock::error::in_use;
const error_code io_error(EIO, boost::system::system_category());

using generic = interlock::closable<asio::generic::stream_protocol>;
using plain_socket = asio::local::stream_protocol::socket;
using narrow_socket = local::socket::rebind_executor<asio::io_context::executor_type>::other;

/// What a move of `from` into a new `To` throws. Success: it has been moved, and is gone.
template <class To, class From>
error_code conversion(From& from)
{
  try
  {
    const To to(std::move(from));
  }
  catch (const system_error& e)
  {
    return e.code();
  }
  return success;
}

/// With a handle of `from`, and a copy of it, the conversion is refused and changes nothing.
template <class To, class From>
void check_refused_while_handles_exist(From& from)
{
  close_handle first = from.get_close_handle();
  close_handle second = first;
  const int fd = from.native_handle();
  BOOST_TEST(conversion<To>(from) == in_use);
  first = close_handle();
  BOOST_TEST(conversion<To>(from) == in_use);
  const close_handle third(std::move(second));
  BOOST_TEST(conversion<To>(from) == in_use);
  BOOST_TEST(from.is_open());
  BOOST_TEST(from.native_handle() == fd);
}

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

BOOST_AUTO_TEST_SUITE(test_conversions)

BOOST_FIXTURE_TEST_CASE(an_operation_goes_with_a_move_to_another_executor_type, connected)
{
  narrow_socket from(context, local(), pair.near.release());
  start_read(from);
  local::socket to(std::move(from));
  BOOST_TEST(!from.is_open());
  BOOST_TEST(to.remote_endpoint().protocol().family() == AF_UNIX);
  support::send_text(pair.far, "hello");
  context.run();
  BOOST_TEST(read == success);
  BOOST_TEST(size == 5u);
  BOOST_TEST(to.is_open());
}

// Its handlers are the new object's to wait for, though another tenure has counted them.
BOOST_FIXTURE_TEST_CASE(a_close_waits_for_operations_from_before_a_converting_move, connected)
{
  asio::io_context idle;
  narrow_socket from(context, local(), pair.near.release());
  const support::close_watch watch(from.native_handle());
  from.async_read_some(
    asio::buffer(buffer), asio::bind_executor(idle.get_executor(), tally(support::into(read))));
  local::socket to(std::move(from));
  to.async_close(tally(support::into(closed)));
  BOOST_TEST(support::wait_until([&] { return context.poll(), watch.closed() == 1; }));
  context.poll();
  BOOST_TEST(tally.called() == 0);
  idle.run();
  BOOST_TEST(read == aborted);
  context.run();
  BOOST_TEST(closed == success);
  BOOST_TEST(tally.all_called());
}

BOOST_FIXTURE_TEST_CASE(a_converting_assignment_takes_over_and_closes_the_old, connected)
{
  const support::close_watch watch(pair.near.get());
  local::socket s(context, local(), pair.near.release());
  support::ends other = support::unix_ends();
  narrow_socket from(context, local(), other.near.release());
  start_read(from);
  s = std::move(from);
  BOOST_TEST(watch.wait_closed());
  support::send_text(other.far, "x");
  context.run();
  BOOST_TEST(read == success);
  // Opened again, what was moved from has a tenure that nothing of the old one reaches.
  support::ends again = support::unix_ends();
  from.assign(local(), again.near.release());
  BOOST_TEST(from.is_open());
}

// A call is inside: its thread would go on with a descriptor that is another object's.
BOOST_FIXTURE_TEST_CASE(a_converting_move_is_refused_while_a_call_is_inside, connected)
{
  narrow_socket from(context, local(), pair.near.release());
  std::thread reader(
    [&]
    {
      // The object is closed for a moment each time that the other thread takes the descriptor out.
      error_code ec;
      do
      {
        size = from.read_some(asio::buffer(buffer), ec);
      } while (ec == asio::error::bad_descriptor);
    });
  bool refused = false;
  BOOST_TEST(support::wait_until(
    [&]
    {
      error_code ec;
      const int released = from.release(ec);
      refused = ec == error_code(interlock::error::in_use);
      if (released >= 0)
        from.assign(local(), released);
      return refused;
    }));
  BOOST_CHECK_THROW(local::socket to(std::move(from)), system_error);
  BOOST_CHECK_THROW(from.to_asio(), system_error);
  BOOST_TEST(from.is_open());
  support::send_text(pair.far, "hello");
  reader.join();
  BOOST_TEST(size == 5u);
}

BOOST_FIXTURE_TEST_CASE(a_socket_of_asio_becomes_one_of_ours, connected)
{
  plain_socket from(context, asio::local::stream_protocol(), pair.near.release());
  start_read(from);
  local::socket to(std::move(from));
  BOOST_TEST(!from.is_open());
  support::send_text(pair.far, "hello");
  context.run();
  BOOST_TEST(read == success);
  BOOST_TEST(to.is_open());
  BOOST_TEST(to.send(asio::buffer("data", 4)) == 4u);
}

BOOST_FIXTURE_TEST_CASE(a_socket_of_ours_becomes_one_of_asio, connected)
{
  local::socket from(context, local(), pair.near.release());
  start_read(from);
  plain_socket to = from.to_asio();
  BOOST_TEST(!from.is_open());
  BOOST_TEST(to.is_open());
  support::send_text(pair.far, "hello");
  context.run();
  BOOST_TEST(read == success);
  BOOST_CHECK_THROW(from.to_asio(), system_error);
}

BOOST_FIXTURE_TEST_CASE(the_blocking_mode_of_a_socket_moves_from_and_to_asio, connected)
{
  plain_socket plain(context, asio::local::stream_protocol(), pair.near.release());
  plain.non_blocking(true);
  local::socket ours(std::move(plain));
  error_code ec;
  BOOST_TEST(ours.read_some(asio::buffer(buffer), ec) == 0u);
  BOOST_TEST(ec == error_code(asio::error::would_block));
  plain = ours.to_asio();
  BOOST_TEST(plain.non_blocking());
  ours = local::socket(std::move(plain));
  ours.non_blocking(false);
  start_read(ours);
  plain = ours.to_asio();
  BOOST_TEST(plain.non_blocking()); // it is not taken back beside an operation
  support::send_text(pair.far, "hello");
  context.run();
  BOOST_TEST(read == success);
}

// Nothing of ours is open any more, but the handler of an operation is still outstanding.
BOOST_FIXTURE_TEST_CASE(a_close_after_to_asio_waits_for_the_operations_that_went_along, connected)
{
  local::socket from(context, local(), pair.near.release());
  start_read(from);
  plain_socket to = from.to_asio();
  from.async_close(tally(support::into(closed)));
  context.poll();
  BOOST_TEST(tally.called() == 0);
  support::send_text(pair.far, "x");
  context.restart();
  context.run();
  BOOST_TEST(read == success);
  BOOST_TEST(closed == success);
}

BOOST_AUTO_TEST_CASE(descriptors_move_from_and_to_asio_too)
{
  const support::census fds;
  {
    asio::io_context context;
    support::ends pair = support::pipe_ends();
    asio::posix::stream_descriptor plain(context, pair.near.release());
    stream_descriptor ours(std::move(plain));
    BOOST_TEST(ours.is_open());
    plain = ours.to_asio();
    BOOST_TEST(plain.is_open());
    BOOST_TEST(!ours.is_open());
  }
  BOOST_TEST(fds.restored());
}

#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
BOOST_AUTO_TEST_CASE(descriptors_move_to_another_executor_type_too)
{
  const support::census fds;
  {
    asio::io_context context;
    using narrow = interlock::posix::basic_stream_descriptor<asio::io_context::executor_type>;
    narrow from(context, support::pipe_ends().near.release());
    stream_descriptor to(std::move(from));
    BOOST_TEST(to.is_open());
    BOOST_TEST(!from.is_open());
  }
  BOOST_TEST(fds.restored());
}
#endif

BOOST_AUTO_TEST_CASE(acceptors_move_with_their_accepts)
{
  asio::io_context context;
  support::handler_tally tally;
  error_code ec = not_called;
  using narrow = tcp::acceptor::rebind_executor<asio::io_context::executor_type>::other;
  narrow from(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  from.async_accept(
    tally([&ec](error_code e, const auto& peer) { ec = peer.is_open() ? e : not_called; }));
  tcp::acceptor to(std::move(from));
  asio::ip::tcp::socket client(context);
  client.connect(to.local_endpoint());
  context.run();
  BOOST_TEST(ec == success);
  BOOST_TEST(to.is_open());
  BOOST_TEST(tally.all_called());
}

// --- Close handles.

BOOST_FIXTURE_TEST_CASE(a_move_to_another_executor_type_is_refused_while_a_handle_exists, connected)
{
  narrow_socket from(context, local(), pair.near.release());
  start_read(from);
  check_refused_while_handles_exist<local::socket>(from);
  BOOST_TEST(from.send(asio::buffer("data", 4)) == 4u);
  local::socket to(std::move(from));
  BOOST_TEST(!from.is_open());
  support::send_text(pair.far, "hello");
  context.run();
  BOOST_TEST(read == success);
  BOOST_TEST(size == 5u);
  BOOST_TEST(to.is_open());
}

BOOST_FIXTURE_TEST_CASE(a_move_to_the_generic_protocol_is_refused_while_a_handle_exists, connected)
{
  local::socket from(context, local(), pair.near.release());
  start_read(from);
  check_refused_while_handles_exist<generic::socket>(from);
  BOOST_TEST(from.send(asio::buffer("data", 4)) == 4u);
  generic::socket to(std::move(from));
  support::send_text(pair.far, "hello");
  context.run();
  BOOST_TEST(read == success);
  BOOST_TEST(to.is_open());
}

BOOST_AUTO_TEST_CASE(a_move_of_an_acceptor_is_refused_while_a_handle_exists)
{
  asio::io_context context;
  support::handler_tally tally;
  error_code ec = not_called;
  using narrow = tcp::acceptor::rebind_executor<asio::io_context::executor_type>::other;
  narrow from(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  from.async_accept(tally([&ec](error_code e, const auto&) { ec = e; }));
  check_refused_while_handles_exist<tcp::acceptor>(from);
  asio::ip::tcp::socket client(context);
  client.connect(from.local_endpoint());
  context.run();
  BOOST_TEST(ec == success);
  tcp::acceptor to(std::move(from));
  BOOST_TEST(to.is_open());
}

#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
BOOST_AUTO_TEST_CASE(a_move_of_a_descriptor_is_refused_while_a_handle_exists)
{
  asio::io_context context;
  using narrow = interlock::posix::basic_stream_descriptor<asio::io_context::executor_type>;
  narrow from(context, support::pipe_ends().near.release());
  check_refused_while_handles_exist<stream_descriptor>(from);
  stream_descriptor to(std::move(from));
  BOOST_TEST(to.is_open());
}
#endif

BOOST_FIXTURE_TEST_CASE(a_refused_converting_assignment_changes_neither_object, connected)
{
  support::ends other = support::unix_ends();
  narrow_socket from(context, local(), pair.near.release());
  local::socket to(context, local(), other.near.release());
  const int fd = to.native_handle();
  const close_handle h = from.get_close_handle();
  BOOST_CHECK_THROW(to = std::move(from), system_error);
  BOOST_TEST(to.native_handle() == fd);
  h.close();
  BOOST_TEST(!from.is_open());
  BOOST_TEST(to.is_open());
}

// A handle of the object that is assigned to does not matter: that object is destroyed.
BOOST_FIXTURE_TEST_CASE(a_handle_of_the_object_assigned_to_refuses_nothing, connected)
{
  support::ends other = support::unix_ends();
  narrow_socket from(context, local(), pair.near.release());
  local::socket to(context, local(), other.near.release());
  const close_handle h = to.get_close_handle();
  to = std::move(from);
  BOOST_TEST(support::wait_until([&] { return support::hung_up(other.far); }));
  h.close();
  BOOST_TEST(to.is_open());
}

BOOST_FIXTURE_TEST_CASE(a_handle_counts_where_a_plain_move_has_taken_it, connected)
{
  narrow_socket first(context, local(), pair.near.release());
  std::optional<close_handle> h(first.get_close_handle());
  narrow_socket second(std::move(first));
  BOOST_TEST(conversion<local::socket>(first) == success);
  BOOST_TEST(conversion<local::socket>(second) == in_use);
  h.reset();
  BOOST_TEST(conversion<local::socket>(second) == success);
}

BOOST_FIXTURE_TEST_CASE(a_handle_counts_in_whatever_state_the_object_is, connected)
{
  narrow_socket from(context);
  std::optional<close_handle> h(from.get_close_handle());
  BOOST_TEST(conversion<local::socket>(from) == in_use);
  from.assign(local(), pair.near.release());
  BOOST_TEST(conversion<local::socket>(from) == in_use);
  from.async_close(tally(support::into(closed)));
  BOOST_TEST(conversion<local::socket>(from) == in_use);
  context.run();
  BOOST_TEST(closed == success);
  BOOST_TEST(conversion<local::socket>(from) == in_use);
  h->retire();
  BOOST_TEST(conversion<local::socket>(from) == in_use);
  h.reset();
  local::socket to(std::move(from));
  to.open(local(), closed);
  BOOST_TEST(closed == error_code(interlock::error::retired));
}

#if BOOST_ASIO_VERSION >= 102400
BOOST_FIXTURE_TEST_CASE(a_lazy_operation_of_a_handle_counts_as_a_handle, connected)
{
  narrow_socket from(context, local(), pair.near.release());
  {
    const auto later = from.get_close_handle().async_close(asio::deferred);
    BOOST_TEST(conversion<local::socket>(from) == in_use);
  }
  BOOST_TEST(conversion<local::socket>(from) == success);
}
#endif

// The caller of async_close has no handle any more: its outcome is the first object's.
BOOST_FIXTURE_TEST_CASE(a_close_by_a_handle_that_is_gone_stays_behind, connected)
{
  support::close_watch watch(pair.near.get());
  watch.report(EIO);
  narrow_socket from(context, local(), pair.near.release());
  from.get_close_handle().async_close(tally(support::into(closed)));
  local::socket to(std::move(from));
  BOOST_TEST(closed == not_called);
  context.run();
  BOOST_TEST(closed == io_error);
  BOOST_TEST(watch.arrived() == 1u);
}

// The handles of other threads end, each after its last use, while the owner tries to convert.
BOOST_AUTO_TEST_CASE(the_move_succeeds_once_the_handles_of_other_threads_are_gone)
{
  const support::census fds;
  {
    asio::io_context context;
    for (int i = 0; i != 300; ++i)
    {
      narrow_socket from(context, local(), support::unix_ends().near.release());
      close_handle of_closer = from.get_close_handle();
      close_handle of_watcher = of_closer;
      std::optional<local::socket> to;
      std::atomic<int> other_errors{0};
      support::at_once(3,
        [&](int side)
        {
          if (side == 1)
          {
            const close_handle own(std::move(of_closer));
            if (i % 2)
              own.close();
          }
          else if (side == 2)
            const close_handle own(std::move(of_watcher));
          else
            support::wait_until(
              [&]
              {
                try
                {
                  to.emplace(std::move(from));
                }
                catch (const system_error& e)
                {
                  other_errors += e.code() == in_use ? 0 : 1;
                }
                return to.has_value();
              });
        });
      BOOST_TEST(other_errors == 0);
      BOOST_TEST_REQUIRE(to.has_value());
      BOOST_TEST(to->is_open() == (i % 2 == 0));
      BOOST_TEST(!from.is_open());
    }
  }
  BOOST_TEST(fds.restored());
}

// --- A close that is under way, or over.

BOOST_FIXTURE_TEST_CASE(converted_while_closing_the_new_object_is_as_never_opened, connected)
{
  support::close_watch watch(pair.near.get());
  watch.report(EIO);
  watch.shut_gate();
  error_code late = not_called;
  narrow_socket from(context, local(), pair.near.release());
  start_read(from);
  from.async_close(tally(support::into(closed)));
  BOOST_TEST(support::wait_until([&] { return support::turn(context), watch.arrived() == 1; }));
  {
    local::socket to(std::move(from));
    to.async_close(tally(support::into(late)));
    support::turn(context);
    BOOST_TEST(late == success);
    to.open(local());
    BOOST_TEST(to.is_open());
  }
  BOOST_TEST(closed == not_called);
  watch.open_gate();
  context.restart();
  context.run();
  BOOST_TEST(closed == io_error);
  BOOST_TEST(read == aborted);
  BOOST_TEST(tally.all_called());
  BOOST_TEST(watch.arrived() == 1u);
}

BOOST_FIXTURE_TEST_CASE(converted_after_a_close_the_new_object_does_not_know_the_outcome, connected)
{
  support::close_watch watch(pair.near.get());
  watch.report(EIO);
  narrow_socket from(context, local(), pair.near.release());
  from.close();
  BOOST_TEST(watch.wait_closed());
  local::socket to(std::move(from));
  to.async_close(tally(support::into(closed)));
  context.run();
  BOOST_TEST(closed == success);
}

BOOST_AUTO_TEST_CASE(a_close_from_before_the_conversion_completes_after_every_handler)
{
  support::loop loop;
  std::promise<void> begun;
  std::promise<void> go_on;
  std::atomic<bool> returned{false};
  narrow_socket from(loop.context, local(), support::unix_ends().near.release());
  asio::thread_pool pool(1);
  char buffer[8];
  from.async_read_some(asio::buffer(buffer),
    asio::bind_executor(pool.get_executor(),
      [&](error_code, std::size_t)
      {
        begun.set_value();
        go_on.get_future().wait();
        returned = true;
      }));
  std::promise<bool> after;
  from.async_close([&](error_code) { after.set_value(returned); });
  begun.get_future().wait();
  const local::socket to(std::move(from));
  go_on.set_value();
  BOOST_TEST(after.get_future().get());
  pool.join();
  loop.join();
}

BOOST_AUTO_TEST_SUITE_END()
