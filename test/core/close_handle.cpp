// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A close handle closes its object wherever that has been moved, from any thread, whatever the owner
// does to it meanwhile; it tells the outcome after the object is gone, does nothing after the context
// is gone, and keeps no descriptor. Moves to another type are in conversions.cpp, to Asio's own in to_asio.cpp,
// handles beside other threads in close_handle_races.cpp.

#include "support/prelude.hpp"

#include <boost/asio/version.hpp>
#if BOOST_ASIO_VERSION >= 102400
#include <boost/asio/deferred.hpp>
#endif

#include "support/scene.hpp"

using namespace support;
using interlock::close_handle;

namespace {

static_assert(std::is_nothrow_default_constructible<close_handle>::value, "kept in containers");
static_assert(std::is_nothrow_move_constructible<close_handle>::value, "kept in containers");
static_assert(std::is_copy_assignable<close_handle>::value, "kept in containers");
static_assert(noexcept(std::declval<const close_handle&>().close()), "as the object's");
static_assert(noexcept(std::declval<const close_handle&>().retire()), "as the object's");

struct handled : scene
{
  close_handle handle = object->get_close_handle();

  template <class Object>
  void check_closed(const Object& o)
  {
    BOOST_TEST(!o.is_open());
    BOOST_TEST(watch.wait_closed());
    run();
  }
};

/// Two open sockets of one context.
struct two_sockets : in_context
{
  ends first = unix_ends();
  ends second = unix_ends();
  local::socket a{*context, local(), first.near.release()};
  local::socket b{*context, local(), second.near.release()};
  close_handle of_a = a.get_close_handle();
  close_handle of_b = b.get_close_handle();

