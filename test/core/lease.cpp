// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// While a lease lasts the descriptor it names stays open, and no other code gets it. A close detaches at once;
// close(2), and the completion of async_close, wait for the last lease, though object and context are
// gone.

#include "support/prelude.hpp"

#include "support/blocking_subjects.hpp"
#include "support/refusals.hpp"
#include "support/scene.hpp"

using namespace support;
using interlock::fd_lease;

namespace {

static_assert(std::is_nothrow_default_constructible<fd_lease>::value, "kept in containers");
static_assert(std::is_nothrow_move_constructible<fd_lease>::value, "kept in containers");
static_assert(std::is_nothrow_move_assignable<fd_lease>::value, "kept in containers");
static_assert(!std::is_copy_constructible<fd_lease>::value, "each is counted");

/// However it is closed, nothing uses the descriptor any more but the lease.
template <class Close>
void check_detached_at_once(scene& s, Close close)
{
  s.start_read();
  const fd_lease lease = s.object->lease();
  call_in_thread blocked([&] { return read_some(*s.object); });
  BOOST_TEST_REQUIRE(blocked.blocks());
#if defined(BOOST_ASIO_HAS_EPOLL)
  BOOST_TEST(!s.is_unregistered());
#endif
  close();
  BOOST_TEST(blocked.get().ec == aborted);
  s.turn();
  BOOST_TEST(s.is_unregistered());
  BOOST_TEST(s.read == aborted);
  BOOST_TEST(s.closed == not_called);
  BOOST_TEST(s.is_kept());
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_lease, scene)

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
  tcp::socket s(*context);
  BOOST_TEST(!s.lease());
  s.open(tcp::v4());
  BOOST_TEST(!!s.lease());
  s.close();
  const fd_lease lease = s.lease();
  BOOST_TEST(!lease);
  BOOST_TEST(lease.get() == -1);
  tcp::socket moved(std::move(s));
  BOOST_TEST(!s.lease());
}

BOOST_AUTO_TEST_CASE(a_closing_object_gives_an_empty_lease)
{
  close();
  BOOST_TEST(!object->lease());
  run();
  BOOST_TEST(closed == success);
}

BOOST_AUTO_TEST_CASE(every_kind_of_object_gives_leases)
{
  tcp::acceptor acceptor(*context, any_local_port());
  stream_descriptor d(*context, pipe_ends().near.release());
  fd_lease of_acceptor = acceptor.lease();
  fd_lease of_descriptor = d.lease();
  BOOST_TEST(of_acceptor.get() == acceptor.native_handle());
  BOOST_TEST(of_descriptor.get() == d.native_handle());
  // Does not wait for the lease, although it waits for a thread inside.
  acceptor.close();
  d.close();
  BOOST_TEST(is_fd_open(of_acceptor.get()));
  BOOST_TEST(is_fd_open(of_descriptor.get()));
}

// --- What it does to a close.

