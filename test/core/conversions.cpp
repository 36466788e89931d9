// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Moves to a type of another executor or protocol. Operations go along, and a close waits for them. What uses the
// descriptor, and a close handle, refuse the move. To and from Asio's own types: to_asio.cpp.

#include "support/prelude.hpp"

#include <tuple>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/version.hpp>
#if BOOST_ASIO_VERSION >= 102400
#include <boost/asio/deferred.hpp>
#endif

#include "support/local_port.hpp"
#include "support/scene.hpp"

using namespace support;
using boost::system::system_error;
using interlock::close_handle;

namespace {

using generic = interlock::closable<asio::generic::stream_protocol>;
using narrow = asio::io_context::executor_type;
using narrow_socket = local::socket::rebind_executor<narrow>::other;
using narrow_scene = scene_of<narrow_socket>;

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

/// With a lease, or with a handle and a copy of it, the conversion is refused and changes nothing.
template <class To, class From>
void check_refused(From& from)
{
  const int fd = from.native_handle();
  {
    const interlock::fd_lease lease = from.lease();
    BOOST_TEST(conversion<To>(from) == in_use);
  }
  close_handle first = from.get_close_handle();
  close_handle second = first;
  BOOST_TEST(conversion<To>(from) == in_use);
  first = close_handle();
  BOOST_TEST(conversion<To>(from) == in_use);
  const close_handle third(std::move(second));
  BOOST_TEST(conversion<To>(from) == in_use);
  BOOST_TEST(from.native_handle() == fd);
}

template <class F, class T>
struct conversion_of
{
  using from = F;
  using to = T;
};

using socket_conversions = std::tuple<conversion_of<narrow_socket, local::socket>,
  conversion_of<local::socket, generic::socket>>;

} // namespace

BOOST_AUTO_TEST_SUITE(test_conversions)

BOOST_AUTO_TEST_CASE_TEMPLATE(
  a_socket_is_converted_with_its_operation_unless_it_is_in_use, Conversion, socket_conversions)
{
  using to_type = typename Conversion::to;
  scene_of<typename Conversion::from> s;
  s.start_read();
  check_refused<to_type>(*s.object);
  BOOST_TEST(s.object->send(asio::buffer("data", 4)) == 4u);
  to_type to(std::move(*s.object));
  BOOST_TEST(!s.object->is_open());
  BOOST_TEST(to.remote_endpoint().protocol().family() == AF_UNIX);
  send_text(s.pair.far, "hello");
  s.run();
  BOOST_TEST(s.read == success);
  BOOST_TEST(s.size == 5u);
  BOOST_TEST(to.is_open());
}

BOOST_FIXTURE_TEST_CASE(an_acceptor_is_converted_with_its_accept_unless_it_is_in_use, in_context)
{
  error_code ec = not_called;
  tcp::acceptor::rebind_executor<narrow>::other from(*context, any_local_port());
  from.async_accept(
    tally([&ec](error_code e, const auto& peer) { ec = peer.is_open() ? e : not_called; }));
  check_refused<tcp::acceptor>(from);
  tcp::acceptor to(std::move(from));
  const fd client = tcp_connected_to(fd(checked(::dup(to.native_handle()), "dup")));
  run();
  BOOST_TEST(ec == success);
  BOOST_TEST(to.is_open());
}

#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
BOOST_FIXTURE_TEST_CASE(a_descriptor_is_converted_unless_it_is_in_use, in_context)
{
  interlock::posix::basic_stream_descriptor<narrow> from(*context, pipe_ends().near.release());
  check_refused<stream_descriptor>(from);
  stream_descriptor to(std::move(from));
  BOOST_TEST(to.is_open());
  BOOST_TEST(!from.is_open());
}
#endif

// Its handlers are the new object's to wait for, though another tenure has counted them.
BOOST_FIXTURE_TEST_CASE(a_close_waits_for_operations_from_before_a_converting_move, narrow_scene)
{
  asio::io_context idle;
  object->async_read_some(
    asio::buffer(buffer), asio::bind_executor(idle.get_executor(), tally(into(read))));
  local::socket to(std::move(*object));
  to.async_close(tally(into(closed)));
  BOOST_TEST(run_until([this] { return watch.closed() == 1; }));
  turn();
  BOOST_TEST(tally.called() == 0);
  idle.run();
  BOOST_TEST(read == aborted);
  run();
  BOOST_TEST(closed == success);
}

