// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// While a lease lasts the descriptor it names stays open, and no other code gets it. A close detaches at once;
// close(2), and the completion of async_close, wait for the last lease, though object and context are
// gone.

#include <interlock/fd_lease.hpp>

#include <interlock/close_handle.hpp>
#include <interlock/error.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <atomic>
#include <cerrno>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/test/unit_test.hpp>

#include "support/blocking_subjects.hpp"
#include "support/census.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/refusals.hpp"
#include "support/sync_support.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::fd_lease;
using interlock::ip::tcp;
using interlock::posix::stream_descriptor;
using local = interlock::local::stream_protocol;
using support::aborted;
using support::bad_descriptor;
using support::success;
using support::throws;

namespace {

const error_code in_use = interlock::error::in_use;
const error_code not_called = asio::error::fault;
const error_code io_error(EIO, boost::system::system_category());

static_assert(std::is_nothrow_default_constructible<fd_lease>::value, "kept in containers");
static_assert(std::is_nothrow_move_constructible<fd_lease>::value, "kept in containers");
static_assert(std::is_nothrow_move_assignable<fd_lease>::value, "kept in containers");
static_assert(!std::is_copy_constructible<fd_lease>::value, "each is counted");

/// An open socket with a watch on its descriptor, and what is done with it.
struct scene
{
  support::census fds;
  std::optional<asio::io_context> context{std::in_place};
  support::ends pair = support::unix_ends();
  const int opened = pair.near.get();
  const std::string file = support::referred_to(opened);
  support::close_watch watch{opened};
  std::optional<local::socket> object{std::in_place, *context, local(), pair.near.release()};
  support::handler_tally tally;
  error_code read = not_called;
  error_code closed = not_called;
  char buffer[8] = {};

  ~scene()
  {
    object.reset();
    if (context)
      run();
    context.reset();
    BOOST_TEST(watch.wait_closed());
    BOOST_TEST(watch.arrived() == 1u);
    BOOST_TEST(tally.all_ended());
    pair.far.reset();
    BOOST_TEST(fds.restored());
  }

  void run()
  {
    context->restart();
    context->run();
  }

  void start_read()
  {
    object->async_read_some(asio::buffer(buffer), tally(support::into(read)));
  }

  /// Whether the descriptor is still what has been opened, and not on its way to be closed.
  bool is_kept() const
  {
    return support::referred_to(opened) == file && watch.arrived() == 0;
  }