BOOST_AUTO_TEST_CASE(the_descriptor_is_valid_although_the_object_is_closed)
{
  fd_lease lease = object->lease();
  BOOST_TEST(lease.get() == opened);
  object->close();
  BOOST_TEST(!object->is_open());
  BOOST_TEST(object->native_handle() == -1);
  run();
  BOOST_TEST(is_kept());
  BOOST_TEST(::write(lease.get(), "hello", 5) == 5);
  BOOST_TEST(drain(pair.far) == 5u);
  lease.reset();
  BOOST_TEST(lease.get() == -1);
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST((watch.close_waiter() == std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE(async_close_completes_only_after_the_last_lease)
{
  watch.report(EIO);
  fd_lease first = object->lease();
  fd_lease second = object->lease();
  close();
  error_code joined = not_called;
  object->get_close_handle().async_close(tally(into(joined)));
  turn();
  first.reset();
  turn();
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(is_kept());
  second.reset();
  run();
  BOOST_TEST(closed == io_error);
  BOOST_TEST(joined == io_error);
}

BOOST_AUTO_TEST_CASE(close_ends_every_use_at_once_but_the_lease)
{
  check_detached_at_once(*this, [this] { object->close(); });
}

BOOST_AUTO_TEST_CASE(async_close_ends_every_use_at_once_but_the_lease)
{
  check_detached_at_once(*this, [this] { close(); });
}

BOOST_AUTO_TEST_CASE(a_lease_ends_nothing_of_an_open_object)
{
  start_read();
  {
    const fd_lease lease = object->lease();
    BOOST_TEST(!!lease);
  }
  send_text(pair.far, "x");
  run();
  BOOST_TEST(read == success);
  BOOST_TEST(object->is_open());
}

// --- What it outlives.

BOOST_AUTO_TEST_CASE(it_outlives_its_object)
{
  start_read();
  const fd_lease lease = object->lease();
  object.reset();
  run();
  BOOST_TEST(read == aborted);
  BOOST_TEST(is_kept());
}

BOOST_AUTO_TEST_CASE(it_outlives_object_and_context)
{
  fd_lease lease = object->lease();
  close();
  object.reset();
  context.reset();
  BOOST_TEST(tally.all_ended());
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(is_kept());
  lease.reset();
  // There is no worker any more.
  BOOST_TEST(watch.closed() == 1u);
}

BOOST_AUTO_TEST_CASE(it_outlives_a_context_that_the_object_outlives_too)
{
  fd_lease lease = object->lease();
  context.reset();
  BOOST_TEST(!object->is_open());
  BOOST_TEST(!object->lease());
  BOOST_TEST(is_kept());
  lease.reset();
  BOOST_TEST(watch.closed() == 1u);
}

BOOST_AUTO_TEST_CASE(an_object_that_is_assigned_to_leaves_its_descriptor_to_the_lease)
{
  const fd_lease lease = object->lease();
  *object = local::socket(*context, local(), unix_ends().near.release());
  BOOST_TEST(object->is_open());
  BOOST_TEST(is_kept());
  BOOST_TEST(object->native_handle() != opened);
}

BOOST_AUTO_TEST_CASE(it_goes_on_when_its_object_is_moved)
{
  const fd_lease lease = object->lease();
  local::socket moved(std::move(*object));
  BOOST_TEST(moved.native_handle() == lease.get());
  moved.close();
  BOOST_TEST(is_kept());
}

// --- What it refuses. Moves to another type: conversions.cpp, to_asio.cpp.

BOOST_AUTO_TEST_CASE(release_fails_while_there_is_a_lease)
{
  start_read();
  fd_lease lease = object->lease();
  error_code ec;
  BOOST_TEST(object->release(ec) == -1);
  BOOST_TEST(ec == in_use);
  throws("release", in_use, [&] { object->release(); });
  BOOST_TEST(object->is_open());
  send_text(pair.far, "x");
  run();
  BOOST_TEST(read == success);
  lease.reset();
  const fd released(object->release(ec));
  BOOST_TEST(ec == success);
  BOOST_TEST(released.get() == opened);
}

BOOST_AUTO_TEST_CASE(async_release_waits_for_the_lease)
{
  start_read();
  fd_lease lease = object->lease();
  fd released;
  object->async_release(tally(
    [&](error_code ec, int n)
    {
      closed = ec;
      released.reset(n);
    }));
  turn();
  BOOST_TEST(read == aborted);
  BOOST_TEST(closed == not_called);
  BOOST_TEST(is_kept());
  lease.reset();
  run();
  BOOST_TEST(closed == success);
  BOOST_TEST(released.get() == opened);
  BOOST_TEST(is_kept());
}

// --- Threads, and other tenures.

BOOST_AUTO_TEST_CASE(it_may_end_in_another_thread)
{
  fd_lease lease = object->lease();
  object->close();
  std::thread other([own = std::move(lease)]() mutable { own.reset(); });
  const std::thread::id ender = other.get_id();
  other.join();
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST((watch.close_waiter() == ender));
}

// Each thread uses the descriptor as long as it has a lease; whichever thread is last, it is closed once.
BOOST_AUTO_TEST_CASE(leases_of_many_threads_race_with_closes)
{
  std::atomic<int> strangers{0};
  std::atomic<int> given{0};
  std::atomic<bool> over{false};
  const auto use = [&]
  {
    while (!over)
      if (const fd_lease lease = object->lease())
      {
        const std::string at_first = referred_to(lease.get());
        std::this_thread::yield();
        strangers += at_first.empty() || referred_to(lease.get()) != at_first ? 1 : 0;
        ++given;
      }
  };
  const auto close_again_and_again = [&]
  {
    for (int i = 0; i != 500; ++i)
    {
      if (i % 2)
        object->close();
      else
        object->async_close(tally([](error_code) {}));
      reopen();
    }
    wait_until([&] { return given > 0; });
    over = true;
  };
  at_once(5,
    [&](int i)
    {
      if (i == 0)
        close_again_and_again();
      else if (i == 1)
        run_until([&] { return over.load(); });
      else
        use();
    });
  BOOST_TEST(given > 0);
  BOOST_TEST(strangers == 0);
}

// The old descriptor is not free yet, so that the new one is another, and each lease keeps its own.
BOOST_AUTO_TEST_CASE(an_object_opened_again_is_leased_beside_its_former_descriptor)
{
  fd_lease former = object->lease();
  object->close();
  reopen();
  close_watch next(object->native_handle());
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
  error_code second = not_called;
  fd_lease former = object->lease();
  close();
  reopen();
  fd_lease latter = object->lease();
  object->async_close(tally(into(second)));
  turn();
  BOOST_TEST(tally.called() == 0);
  latter.reset();
  BOOST_TEST(run_until([&] { return second != not_called; }));
  BOOST_TEST(second == success);
  BOOST_TEST(closed == not_called);
  BOOST_TEST(is_kept());
  former.reset();
  run();
  BOOST_TEST(closed == success);
}

BOOST_AUTO_TEST_CASE(more_leases_than_can_be_counted_are_refused)
{
  constexpr std::size_t most = 1023;
  std::vector<fd_lease> leases;
  while (leases.size() <= most)
    leases.push_back(object->lease());
  BOOST_TEST(!!leases[most - 1]);
  BOOST_TEST(!leases[most]);
  leases.resize(1);
  BOOST_TEST(!!object->lease());
  object->close();
  BOOST_TEST(is_kept());
  leases.clear();
  BOOST_TEST(watch.closed() == 1u);
}

// --- Moves of the lease.

BOOST_AUTO_TEST_CASE(a_move_takes_the_lease_along)
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

BOOST_AUTO_TEST_CASE(a_move_assignment_ends_the_lease_held_before)
{
  local::socket second(*context, local(), unix_ends().near.release());
  close_watch of_other(second.native_handle());
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

BOOST_AUTO_TEST_CASE(moved_to_itself_the_lease_goes_on)
{
  fd_lease lease = object->lease();
  fd_lease& same = lease;
  lease = std::move(same);
  BOOST_TEST(lease.get() == opened);
  object->close();
  BOOST_TEST(is_kept());
}

BOOST_AUTO_TEST_SUITE_END()