// It has not written what its predecessor has: a delivery does not wait for that write.
BOOST_FIXTURE_TEST_CASE(a_write_that_came_along_is_not_waited_for_by_a_flush, narrow_scene)
{
  error_code written = not_called;
  fill(object->native_handle());
  object->async_write_some(asio::buffer("x", 1), tally(into(written)));
  local::socket to(std::move(*object));
  to.async_close(interlock::close_mode::deliver(std::chrono::seconds(60)),
    tally([this](error_code ec, const interlock::close_report&) { closed = ec; }));
  BOOST_TEST(run_until([&] { return written != not_called; }));
  BOOST_TEST(written == aborted);
  drain(pair.far);
  run();
  BOOST_TEST(closed == success);
}

BOOST_FIXTURE_TEST_CASE(a_converting_assignment_takes_over_and_closes_the_old, narrow_scene)
{
  local::socket s(*context, local(), unix_ends().near.release());
  const close_watch old(s.native_handle());
  start_read();
  s = std::move(*object);
  BOOST_TEST(old.wait_closed());
  send_text(pair.far, "x");
  run();
  BOOST_TEST(read == success);
  // Opened again, what was moved from has a tenure that nothing of the old one reaches.
  reopen();
  BOOST_TEST(object->is_open());
}

// A call is inside: its thread would go on with a descriptor that is another object's.
BOOST_FIXTURE_TEST_CASE(a_converting_move_is_refused_while_a_call_is_inside, narrow_scene)
{
  call_in_thread blocked([this] { return read_some(*object); });
  BOOST_TEST_REQUIRE(blocked.blocks());
  BOOST_TEST(conversion<local::socket>(*object) == in_use);
  BOOST_TEST(object->is_open());
  send_text(pair.far, "hello");
  BOOST_TEST(blocked.get().bytes == 5u);
}

BOOST_FIXTURE_TEST_CASE(an_object_of_another_executor_type_does_not_become_blocking, narrow_scene)
{
  start_read();
  local::socket wide(std::move(*object));
  wide.non_blocking(false);
  wide.native_non_blocking(false);
  BOOST_TEST(is_non_blocking(wide.native_handle()));
  wide.close();
  run();
  BOOST_TEST(read == aborted);
}

// --- Close handles.

BOOST_FIXTURE_TEST_CASE(a_refused_converting_assignment_changes_neither_object, narrow_scene)
{
  local::socket to(*context, local(), unix_ends().near.release());
  const int fd = to.native_handle();
  const close_handle h = object->get_close_handle();
  BOOST_CHECK_THROW(to = std::move(*object), system_error);
  BOOST_TEST(to.native_handle() == fd);
  h.close();
  BOOST_TEST(!object->is_open());
  BOOST_TEST(to.is_open());
}

// A handle of the object that is assigned to does not matter: that object is destroyed.
BOOST_FIXTURE_TEST_CASE(a_handle_of_the_object_assigned_to_refuses_nothing, narrow_scene)
{
  ends other = unix_ends();
  local::socket to(*context, local(), other.near.release());
  const close_handle h = to.get_close_handle();
  to = std::move(*object);
  BOOST_TEST(wait_until([&] { return hung_up(other.far); }));
  h.close();
  BOOST_TEST(to.is_open());
}

BOOST_FIXTURE_TEST_CASE(a_handle_counts_where_a_plain_move_has_taken_it, narrow_scene)
{
  std::optional<close_handle> h(object->get_close_handle());
  narrow_socket second(std::move(*object));
  BOOST_TEST(conversion<local::socket>(*object) == success);
  BOOST_TEST(conversion<local::socket>(second) == in_use);
  h.reset();
  BOOST_TEST(conversion<local::socket>(second) == success);
}