  ~two_sockets()
  {
    a.close();
    b.close();
    finish();
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_close_handle, handled)

// --- What the object is at the time.

BOOST_AUTO_TEST_CASE(it_closes_an_open_object)
{
  start_read();
  BOOST_TEST(!!handle);
  handle.close();
  check_closed(*object);
  BOOST_TEST(read == aborted);
  BOOST_TEST((watch.close_waiter() == std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE(its_async_close_comes_after_every_handler_of_the_object)
{
  asio::io_context idle;
  object->async_read_some(
    asio::buffer(buffer), asio::bind_executor(idle.get_executor(), tally(into(read))));
  handle.async_close(tally(into(closed)));
  BOOST_TEST(!object->is_open());
  BOOST_TEST(run_until([this] { return watch.closed() == 1; }));
  turn();
  BOOST_TEST(tally.called() == 0);
  idle.run();
  run();
  BOOST_TEST(read == aborted);
  BOOST_TEST(closed == success);
}

BOOST_AUTO_TEST_CASE(an_object_never_opened_is_closed_with_success)
{
  local::socket s(*context);
  const close_handle h = s.get_close_handle();
  h.close();
  h.async_close(tally(into(closed)));
  BOOST_TEST(tally.called() == 0);
  run();
  BOOST_TEST(closed == success);
}

BOOST_AUTO_TEST_CASE(it_closes_what_is_opened_only_after_it_was_made)
{
  local::socket s(*context);
  const close_handle h = s.get_close_handle();
  h.close();
  s.assign(local(), object->release());
  BOOST_TEST(s.is_open());
  start_read(s);
  h.close();
  check_closed(s);
  BOOST_TEST(read == aborted);
}

// The object's callers and the handle's are served by one close.
BOOST_AUTO_TEST_CASE(it_joins_a_close_that_is_under_way)
{
  send_text(pair.far, "x"); // close(2) can block
  watch.report(EIO);
  watch.shut_gate();
  error_code second = not_called;
  error_code third = not_called;
  close();
  handle.close();
  handle.async_close(tally(into(second)));
  BOOST_TEST(run_until([this] { return watch.arrived() == 1; }));
  handle.async_close(tally(into(third)));
  BOOST_TEST(tally.called() == 0);
  watch.open_gate();
  check_closed(*object);
  BOOST_TEST(closed == io_error);
  BOOST_TEST(second == io_error);
  BOOST_TEST(third == io_error);
}

BOOST_AUTO_TEST_CASE(of_a_closed_object_it_tells_the_outcome)
{
  watch.report(EIO);
  object->close();
  BOOST_TEST(watch.wait_closed());
  handle.close();
  BOOST_TEST(ask(handle) == io_error);
  BOOST_TEST(ask(handle) == io_error);
  close_handle made_afterwards = object->get_close_handle();
  BOOST_TEST(ask(made_afterwards) == io_error);
}

BOOST_AUTO_TEST_CASE(it_closes_an_object_that_has_been_opened_again)
{
  handle.close();
  check_closed(*object);
  for (const bool fails : {true, true, false}) // the outcome of one is not that of the next
  {
    reopen();
    close_watch next(object->native_handle());
    if (fails)
      next.report(EIO);
    BOOST_TEST(ask(handle) == (fails ? io_error : success));
    BOOST_TEST(!object->is_open());
    BOOST_TEST(next.arrived() == 1u);
  }
}

BOOST_AUTO_TEST_CASE(it_wakes_a_blocked_call)
{
  call_in_thread blocked([this] { return read_some(*object); });
  BOOST_TEST_REQUIRE(blocked.blocks());
  BOOST_TEST(ask(handle) == success);
  BOOST_TEST(blocked.get().ec == aborted);
}

BOOST_AUTO_TEST_CASE(it_may_be_used_inside_a_handler_of_the_object)
{
  object->async_read_some(asio::buffer(buffer),
    tally(
      [this](error_code, std::size_t)
      {
        handle.async_close(tally(into(closed)));
        handle.close();
        handle.async_close(tally([](error_code) {}));
      }));
  send_text(pair.far, "x");
  run();
  BOOST_TEST(closed == success);
  check_closed(*object);
}

// --- Moves.

BOOST_AUTO_TEST_CASE(it_follows_a_plain_move)
{
  start_read();
  local::socket to(std::move(*object));
  const fd peer = reopen();
  handle.close();
  check_closed(to);
  BOOST_TEST(read == aborted);
  // What was moved from is another object.
  BOOST_TEST(object->is_open());
  object->get_close_handle().close();
  BOOST_TEST(!object->is_open());
}

BOOST_AUTO_TEST_CASE(it_follows_a_move_before_the_first_open)
{
  local::socket from(*context);
  const close_handle h = from.get_close_handle();
  local::socket to(std::move(from));
  to.assign(local(), object->release());
  h.close();
  check_closed(to);
}

BOOST_FIXTURE_TEST_CASE(by_move_assignment_it_follows_what_is_moved, two_sockets)
{
  const int fd = b.native_handle();
  a = std::move(b);
  BOOST_TEST(wait_until([this] { return hung_up(first.far); }));
  of_a.close();
  BOOST_TEST(a.is_open());
  BOOST_TEST(a.native_handle() == fd);
  of_b.close();
  BOOST_TEST(!a.is_open());
  BOOST_TEST(wait_until([this] { return hung_up(second.far); }));
}

// There and back: each time what was there before is closed, and its handle has nothing left.
BOOST_FIXTURE_TEST_CASE(by_move_assignment_in_both_directions_it_follows, two_sockets)
{
  a = std::move(b);
  b = std::move(a);
  of_a.close();
  BOOST_TEST(b.is_open());
  a.assign(local(), unix_ends().near.release());
  of_b.close();
  BOOST_TEST(!b.is_open());
  BOOST_TEST(a.is_open());
}

BOOST_FIXTURE_TEST_CASE(by_swap_each_goes_with_its_own, two_sockets)
{
  const int fd = a.native_handle();
  std::swap(a, b);
  BOOST_TEST(b.native_handle() == fd);
  of_a.close();
  BOOST_TEST(!b.is_open());
  BOOST_TEST(a.is_open());
  std::swap(a, b);
  of_b.close();
  BOOST_TEST(!a.is_open());
  BOOST_TEST(!b.is_open());
}

BOOST_FIXTURE_TEST_CASE(a_move_to_itself_loses_no_handle, two_sockets)
{
  local::socket& same = a;
  a = std::move(same);
  of_a.close();
  BOOST_TEST(!a.is_open());
}

// --- The object, or the context, is gone.

BOOST_AUTO_TEST_CASE(the_outcome_is_told_after_the_object_is_gone)
{
  watch.report(EIO);
  start_read();
  object.reset();
  BOOST_TEST(!!handle);
  handle.close();
  handle.retire();
  BOOST_TEST(ask(handle) == io_error);
  BOOST_TEST(ask(handle) == io_error);
  BOOST_TEST(read == aborted);
}

BOOST_AUTO_TEST_CASE(the_outcome_is_told_while_a_destroyed_object_is_being_closed)
{
  send_text(pair.far, "x"); // close(2) can block
  watch.report(EIO);
  watch.shut_gate();
  object.reset();
  handle.async_close(tally(into(closed)));
  BOOST_TEST(watch.wait_arrived());
  turn();
  BOOST_TEST(closed == not_called);
  watch.open_gate();
  run();
  BOOST_TEST(closed == io_error);
}

BOOST_AUTO_TEST_CASE(after_an_object_never_opened_is_gone_success_is_told)
{
  close_handle h = local::socket(*context).get_close_handle();
  BOOST_TEST(!!h);
  h.close();
  BOOST_TEST(ask(h) == success);
}

BOOST_AUTO_TEST_CASE(after_the_context_is_gone_it_does_nothing)
{
  const close_handle of_never_opened = local::socket(*context).get_close_handle();
  object.reset();
  context.reset();
  BOOST_TEST(watch.wait_closed());
  for (const close_handle& each : {handle, of_never_opened})
  {
    BOOST_TEST(!!each);
    each.close();
    each.retire();
    each.close();
  }
  const close_handle copy = handle;
  handle = close_handle();
  copy.close();
}

BOOST_AUTO_TEST_CASE(it_may_be_used_on_an_object_that_has_outlived_its_context)
{
  handle.async_close(tally(into(closed)));
  context.reset();
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(watch.wait_closed());
  handle.close();
  handle.retire();
  BOOST_TEST(!object->is_open());
}

// --- The handle itself.

BOOST_AUTO_TEST_CASE(a_default_constructed_handle_refers_to_nothing)
{
  const close_handle h;
  handler_tally refused;
  BOOST_TEST(!h);
  BOOST_TEST(!h.get_executor());
  h.close();
  h.retire();
  BOOST_CHECK_THROW(h.async_close(refused(into(closed))), asio::execution::bad_executor);
  BOOST_TEST(refused.all_ended());
  BOOST_TEST(closed == not_called);
}

BOOST_AUTO_TEST_CASE(a_handle_that_was_moved_from_refers_to_nothing)
{
  const close_handle to(std::move(handle));
  BOOST_TEST(!handle);
  BOOST_TEST(!!to);
  handle.close();
  BOOST_TEST(object->is_open());
  BOOST_CHECK_THROW(handle.async_close(into(closed)), asio::execution::bad_executor);
  to.close();
  BOOST_TEST(!object->is_open());
}

BOOST_FIXTURE_TEST_CASE(copies_refer_to_the_same_object, two_sockets)
{
  close_handle copy(of_a);
  BOOST_TEST((copy.get_executor() == of_a.get_executor()));
  close_handle assigned;
  assigned = copy;
  copy = of_b;
  assigned.close();
  BOOST_TEST(!a.is_open());
  BOOST_TEST(b.is_open());
  BOOST_TEST(!!of_a);
  copy.close();
  BOOST_TEST(!b.is_open());
}

BOOST_FIXTURE_TEST_CASE(assigned_to_itself_it_still_refers_to_its_object, two_sockets)
{
  close_handle& same = of_a;
  of_a = same;
  BOOST_TEST(!!of_a);
  of_a = std::move(same);
  BOOST_TEST(!!of_a);
  of_a.close();
  BOOST_TEST(!a.is_open());
}

BOOST_FIXTURE_TEST_CASE(an_assigned_handle_lets_go_of_its_former_object, two_sockets)
{
  of_a = std::move(of_b);
  BOOST_TEST(!of_b);
  of_a.close();
  BOOST_TEST(a.is_open());
  BOOST_TEST(!b.is_open());
  std::swap(of_a, of_b);
  BOOST_TEST(!of_a);
  BOOST_TEST(!!of_b);
}

BOOST_AUTO_TEST_CASE(its_executor_is_the_objects)
{
  local::socket::rebind_executor<asio::io_context::executor_type>::other narrow(*context);
  const asio::any_io_executor expected = context->get_executor();
  BOOST_TEST((narrow.get_close_handle().get_executor() == expected));
  BOOST_TEST((handle.get_executor() == expected));
}

BOOST_AUTO_TEST_CASE(it_does_not_keep_run_from_returning_and_its_end_closes_nothing)
{
  BOOST_TEST(context->run() == 0u);
  handle = close_handle();
  BOOST_TEST(object->is_open());
}

// What the context makes once for itself, the reactor and the worker, is there by then.
BOOST_AUTO_TEST_CASE(it_keeps_no_descriptor_open)
{
  BOOST_TEST(ask(handle) == success);
  const std::size_t open = open_descriptors();
  std::vector<close_handle> handles;
  for (int i = 0; i != 50; ++i)
  {
    local::socket s(*context, local(), unix_ends().near.release());
    handles.push_back(s.get_close_handle());
    if (i % 2)
      s.close();
  }
  for (const close_handle& h : handles)
    BOOST_TEST(ask(h) == success);
  BOOST_TEST(open_descriptors() == open);
}

// --- Retirement.

BOOST_AUTO_TEST_CASE(it_retires_its_object)
{
  start_read();
  handle.retire();
  check_closed(*object);
  BOOST_TEST(read == aborted);
  const ends again = unix_ends();
  object->assign(local(), again.near.get(), closed);
  BOOST_TEST(closed == retired);
  BOOST_TEST(is_fd_open(again.near.get()));
  BOOST_TEST(!object->is_open());
}

BOOST_AUTO_TEST_CASE(it_retires_an_object_never_opened)
{
  local::socket s(*context);
  s.get_close_handle().retire();
  local::socket moved(std::move(s));
  moved.open(local(), closed);
  BOOST_TEST(closed == retired);
  s.open(local(), closed);
  BOOST_TEST(closed == success);
}

#if BOOST_ASIO_VERSION >= 102400

// The operation holds a handle of its own.
BOOST_AUTO_TEST_CASE(a_lazy_operation_starts_when_it_is_called)
{
  watch.report(EIO);
  auto operation = handle.async_close(asio::deferred);
  auto later = handle.async_close(asio::deferred);
  handle = close_handle();
  BOOST_TEST(object->is_open());
  local::socket moved(std::move(*object));
  object.reset();
  std::move(operation)(tally(into(closed)));
  check_closed(moved);
  BOOST_TEST(closed == io_error);
  closed = not_called;
  std::move(later)(tally(into(closed)));
  run();
  BOOST_TEST(closed == io_error);
}

#endif

BOOST_AUTO_TEST_SUITE_END()