  /// Whether no reactor entry of the descriptor is left: another object of the context can have it.
  bool is_unregistered()
  {
    asio::posix::stream_descriptor other(*context);
    error_code ec;
    other.assign(opened, ec);
    other.release();
    return !ec;
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_lease)

// --- Whether there is one.

BOOST_AUTO_TEST_CASE(a_default_constructed_lease_is_empty)
{
  fd_lease lease;
  BOOST_TEST(!lease);
  BOOST_TEST(lease.get() == -1);
  lease.reset();
  BOOST_TEST(!lease);
}

BOOST_AUTO_TEST_CASE(an_object_that_is_not_open_gives_an_empty_lease)
{
  support::losing_nothing(
    [](asio::io_context& context)
    {
      tcp::socket s(context);
      BOOST_TEST(!s.lease());
      s.open(tcp::v4());
      BOOST_TEST(!!s.lease());
      s.close();
      const fd_lease lease = s.lease();
      BOOST_TEST(!lease);
      BOOST_TEST(lease.get() == -1);
      tcp::socket moved(std::move(s));
      BOOST_TEST(!s.lease());
    });
}

BOOST_FIXTURE_TEST_CASE(a_closing_object_gives_an_empty_lease, scene)
{
  object->async_close(tally(support::into(closed)));
  BOOST_TEST(!object->lease());
  run();
  BOOST_TEST(closed == success);
}

BOOST_AUTO_TEST_CASE(every_kind_of_object_gives_leases)
{
  support::losing_nothing(
    [](asio::io_context& context)
    {
      tcp::acceptor acceptor(context, support::any_local_port());
      stream_descriptor d(context, support::pipe_ends().near.release());
      fd_lease of_acceptor = acceptor.lease();
      fd_lease of_descriptor = d.lease();
      BOOST_TEST(of_acceptor.get() == acceptor.native_handle());
      BOOST_TEST(of_descriptor.get() == d.native_handle());
      // Does not wait for the lease, although it waits for a thread inside.
      acceptor.close();
      d.close();
      BOOST_TEST(support::is_fd_open(of_acceptor.get()));
      BOOST_TEST(support::is_fd_open(of_descriptor.get()));
    });
}

// --- What it does to a close.

BOOST_FIXTURE_TEST_CASE(the_descriptor_is_valid_although_the_object_is_closed, scene)
{
  fd_lease lease = object->lease();
  BOOST_TEST(lease.get() == opened);
  object->close();
  BOOST_TEST(!object->is_open());
  BOOST_TEST(object->native_handle() == -1);
  run();
  BOOST_TEST(is_kept());
  BOOST_TEST(::write(lease.get(), "hello", 5) == 5);
  BOOST_TEST(support::drain(pair.far) == 5u);
  lease.reset();
  BOOST_TEST(lease.get() == -1);
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST((watch.close_waiter() == std::this_thread::get_id()));
}

BOOST_FIXTURE_TEST_CASE(close2_waits_for_the_last_of_several_leases, scene)
{
  std::vector<fd_lease> leases;
  for (int i = 0; i != 5; ++i)
    leases.push_back(object->lease());
  object->close();
  while (leases.size() > 1)
  {
    leases.erase(leases.begin());
    BOOST_TEST(is_kept());
  }
  BOOST_TEST(leases.front().get() == opened);
  leases.clear();
  BOOST_TEST(watch.wait_closed());
}

BOOST_FIXTURE_TEST_CASE(async_close_completes_only_after_the_last_lease, scene)
{
  watch.report(EIO);
  fd_lease first = object->lease();
  fd_lease second = object->lease();
  object->async_close(tally(support::into(closed)));
  error_code joined = not_called;
  object->get_close_handle().async_close(tally(support::into(joined)));
  support::turn(*context);
  first.reset();
  support::turn(*context);
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(is_kept());
  second.reset();
  run();
  BOOST_TEST(closed == io_error);
  BOOST_TEST(joined == io_error);
}

BOOST_FIXTURE_TEST_CASE(a_lease_that_ended_before_the_close_delays_nothing, scene)
{
  object->lease();
  fd_lease lease = object->lease();
  lease.reset();
  lease.reset();
  object->async_close(tally(support::into(closed)));
  run();
  BOOST_TEST(closed == success);
}

BOOST_FIXTURE_TEST_CASE(
  operations_are_aborted_at_once_and_the_reactor_forgets_the_descriptor, scene)
{
  start_read();
  const fd_lease lease = object->lease();
#if defined(BOOST_ASIO_HAS_EPOLL)
  BOOST_TEST(!is_unregistered());
#endif
  object->close();
  BOOST_TEST(is_unregistered());
  support::turn(*context);
  BOOST_TEST(read == aborted);
  BOOST_TEST(tally.all_called());
  BOOST_TEST(is_kept());
}

BOOST_FIXTURE_TEST_CASE(by_async_close_the_descriptor_is_detached_at_once_too, scene)
{
  start_read();
  const fd_lease lease = object->lease();
  object->async_close(tally(support::into(closed)));
  support::turn(*context);
  BOOST_TEST(is_unregistered());
  BOOST_TEST(read == aborted);
  BOOST_TEST(closed == not_called);
  BOOST_TEST(is_kept());
}

BOOST_FIXTURE_TEST_CASE(a_blocked_call_is_woken_although_there_is_a_lease, scene)
{
  const fd_lease lease = object->lease();
  support::call_in_thread blocked(
    [this]
    {
      support::outcome o;
      o.bytes = object->read_some(asio::buffer(buffer), o.ec);
      return o;
    });
  BOOST_TEST_REQUIRE(blocked.blocks());
  object->close();
  BOOST_TEST(blocked.get().ec == aborted);
  BOOST_TEST(is_kept());
}

BOOST_FIXTURE_TEST_CASE(a_lease_ends_nothing_of_an_open_object, scene)
{
  start_read();
  {
    const fd_lease lease = object->lease();
    BOOST_TEST(!!lease);
  }
  support::send_text(pair.far, "x");
  run();
  BOOST_TEST(read == success);
  BOOST_TEST(object->is_open());
}

// --- What it outlives.

BOOST_FIXTURE_TEST_CASE(it_outlives_its_object, scene)
{
  start_read();
  fd_lease lease = object->lease();
  object.reset();
  run();
  BOOST_TEST(read == aborted);
  BOOST_TEST(is_kept());
  lease.reset();
  BOOST_TEST(watch.wait_closed());
}

BOOST_FIXTURE_TEST_CASE(it_outlives_object_and_context, scene)
{
  fd_lease lease = object->lease();
  object->async_close(tally(support::into(closed)));
  object.reset();
  context.reset();
  BOOST_TEST(tally.all_ended());
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(is_kept());
  lease.reset();
  // There is no worker any more.
  BOOST_TEST(watch.closed() == 1u);
}

BOOST_FIXTURE_TEST_CASE(it_outlives_a_context_that_the_object_outlives_too, scene)
{
  fd_lease lease = object->lease();
  context.reset();
  BOOST_TEST(!object->is_open());
  BOOST_TEST(!object->lease());
  BOOST_TEST(is_kept());
  lease.reset();
  BOOST_TEST(watch.closed() == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_object_that_is_assigned_to_leaves_its_descriptor_to_the_lease, scene)
{
  fd_lease lease = object->lease();
  *object = local::socket(*context, local(), support::unix_ends().near.release());
  BOOST_TEST(object->is_open());
  BOOST_TEST(is_kept());
  BOOST_TEST(object->native_handle() != opened);
}

BOOST_FIXTURE_TEST_CASE(it_goes_on_when_its_object_is_moved, scene)
{
  fd_lease lease = object->lease();
  local::socket moved(std::move(*object));
  BOOST_TEST(moved.native_handle() == lease.get());
  moved.close();
  BOOST_TEST(is_kept());
}

// --- What it refuses.

BOOST_FIXTURE_TEST_CASE(release_fails_while_there_is_a_lease, scene)
{
  start_read();
  fd_lease lease = object->lease();
  error_code ec;
  BOOST_TEST(object->release(ec) == -1);
  BOOST_TEST(ec == in_use);
  throws("release", in_use, [&] { object->release(); });
  BOOST_TEST(object->is_open());
  support::send_text(pair.far, "x");
  run();
  BOOST_TEST(read == success);
  lease.reset();
  const int released = object->release(ec);
  BOOST_TEST(ec == success);
  BOOST_TEST(released == opened);
  ::close(released);
}

BOOST_AUTO_TEST_CASE(release_of_a_descriptor_fails_while_there_is_a_lease)
{
  support::losing_nothing(
    [](asio::io_context& context)
    {
      stream_descriptor d(context, support::pipe_ends().near.release());
      fd_lease lease = d.lease();
      error_code ec;
      BOOST_TEST(d.release(ec) == -1);
      BOOST_TEST(ec == in_use);
      throws("release", in_use, [&] { d.release(); });
      throws("move", in_use, [&] { d.to_asio(); });
      BOOST_TEST(d.is_open());
      lease.reset();
      BOOST_TEST(d.to_asio().is_open());
    });
}

BOOST_FIXTURE_TEST_CASE(a_move_to_another_type_is_refused_while_there_is_a_lease, scene)
{
  using narrow_socket = local::socket::rebind_executor<asio::io_context::executor_type>::other;
  support::ends other = support::unix_ends();
  narrow_socket from(*context, local(), other.near.release());
  fd_lease lease = from.lease();
  throws("move", in_use, [&] { local::socket to(std::move(from)); });
  throws("move", in_use, [&] { from.to_asio(); });
  BOOST_TEST(from.is_open());
  lease.reset();
  local::socket to(std::move(from));
  BOOST_TEST(to.is_open());
}

BOOST_FIXTURE_TEST_CASE(async_release_waits_for_the_lease, scene)
{
  start_read();
  fd_lease lease = object->lease();
  int fd = -2;
  object->async_release(tally(
    [&](error_code ec, int n)
    {
      closed = ec;
      fd = n;
    }));
  support::turn(*context);
  BOOST_TEST(read == aborted);
  BOOST_TEST(fd == -2);
  BOOST_TEST(is_kept());
  lease.reset();
  run();
  BOOST_TEST(closed == success);
  BOOST_TEST(fd == opened);
  BOOST_TEST(is_kept());
  ::close(fd);
}

// --- Threads, and other tenures.

BOOST_FIXTURE_TEST_CASE(it_may_end_in_another_thread, scene)
{
  fd_lease lease = object->lease();
  object->close();
  std::thread other(
    [own = std::move(lease), this]() mutable
    {
      support::wait_until([this] { return !object->is_open(); });
      own.reset();
    });
  const std::thread::id ender = other.get_id();
  other.join();
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST((watch.close_waiter() == ender));
}

// Each thread uses the descriptor as long as it has a lease; whichever thread is last, it is closed once.
BOOST_AUTO_TEST_CASE(leases_of_many_threads_race_with_closes)
{
  const support::census fds;
  const std::size_t strays = support::stray_closes();
  std::atomic<int> strangers{0};
  std::atomic<int> given{0};
  {
    support::loop loop;
    support::handler_tally tally;
    local::socket s(loop.context, local(), support::unix_ends().near.release());
    std::atomic<bool> over{false};
    std::vector<std::thread> threads;
    for (int i = 0; i != 3; ++i)
      threads.emplace_back(
        [&]
        {
          while (!over)
            if (const fd_lease lease = s.lease())
            {
              const std::string before = support::referred_to(lease.get());
              std::this_thread::yield();
              strangers += before.empty() || support::referred_to(lease.get()) != before ? 1 : 0;
              ++given;
            }
        });
    for (int i = 0; i != 500; ++i)
    {
      if (i % 2)
        s.close();
      else
        s.async_close(tally([](error_code) {}));
      s.assign(local(), support::unix_ends().near.release());
    }
    BOOST_TEST(support::wait_until([&] { return given > 0; }));
    over = true;
    for (std::thread& t : threads)
      t.join();
    s.close();
    loop.join();
    BOOST_TEST(tally.all_called());
  }
  BOOST_TEST(strangers == 0);
  BOOST_TEST(fds.restored());
  BOOST_TEST(support::stray_closes() == strays);
}

// The old descriptor is not free yet, so that the new one is another, and each lease keeps its own.
BOOST_FIXTURE_TEST_CASE(an_object_opened_again_is_leased_beside_its_former_descriptor, scene)
{
  fd_lease former = object->lease();
  object->close();
  support::ends again = support::unix_ends();
  support::close_watch next(again.near.get());
  object->assign(local(), again.near.release());
  fd_lease latter = object->lease();
  BOOST_TEST(latter.get() != former.get());
  BOOST_TEST(is_kept());
  former.reset();
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(next.arrived() == 0u);
  object->close();
  BOOST_TEST(next.arrived() == 0u);
  latter.reset();
  BOOST_TEST(next.wait_closed());
  BOOST_TEST(next.arrived() == 1u);
}

BOOST_AUTO_TEST_CASE(closers_of_each_tenure_wait_for_their_own_leases)
{
  support::losing_nothing(
    [](asio::io_context& context)
    {
      support::handler_tally tally;
      error_code first = not_called;
      error_code second = not_called;
      stream_descriptor d(context, support::pipe_ends().near.release());
      fd_lease former = d.lease();
      d.async_close(tally(support::into(first)));
      d.assign(support::pipe_ends().near.release());
      fd_lease latter = d.lease();
      d.async_close(tally(support::into(second)));
      support::turn(context);
      BOOST_TEST(tally.called() == 0);
      latter.reset();
      BOOST_TEST(support::wait_until([&] { return support::turn(context), second != not_called; }));
      BOOST_TEST(second == success);
      BOOST_TEST(first == not_called);
      former.reset();
      context.restart();
      context.run();
      BOOST_TEST(first == success);
    });
}

// --- Moves of the lease.

BOOST_FIXTURE_TEST_CASE(a_move_takes_the_lease_along, scene)
{
  fd_lease from = object->lease();
  fd_lease to(std::move(from));
  BOOST_TEST(!from);
  BOOST_TEST(from.get() == -1);
  BOOST_TEST(to.get() == opened);
  object->close();
  from.reset();
  BOOST_TEST(is_kept());
  to.reset();
  BOOST_TEST(watch.wait_closed());
}

BOOST_FIXTURE_TEST_CASE(a_move_assignment_ends_the_lease_held_before, scene)
{
  support::ends other = support::unix_ends();
  support::close_watch of_other(other.near.get());
  local::socket second(*context, local(), other.near.release());
  fd_lease lease = object->lease();
  fd_lease of_second = second.lease();
  object->close();
  second.close();
  lease = std::move(of_second);
  BOOST_TEST(!of_second);
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(of_other.arrived() == 0u);
  lease = fd_lease();
  BOOST_TEST(!lease);
  BOOST_TEST(of_other.wait_closed());
  BOOST_TEST(of_other.arrived() == 1u);
}

BOOST_FIXTURE_TEST_CASE(moved_to_itself_the_lease_goes_on, scene)
{
  fd_lease lease = object->lease();
  fd_lease& same = lease;
  lease = std::move(same);
  BOOST_TEST(lease.get() == opened);
  object->close();
  BOOST_TEST(is_kept());
}

BOOST_AUTO_TEST_SUITE_END()