BOOST_FIXTURE_TEST_CASE(a_handle_counts_in_whatever_state_the_object_is, narrow_scene)
{
  narrow_socket from(*context);
  std::optional<close_handle> h(from.get_close_handle());
  BOOST_TEST(conversion<local::socket>(from) == in_use);
  from.assign(local(), object->release());
  BOOST_TEST(conversion<local::socket>(from) == in_use);
  from.async_close(tally(into(closed)));
  BOOST_TEST(conversion<local::socket>(from) == in_use);
  run();
  BOOST_TEST(closed == success);
  BOOST_TEST(conversion<local::socket>(from) == in_use);
  h->retire();
  BOOST_TEST(conversion<local::socket>(from) == in_use);
  h.reset();
  local::socket to(std::move(from));
  to.open(local(), closed);
  BOOST_TEST(closed == retired);
}

#if BOOST_ASIO_VERSION >= 102400
BOOST_FIXTURE_TEST_CASE(a_lazy_operation_of_a_handle_counts_as_a_handle, narrow_scene)
{
  {
    const auto later = object->get_close_handle().async_close(asio::deferred);
    BOOST_TEST(conversion<local::socket>(*object) == in_use);
  }
  BOOST_TEST(conversion<local::socket>(*object) == success);
}
#endif

// The caller of async_close has no handle any more: its outcome is the first object's.
BOOST_FIXTURE_TEST_CASE(a_close_by_a_handle_that_is_gone_stays_behind, narrow_scene)
{
  watch.report(EIO);
  object->get_close_handle().async_close(tally(into(closed)));
  local::socket to(std::move(*object));
  BOOST_TEST(closed == not_called);
  run();
  BOOST_TEST(closed == io_error);
}

// The handles of other threads end, each after its last use, while the owner tries to convert.
BOOST_FIXTURE_TEST_CASE(the_move_succeeds_once_the_handles_of_other_threads_are_gone, no_trace)
{
  asio::io_context context;
  for (int i = 0; i != 300; ++i)
  {
    narrow_socket from(context, local(), unix_ends().near.release());
    close_handle of_closer = from.get_close_handle();
    close_handle of_watcher = of_closer;
    std::optional<local::socket> to;
    int other_errors = 0;
    const auto convert = [&]
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
    };
    at_once(3,
      [&](int side)
      {
        if (side == 0)
          wait_until(convert);
        else
        {
          const close_handle own(std::move(side == 1 ? of_closer : of_watcher));
          if (side == 1 && i % 2)
            own.close();
        }
      });
    BOOST_TEST(other_errors == 0);
    BOOST_TEST_REQUIRE(to.has_value());
    BOOST_TEST(to->is_open() == (i % 2 == 0));
    BOOST_TEST(!from.is_open());
  }
}

// --- A close that is under way, or over.

BOOST_FIXTURE_TEST_CASE(converted_while_closing_the_new_object_is_as_never_opened, narrow_scene)
{
  watch.report(EIO);
  watch.shut_gate();
  error_code late = not_called;
  start_read();
  close();
  BOOST_TEST(run_until([this] { return watch.arrived() == 1; }));
  {
    local::socket to(std::move(*object));
    to.async_close(tally(into(late)));
    turn();
    BOOST_TEST(late == success);
    to.open(local());
    BOOST_TEST(to.is_open());
  }
  BOOST_TEST(closed == not_called);
  watch.open_gate();
  run();
  BOOST_TEST(closed == io_error);
  BOOST_TEST(read == aborted);
}

BOOST_FIXTURE_TEST_CASE(
  converted_after_a_close_the_new_object_does_not_know_the_outcome, narrow_scene)
{
  watch.report(EIO);
  object->close();
  BOOST_TEST(watch.wait_closed());
  local::socket to(std::move(*object));
  BOOST_TEST(ask(to) == success);
}

BOOST_AUTO_TEST_CASE(a_close_from_before_the_conversion_completes_after_every_handler)
{
  loop loop;
  std::promise<void> begun;
  std::promise<void> go_on;
  std::atomic<bool> returned{false};
  narrow_socket from(loop.context, local(), unix_ends().near.release());
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
