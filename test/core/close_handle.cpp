// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A close handle closes its object wherever that has been moved, from any thread, whatever the owner
// does to it meanwhile; it tells the outcome after the object is gone, does nothing after the context
// is gone, and keeps no descriptor. Moves to another type are in conversions.cpp.

#include <interlock/close_handle.hpp>

#include <interlock/error.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/version.hpp>
#if BOOST_ASIO_VERSION >= 102400
#include <boost/asio/deferred.hpp>
#endif
#include <boost/test/unit_test.hpp>

#include "support/at_once.hpp"
#include "support/blocking_subjects.hpp"
#include "support/census.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/executors.hpp"
#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/sync_support.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::close_handle;
using interlock::ip::tcp;
using support::at_once;
using local = interlock::local::stream_protocol;
using interlock::posix::stream_descriptor;
using support::aborted;
using support::bad_descriptor;
using support::success;

namespace {

const error_code io_error(EIO, boost::system::system_category());
const error_code retired = interlock::error::retired;
const error_code not_called = asio::error::fault;

// A tenth under a sanitizer (of gcc's), which slows them down by more than that.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int many_moves = 100000;
constexpr int rounds = 300;
#else
constexpr int many_moves = 1000000;
constexpr int rounds = 3000;
#endif

using io_executor = asio::io_context::executor_type;
using narrow_socket = local::socket::rebind_executor<io_executor>::other;

static_assert(std::is_nothrow_default_constructible<close_handle>::value, "kept in containers");
static_assert(std::is_nothrow_move_constructible<close_handle>::value, "kept in containers");
static_assert(std::is_copy_assignable<close_handle>::value, "kept in containers");
static_assert(noexcept(std::declval<const close_handle&>().close()), "as the object's");
static_assert(noexcept(std::declval<const close_handle&>().retire()), "as the object's");

/// A descriptor to be opened, with a watch on it, and what becomes of it.
struct scene
{
  asio::io_context context;
  support::ends pair = support::unix_ends();
  support::close_watch watch{pair.near.get()};
  support::handler_tally tally;
  error_code read = not_called;
  error_code closed = not_called;
  char buffer[8] = {};

  local::socket open()
  {
    return local::socket(context, local(), pair.near.release());
  }

  template <class Object>
  void start_read(Object& object)
  {
    object.async_read_some(asio::buffer(buffer), tally(support::into(read)));
  }

  /// What the next async_close is told.
  error_code ask(const close_handle& h)
  {
    closed = not_called;
    h.async_close(tally(support::into(closed)));
    context.restart();
    context.run();
    return closed;
  }

  template <class Object>
  void check_closed_once(const Object& object)
  {
    BOOST_TEST(!object.is_open());
    BOOST_TEST(watch.wait_closed());
    context.restart();
    context.run();
    BOOST_TEST(tally.all_called());
    BOOST_TEST(watch.arrived() == 1u);
  }
};

/// Two open sockets of one context.
struct two_sockets
{
  asio::io_context context;
  support::ends first = support::unix_ends();
  support::ends second = support::unix_ends();
  local::socket a{context, local(), first.near.release()};
  local::socket b{context, local(), second.near.release()};
  close_handle of_a = a.get_close_handle();
  close_handle of_b = b.get_close_handle();
};

/// Counts what it has given and not got back.
template <class T>
struct counting_allocator
{
  using value_type = T;

  explicit counting_allocator(std::atomic<int>& l, std::atomic<int>& g) noexcept
    : live(&l),
      given(&g)
  {
  }

  template <class U>
  counting_allocator(const counting_allocator<U>& other) noexcept
    : live(other.live),
      given(other.given)
  {
  }

  T* allocate(std::size_t n)
  {
    ++*live;
    ++*given;
    return std::allocator<T>().allocate(n);
  }

  void deallocate(T* p, std::size_t n)
  {
    --*live;
    std::allocator<T>().deallocate(p, n);
  }

  template <class U>
  bool operator==(const counting_allocator<U>& other) const noexcept
  {
    return live == other.live;
  }

  template <class U>
  bool operator!=(const counting_allocator<U>& other) const noexcept
  {
    return live != other.live;
  }

  std::atomic<int>* live;
  std::atomic<int>* given;
};

struct allocating_handler
{
  using allocator_type = counting_allocator<char>;

  allocator_type allocator;
  std::function<void(error_code)> function;

  allocator_type get_allocator() const noexcept
  {
    return allocator;
  }

  void operator()(error_code ec)
  {
    function(ec);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_close_handle)

// --- What the object is at the time.

BOOST_FIXTURE_TEST_CASE(it_closes_an_open_object, scene)
{
  local::socket s = open();
  start_read(s);
  const close_handle h = s.get_close_handle();
  BOOST_TEST(!!h);
  h.close();
  BOOST_TEST(!s.is_open());
  check_closed_once(s);
  BOOST_TEST(read == aborted);
  BOOST_TEST((watch.close_waiter() == std::this_thread::get_id()));
}

BOOST_FIXTURE_TEST_CASE(its_async_close_comes_after_every_handler_of_the_object, scene)
{
  local::socket s = open();
  asio::io_context idle;
  s.async_read_some(
    asio::buffer(buffer), asio::bind_executor(idle.get_executor(), tally(support::into(read))));
  const close_handle h = s.get_close_handle();
  h.async_close(tally(support::into(closed)));
  BOOST_TEST(!s.is_open());
  BOOST_TEST(support::wait_until([&] { return support::turn(context), watch.closed() == 1; }));
  support::turn(context);
  BOOST_TEST(tally.called() == 0);
  idle.run();
  check_closed_once(s);
  BOOST_TEST(read == aborted);
  BOOST_TEST(closed == success);
}

BOOST_FIXTURE_TEST_CASE(an_object_never_opened_is_closed_with_success, scene)
{
  local::socket s(context);
  const close_handle h = s.get_close_handle();
  h.close();
  h.async_close(tally(support::into(closed)));
  BOOST_TEST(tally.called() == 0);
  context.run();
  BOOST_TEST(closed == success);
  BOOST_TEST(tally.all_called());
}

BOOST_FIXTURE_TEST_CASE(it_closes_what_is_opened_only_after_it_was_made, scene)
{
  local::socket s(context);
  const close_handle h = s.get_close_handle();
  h.close();
  s.assign(local(), pair.near.release());
  BOOST_TEST(s.is_open());
  start_read(s);
  h.close();
  check_closed_once(s);
  BOOST_TEST(read == aborted);
}

// The object's callers and the handle's are served by one close.
BOOST_FIXTURE_TEST_CASE(it_joins_a_close_that_is_under_way, scene)
{
  support::send_text(pair.far, "x"); // close(2) can block
  watch.report(EIO);
  watch.shut_gate();
  local::socket s = open();
  const close_handle h = s.get_close_handle();
  error_code second = not_called;
  s.async_close(tally(support::into(closed)));
  h.close();
  h.async_close(tally(support::into(second)));
  BOOST_TEST(support::wait_until([&] { return support::turn(context), watch.arrived() == 1; }));
  error_code third = not_called;
  h.async_close(tally(support::into(third)));
  BOOST_TEST(tally.called() == 0);
  watch.open_gate();
  check_closed_once(s);
  BOOST_TEST(closed == io_error);
  BOOST_TEST(second == io_error);
  BOOST_TEST(third == io_error);
}

BOOST_FIXTURE_TEST_CASE(of_a_closed_object_it_tells_the_outcome, scene)
{
  watch.report(EIO);
  local::socket s = open();
  const close_handle h = s.get_close_handle();
  s.close();
  BOOST_TEST(watch.wait_closed());
  h.close();
  BOOST_TEST(ask(h) == io_error);
  BOOST_TEST(ask(h) == io_error);
  check_closed_once(s);
}

BOOST_FIXTURE_TEST_CASE(it_closes_an_object_that_has_been_opened_again, scene)
{
  local::socket s = open();
  const close_handle h = s.get_close_handle();
  h.close();
  check_closed_once(s);
  for (int i = 0; i != 3; ++i)
  {
    support::ends again = support::unix_ends();
    support::close_watch next(again.near.get());
    next.report(EIO);
    s.assign(local(), again.near.release());
    BOOST_TEST(ask(h) == io_error);
    BOOST_TEST(!s.is_open());
    BOOST_TEST(next.arrived() == 1u);
  }
}

BOOST_FIXTURE_TEST_CASE(a_handle_made_after_the_close_tells_its_outcome, scene)
{
  watch.report(EIO);
  local::socket s = open();
  s.close();
  BOOST_TEST(ask(s.get_close_handle()) == io_error);
}

BOOST_FIXTURE_TEST_CASE(it_wakes_a_blocked_call, scene)
{
  local::socket s = open();
  const close_handle h = s.get_close_handle();
  support::call_in_thread blocked(
    [&]
    {
      support::outcome o;
      o.bytes = s.read_some(asio::buffer(buffer), o.ec);
      return o;
    });
  BOOST_TEST_REQUIRE(blocked.blocks());
  h.async_close(tally(support::into(closed)));
  context.run();
  BOOST_TEST(blocked.get().ec == aborted);
  BOOST_TEST(closed == success);
  check_closed_once(s);
}

BOOST_FIXTURE_TEST_CASE(it_may_be_used_inside_a_handler_of_the_object, scene)
{
  local::socket s = open();
  const close_handle h = s.get_close_handle();
  s.async_read_some(asio::buffer(buffer),
    tally(
      [&](error_code, std::size_t)
      {
        h.async_close(tally(support::into(closed)));
        h.close();
        h.async_close(tally([](error_code) {}));
      }));
  support::send_text(pair.far, "x");
  context.run();
  BOOST_TEST(closed == success);
  check_closed_once(s);
}

BOOST_AUTO_TEST_CASE(acceptors_and_descriptors_have_handles_too)
{
  const support::census fds;
  {
    asio::io_context context;
    support::handler_tally tally;
    error_code accepted = not_called;
    error_code read = not_called;
    error_code closed[2] = {not_called, not_called};
    tcp::acceptor acceptor(context, support::any_local_port());
    acceptor.async_accept(tally(support::into(accepted)));
    stream_descriptor d(context, support::pipe_ends().near.release());
    const close_handle handles[] = {acceptor.get_close_handle(), d.get_close_handle()};
    char buffer[8];
    support::ends pipe = support::pipe_ends();
    d = stream_descriptor(context, pipe.near.release());
    const close_handle of_new = d.get_close_handle();
    d.async_read_some(asio::buffer(buffer), tally(support::into(read)));
    handles[0].async_close(tally(support::into(closed[0])));
    handles[1].close();
    BOOST_TEST(!acceptor.is_open());
    BOOST_TEST(d.is_open());
    of_new.async_close(tally(support::into(closed[1])));
    BOOST_TEST(!d.is_open());
    context.run();
    BOOST_TEST(tally.all_called());
    BOOST_TEST(accepted == aborted);
    BOOST_TEST(read == aborted);
    BOOST_TEST(closed[0] == success);
    BOOST_TEST(closed[1] == success);
  }
  BOOST_TEST(fds.restored());
}

// --- Moves.

BOOST_FIXTURE_TEST_CASE(it_follows_a_plain_move, scene)
{
  local::socket from = open();
  const close_handle h = from.get_close_handle();
  start_read(from);
  local::socket to(std::move(from));
  support::ends again = support::unix_ends();
  from.assign(local(), again.near.release());
  h.close();
  check_closed_once(to);
  BOOST_TEST(read == aborted);
  // What was moved from is another object.
  BOOST_TEST(from.is_open());
  from.get_close_handle().close();
  BOOST_TEST(!from.is_open());
}

BOOST_FIXTURE_TEST_CASE(it_follows_a_move_before_the_first_open, scene)
{
  local::socket from(context);
  const close_handle h = from.get_close_handle();
  local::socket to(std::move(from));
  to.assign(local(), pair.near.release());
  h.close();
  check_closed_once(to);
}

BOOST_FIXTURE_TEST_CASE(by_move_assignment_it_follows_what_is_moved, two_sockets)
{
  const int fd = b.native_handle();
  a = std::move(b);
  BOOST_TEST(support::wait_until([this] { return support::hung_up(first.far); }));
  of_a.close();
  BOOST_TEST(a.is_open());
  BOOST_TEST(a.native_handle() == fd);
  of_b.close();
  BOOST_TEST(!a.is_open());
  BOOST_TEST(support::wait_until([this] { return support::hung_up(second.far); }));
}

// There and back: each time what was there before is closed, and its handle has nothing left.
BOOST_FIXTURE_TEST_CASE(by_move_assignment_in_both_directions_it_follows, two_sockets)
{
  a = std::move(b);
  b = std::move(a);
  of_a.close();
  BOOST_TEST(b.is_open());
  a.assign(local(), support::unix_ends().near.release());
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

// --- Asio's own type.

BOOST_FIXTURE_TEST_CASE(what_is_given_to_asio_is_out_of_its_reach, scene)
{
  local::socket from = open();
  const close_handle h = from.get_close_handle();
  start_read(from);
  asio::local::stream_protocol::socket to = from.to_asio();
  h.close();
  h.retire();
  BOOST_TEST(to.is_open());
  support::send_text(pair.far, "x");
  context.run();
  BOOST_TEST(read == success);
  BOOST_TEST(ask(h) == success);
  BOOST_TEST(watch.arrived() == 0u);
  BOOST_TEST(to.is_open());
}

BOOST_FIXTURE_TEST_CASE(an_object_that_gave_to_asio_is_in_its_reach_when_opened_again, scene)
{
  stream_descriptor d(context, pair.near.release());
  const close_handle h = d.get_close_handle();
  asio::posix::stream_descriptor of_asio = d.to_asio();
  d.assign(support::pipe_ends().near.release());
  h.close();
  BOOST_TEST(!d.is_open());
  BOOST_TEST(of_asio.is_open());
}

// --- The object, or the context, is gone.

BOOST_FIXTURE_TEST_CASE(the_outcome_is_told_after_the_object_is_gone, scene)
{
  watch.report(EIO);
  close_handle h;
  {
    local::socket s = open();
    start_read(s);
    h = s.get_close_handle();
  }
  BOOST_TEST(!!h);
  h.close();
  h.retire();
  BOOST_TEST(ask(h) == io_error);
  BOOST_TEST(ask(h) == io_error);
  BOOST_TEST(read == aborted);
  BOOST_TEST(watch.arrived() == 1u);
}

BOOST_FIXTURE_TEST_CASE(the_outcome_is_told_while_a_destroyed_object_is_being_closed, scene)
{
  support::send_text(pair.far, "x"); // close(2) can block
  watch.report(EIO);
  watch.shut_gate();
  close_handle h;
  {
    local::socket s = open();
    h = s.get_close_handle();
  }
  h.async_close(tally(support::into(closed)));
  BOOST_TEST(watch.wait_arrived());
  support::turn(context);
  BOOST_TEST(closed == not_called);
  watch.open_gate();
  context.restart();
  context.run();
  BOOST_TEST(closed == io_error);
}

BOOST_FIXTURE_TEST_CASE(after_an_object_never_opened_is_gone_success_is_told, scene)
{
  close_handle h = local::socket(context).get_close_handle();
  BOOST_TEST(!!h);
  h.close();
  BOOST_TEST(ask(h) == success);
}

BOOST_AUTO_TEST_CASE(after_the_context_is_gone_it_does_nothing)
{
  const support::census fds;
  {
    support::ends pair = support::unix_ends();
    support::close_watch watch(pair.near.get());
    close_handle h;
    close_handle of_never_opened;
    {
      asio::io_context context;
      local::socket s(context, local(), pair.near.release());
      h = s.get_close_handle();
      of_never_opened = local::socket(context).get_close_handle();
    }
    BOOST_TEST(watch.wait_closed());
    for (const close_handle& each : {h, of_never_opened})
    {
      BOOST_TEST(!!each);
      each.close();
      each.retire();
      each.close();
    }
    close_handle copy = h;
    h = close_handle();
    copy.close();
    BOOST_TEST(watch.arrived() == 1u);
  }
  BOOST_TEST(fds.restored());
}

BOOST_AUTO_TEST_CASE(it_may_be_used_on_an_object_that_has_outlived_its_context)
{
  support::ends pair = support::unix_ends();
  support::close_watch watch(pair.near.get());
  std::optional<asio::io_context> context(std::in_place);
  support::handler_tally tally;
  local::socket s(*context, local(), pair.near.release());
  const close_handle h = s.get_close_handle();
  h.async_close(tally([](error_code) {}));
  context.reset();
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(tally.all_ended());
  BOOST_TEST(watch.wait_closed());
  h.close();
  h.retire();
  BOOST_TEST(!s.is_open());
  BOOST_TEST(watch.arrived() == 1u);
}

// --- The handle itself.

BOOST_FIXTURE_TEST_CASE(a_default_constructed_handle_refers_to_nothing, scene)
{
  const close_handle h;
  BOOST_TEST(!h);
  BOOST_TEST(!h.get_executor());
  h.close();
  h.retire();
  BOOST_CHECK_THROW(h.async_close(tally(support::into(closed))), asio::execution::bad_executor);
  BOOST_TEST(tally.all_ended());
  BOOST_TEST(closed == not_called);
}

BOOST_FIXTURE_TEST_CASE(a_handle_that_was_moved_from_refers_to_nothing, scene)
{
  local::socket s = open();
  close_handle from = s.get_close_handle();
  const close_handle to(std::move(from));
  BOOST_TEST(!from);
  BOOST_TEST(!!to);
  from.close();
  BOOST_TEST(s.is_open());
  BOOST_CHECK_THROW(from.async_close(tally(support::into(closed))), asio::execution::bad_executor);
  to.close();
  BOOST_TEST(!s.is_open());
  BOOST_TEST(watch.wait_closed());
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
  asio::io_context context;
  narrow_socket narrow(context);
  local::socket wide(context);
  const asio::any_io_executor expected = context.get_executor();
  BOOST_TEST((narrow.get_close_handle().get_executor() == expected));
  BOOST_TEST((wide.get_close_handle().get_executor() == expected));
}

BOOST_AUTO_TEST_CASE(destroying_handles_closes_nothing)
{
  asio::io_context context;
  local::socket s(context, local(), support::unix_ends().near.release());
  {
    const close_handle first = s.get_close_handle();
    const close_handle second = first;
  }
  BOOST_TEST(s.is_open());
}

// What the context makes once for itself, the reactor and the worker, is there by then.
BOOST_AUTO_TEST_CASE(it_keeps_no_descriptor_open)
{
  asio::io_context context;
  const auto close_and_wait = [&context](const close_handle& h)
  {
    bool over = false;
    h.async_close([&over](error_code) { over = true; });
    BOOST_TEST(support::wait_until([&] { return support::turn(context), over; }));
  };
  local::socket first(context, local(), support::unix_ends().near.release());
  close_and_wait(first.get_close_handle());
  const std::size_t open = support::open_descriptors();
  std::vector<close_handle> handles;
  for (int i = 0; i != 50; ++i)
  {
    local::socket s(context, local(), support::unix_ends().near.release());
    handles.push_back(s.get_close_handle());
    if (i % 2)
      s.close();
  }
  for (const close_handle& h : handles)
    close_and_wait(h);
  BOOST_TEST(support::open_descriptors() == open);
}

BOOST_FIXTURE_TEST_CASE(it_does_not_keep_run_from_returning, scene)
{
  local::socket s = open();
  const close_handle h = s.get_close_handle();
  BOOST_TEST(context.run() == 0u);
  BOOST_TEST(s.is_open());
}

// --- Retirement.

BOOST_FIXTURE_TEST_CASE(it_retires_its_object, scene)
{
  local::socket s = open();
  start_read(s);
  const close_handle h = s.get_close_handle();
  h.retire();
  check_closed_once(s);
  BOOST_TEST(read == aborted);
  support::ends again = support::unix_ends();
  s.assign(local(), again.near.get(), closed);
  BOOST_TEST(closed == retired);
  BOOST_TEST(support::is_fd_open(again.near.get()));
  BOOST_TEST(!s.is_open());
}

BOOST_FIXTURE_TEST_CASE(it_retires_an_object_never_opened, scene)
{
  local::socket s(context);
  s.get_close_handle().retire();
  local::socket moved(std::move(s));
  moved.open(local(), closed);
  BOOST_TEST(closed == retired);
  s.open(local(), closed);
  BOOST_TEST(closed == success);
}

// --- Handlers and tokens.

BOOST_AUTO_TEST_CASE(a_handler_is_called_on_its_own_executor)
{
  support::loop loop;
  asio::thread_pool pool(1);
  local::socket s(loop.context, local(), support::unix_ends().near.release());
  const close_handle h = s.get_close_handle();
  support::handler_tally tally;
  std::atomic<int> in_place{0};
  for (int label = 1; label != 4; ++label)
    h.async_close(asio::bind_executor(support::labelled(pool.get_executor(), label),
      tally([label, &in_place](error_code)
        { in_place += support::label_scope::current() == label ? 1 : 0; })));
  loop.join();
  pool.join();
  BOOST_TEST(in_place == 3);
  BOOST_TEST(tally.all_called());
}

BOOST_AUTO_TEST_CASE(a_handler_without_an_executor_is_called_on_the_objects)
{
  asio::io_context context;
  const auto strand = asio::make_strand(context.get_executor());
  using strand_socket = local::socket::rebind_executor<asio::strand<io_executor>>::other;
  strand_socket s(strand, local(), support::unix_ends().near.release());
  const close_handle h = s.get_close_handle();
  int in_place = 0;
  for (int i = 0; i != 2; ++i)
    h.async_close([&](error_code) { in_place += strand.running_in_this_thread() ? 1 : 0; });
  context.run();
  // Over by now.
  h.async_close([&](error_code) { in_place += strand.running_in_this_thread() ? 1 : 0; });
  context.restart();
  context.run();
  BOOST_TEST(in_place == 3);
}

// All that a caller costs is taken from the handler's allocator, and given back before it is called.
BOOST_FIXTURE_TEST_CASE(a_handlers_allocator_is_used, scene)
{
  std::atomic<int> live{0};
  std::atomic<int> given{0};
  int live_in_handler = -1;
  local::socket s = open();
  const close_handle h = s.get_close_handle();
  h.async_close(allocating_handler{counting_allocator<char>(live, given),
    [&](error_code ec)
    {
      closed = ec;
      live_in_handler = live;
    }});
  BOOST_TEST(live == 1);
  context.run();
  BOOST_TEST(closed == success);
  BOOST_TEST(live_in_handler == 0);
  BOOST_TEST(live == 0);
  BOOST_TEST(given >= 1);
}

BOOST_AUTO_TEST_CASE(async_close_keeps_run_from_returning)
{
  asio::io_context context;
  support::ends pair = support::pipe_ends();
  support::close_watch watch(pair.near.get());
  watch.shut_gate();
  stream_descriptor d(context, pair.near.release());
  bool called = false;
  d.get_close_handle().async_close([&called](error_code) { called = true; });
  std::thread opener(
    [&watch]
    {
      watch.wait_arrived();
      watch.open_gate();
    });
  context.run();
  BOOST_TEST(called);
  opener.join();
}

BOOST_AUTO_TEST_CASE(a_future_is_given_the_outcome)
{
  support::loop loop;
  support::ends pair = support::pipe_ends();
  support::close_watch watch(pair.near.get());
  watch.report(EIO);
  stream_descriptor d(loop.context, pair.near.release());
  const close_handle h = d.get_close_handle();
  std::future<void> first = h.async_close(asio::use_future);
  BOOST_CHECK_EXCEPTION(first.get(), boost::system::system_error,
    [](const boost::system::system_error& e) { return e.code() == io_error; });
  d.assign(support::pipe_ends().near.release());
  h.async_close(asio::use_future).get();
  BOOST_TEST(!d.is_open());
}

#if BOOST_ASIO_VERSION >= 102400

// The operation holds a handle of its own.
BOOST_FIXTURE_TEST_CASE(a_lazy_operation_starts_when_it_is_called, scene)
{
  watch.report(EIO);
  std::optional<local::socket> s(open());
  std::optional<close_handle> h(s->get_close_handle());
  auto operation = h->async_close(asio::deferred);
  auto later = h->async_close(asio::deferred);
  h.reset();
  BOOST_TEST(s->is_open());
  local::socket moved(std::move(*s));
  s.reset();
  std::move(operation)(tally(support::into(closed)));
  BOOST_TEST(!moved.is_open());
  check_closed_once(moved);
  BOOST_TEST(closed == io_error);
  closed = not_called;
  std::move(later)(tally(support::into(closed)));
  context.restart();
  context.run();
  BOOST_TEST(closed == io_error);
}

#endif

// --- Threads.

// Half of them only close, the others want to know: one close(2), one outcome.
BOOST_AUTO_TEST_CASE(a_hundred_threads_are_served_by_one_close)
{
  const support::census fds;
  const std::size_t strays = support::stray_closes();
  for (int round = 0; round != 5; ++round)
  {
    constexpr int threads = 100;
    support::loop loop(2);
    support::ends pair = support::unix_ends();
    support::close_watch watch(pair.near.get());
    watch.report(EIO);
    support::handler_tally tally;
    std::vector<error_code> outcomes(threads, not_called);
    {
      local::socket s(loop.context, local(), pair.near.release());
      const close_handle h = s.get_close_handle();
      at_once(threads,
        [&](int i)
        {
          const close_handle own = h;
          if (i % 2)
            own.async_close(tally(support::into(outcomes[static_cast<std::size_t>(i)])));
          else
            own.close();
        });
      BOOST_TEST(!s.is_open());
    }
    loop.join();
    BOOST_TEST(tally.made() == threads / 2);
    BOOST_TEST(tally.all_called());
    for (std::size_t i = 1; i < outcomes.size(); i += 2)
      BOOST_TEST(outcomes[i] == io_error);
    BOOST_TEST(watch.arrived() == 1u);
  }
  BOOST_TEST(fds.restored());
  BOOST_TEST(support::stray_closes() == strays);
}

// The owner goes on moving until the close has come.
BOOST_AUTO_TEST_CASE(it_closes_while_the_owner_moves_the_object_a_million_times)
{
  asio::io_context context;
  support::ends pair = support::unix_ends();
  support::close_watch watch(pair.near.get());
  local::socket home(context, local(), pair.near.release());
  const close_handle h = home.get_close_handle();
  std::atomic<int> moves{0};
  std::atomic<bool> closed{false};
  std::thread owner(
    [&]
    {
      local::socket away(context);
      while (moves.load() < many_moves || !closed)
      {
        away = std::move(home);
        home = std::move(away);
        moves += 2;
      }
    });
  BOOST_TEST(support::wait_until([&] { return moves.load() > 1000; }));
  h.close();
  closed = true;
  owner.join();
  BOOST_TEST(moves.load() >= many_moves);
  BOOST_TEST(!home.is_open());
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(watch.arrived() == 1u);
}

// Every move is into a new object; the owner opens it again when it finds it closed.
BOOST_AUTO_TEST_CASE(closes_of_a_moving_object_that_is_opened_again_are_all_served)
{
  const support::census fds;
  const std::size_t strays = support::stray_closes();
  {
    support::loop loop;
    support::handler_tally tally;
    std::atomic<int> failures{0};
    auto s = std::make_unique<local::socket>(
      loop.context, local(), support::unix_ends().near.release());
    const close_handle h = s->get_close_handle();
    std::atomic<bool> over{false};
    std::atomic<int> closes{0};
    std::thread close_waiter(
      [&]
      {
        while (!over)
        {
          h.async_close(tally([&](error_code ec) { failures += ec ? 1 : 0; }));
          h.close();
          closes += 2;
          // Not more handlers than the loop can serve.
          support::wait_until([&] { return tally.made() - tally.ended() < 100; });
        }
      });
    for (int i = 0; i < rounds || closes < 10; ++i)
    {
      s = std::make_unique<local::socket>(std::move(*s));
      if (!s->is_open())
        s->assign(local(), support::unix_ends().near.release());
    }
    over = true;
    close_waiter.join();
    h.close();
    BOOST_TEST(!s->is_open());
    loop.join();
    BOOST_TEST(failures == 0);
    BOOST_TEST(tally.all_called());
  }
  BOOST_TEST(fds.restored());
  BOOST_TEST(support::stray_closes() == strays);
}

BOOST_AUTO_TEST_CASE(it_may_race_with_the_destructor)
{
  const support::census fds;
  const std::size_t strays = support::stray_closes();
  {
    support::loop loop;
    support::handler_tally tally;
    std::atomic<int> failures{0};
    for (int i = 0; i != rounds; ++i)
    {
      std::optional<local::socket> s(
        std::in_place, loop.context, local(), support::unix_ends().near.release());
      const close_handle h = s->get_close_handle();
      char buffer[8];
      s->async_read_some(asio::buffer(buffer), tally([](error_code, std::size_t) {}));
      at_once(2,
        [&](int side)
        {
          if (side == 0)
            s.reset();
          else if (i % 2)
            h.close();
          else
            h.async_close(tally([&](error_code ec) { failures += ec ? 1 : 0; }));
        });
      support::wait_until([&] { return tally.all_ended(); });
    }
    loop.join();
    BOOST_TEST(tally.all_called());
    BOOST_TEST(failures == 0);
  }
  BOOST_TEST(fds.restored());
  BOOST_TEST(support::stray_closes() == strays);
}

BOOST_AUTO_TEST_CASE(it_may_race_with_a_plain_move)
{
  const support::census fds;
  const std::size_t strays = support::stray_closes();
  int open = 0;
  {
    support::loop loop;
    support::handler_tally tally;
    for (int i = 0; i != rounds; ++i)
    {
      local::socket from(loop.context, local(), support::unix_ends().near.release());
      local::socket to(loop.context);
      const close_handle h = from.get_close_handle();
      at_once(2,
        [&](int side)
        {
          if (side == 0)
            to = std::move(from);
          else if (i % 2)
            h.close();
          else
            h.async_close(tally([](error_code) {}));
        });
      open += to.is_open() ? 1 : 0;
    }
    loop.join();
    BOOST_TEST(tally.all_called());
  }
  BOOST_TEST(open == 0);
  BOOST_TEST(fds.restored());
  BOOST_TEST(support::stray_closes() == strays);
}

BOOST_AUTO_TEST_CASE(handles_may_be_made_while_the_object_is_used)
{
  support::loop loop;
  local::socket s(loop.context);
  support::handler_tally tally;
  std::atomic<int> failures{0};
  at_once(4,
    [&](int side)
    {
      for (int i = 0; i != 300; ++i)
      {
        const close_handle h = s.get_close_handle();
        error_code ec;
        if (side == 0)
          s.open(local(), ec);
        else if (side == 1)
          h.close();
        else
          h.async_close(tally([&](error_code e) { failures += e ? 1 : 0; }));
      }
    });
  s.close();
  loop.join();
  BOOST_TEST(tally.all_called());
  BOOST_TEST(failures == 0);
}

BOOST_AUTO_TEST_SUITE_END()
