// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// async_release gives the descriptor to its caller, open, when nothing can touch it any more: after the
// handlers, the blocked calls and the leases. A descriptor that cannot be delivered is closed, once.

#include "support/prelude.hpp"

#include "support/scene.hpp"

using namespace support;

namespace {

constexpr int no_call = -2;

/// What a caller of async_release was told. It owns the descriptor.
struct delivery
{
  error_code ec = not_called;
  int fd = no_call;
  support::fd owned;

  auto handler()
  {
    return [this](error_code e, int n)
    {
      ec = e;
      fd = n;
      owned.reset(n);
    };
  }

  void check_refused() const
  {
    BOOST_TEST(ec == bad_descriptor);
    BOOST_TEST(fd == -1);
  }
};

/// Nothing closes the descriptor but the test.
struct releasing : scene
{
  delivery first;
  delivery second;

  ~releasing()
  {
    object.reset();
    finish();
  }

  void release(delivery& d)
  {
    object->async_release(tally(d.handler()));
  }

  void check_delivered(const delivery& d)
  {
    BOOST_TEST(d.ec == success);
    BOOST_TEST(d.fd == opened);
    BOOST_TEST(is_kept());
    BOOST_TEST(!hung_up(pair.far));
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_async_release, releasing)

// --- What is delivered.

BOOST_AUTO_TEST_CASE(the_descriptor_is_delivered_open_and_usable)
{
  release(first);
  BOOST_TEST(!object->is_open());
  BOOST_TEST(object->native_handle() == -1);
  BOOST_TEST(tally.called() == 0);
  run();
  check_delivered(first);
  BOOST_TEST(::write(first.fd, "hello", 5) == 5);
  BOOST_TEST(drain(pair.far) == 5u);
  BOOST_TEST(is_unregistered());
}

BOOST_AUTO_TEST_CASE(the_object_may_be_opened_again_with_the_descriptor)
{
  release(first);
  run();
  object->assign(local(), first.owned.release());
  start_read();
  send_text(pair.far, "x");
  run();
  BOOST_TEST(read == success);
  BOOST_TEST(object->native_handle() == opened);
}

BOOST_AUTO_TEST_CASE(the_handlers_of_operations_come_first)
{
  asio::io_context idle;
  object->async_read_some(
    asio::buffer(buffer), asio::bind_executor(idle.get_executor(), tally(into(read))));
  release(first);
  // Handed over to the idle context when this has run.
  BOOST_TEST(run_until([&] { return idle.poll_one() == 1; }));
  BOOST_TEST(read == aborted);
  BOOST_TEST(first.fd == no_call);
  run();
  check_delivered(first);
}

BOOST_AUTO_TEST_CASE(a_blocked_call_is_woken_and_waited_for)
{
  call_in_thread blocked([this] { return read_some(*object); });
  BOOST_TEST_REQUIRE(blocked.blocks());
  error_code ec;
  BOOST_TEST(object->release(ec) == -1);
  BOOST_TEST(ec == in_use);
  release(first);
  run();
  check_delivered(first);
  BOOST_TEST(blocked.get().ec == aborted);
}

BOOST_AUTO_TEST_CASE(it_may_be_called_inside_a_handler_of_the_object)
{
  object->async_read_some(asio::buffer(buffer),
    tally(
      [this](error_code ec, std::size_t)
      {
        read = ec;
        release(first);
        BOOST_TEST(first.fd == no_call);
      }));
  send_text(pair.far, "x");
  run();
  BOOST_TEST(read == success);
  check_delivered(first);
}

BOOST_AUTO_TEST_CASE(the_descriptor_is_delivered_although_the_object_is_gone)
{
  start_read();
  release(first);
  object.reset();
  run();
  BOOST_TEST(read == aborted);
  check_delivered(first);
}

BOOST_AUTO_TEST_CASE(the_descriptor_is_delivered_although_the_object_is_moved)
{
  release(first);
  local::socket moved(std::move(*object));
  run();
  check_delivered(first);
  BOOST_TEST(!moved.is_open());
}

// --- Where there is nothing to be released.

BOOST_AUTO_TEST_CASE(an_object_that_is_not_open_has_no_descriptor)
{
  tcp::socket never_opened(*context);
  never_opened.async_release(tally(first.handler()));
  object->close();
  BOOST_TEST(watch.wait_closed());
  release(second);
  BOOST_TEST(tally.called() == 0);
  run();
  first.check_refused();
  second.check_refused();
}

BOOST_AUTO_TEST_CASE(a_released_object_has_no_descriptor)
{
  second.owned.reset(object->release());
  release(first);
  run();
  first.check_refused();
  BOOST_TEST(second.owned.get() == opened);
}

// close(2) reports an error: that is for the callers that asked for the close.
BOOST_AUTO_TEST_CASE(a_close_that_is_under_way_keeps_the_descriptor_and_its_outcome)
{
  watch.report(EIO);
  watch.shut_gate();
  close();
  release(first);
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(run_until([this] { return watch.arrived() == 1; }));
  release(second);
  BOOST_TEST(run_until([this] { return first.fd != no_call && second.fd != no_call; }));
  first.check_refused();
  second.check_refused();
  watch.open_gate();
  run();
  BOOST_TEST(closed == io_error);
}

// --- What comes after.

BOOST_AUTO_TEST_CASE(what_comes_after_it_does_not_get_the_descriptor)
{
  start_read();
  release(first);
  release(second);
  close();
  object->close();
  object->retire();
  run();
  check_delivered(first);
  second.check_refused();
  BOOST_TEST(closed == success);
  delivery late;
  release(late);
  BOOST_TEST(ask(*object) == success);
  late.check_refused();
  error_code ec;
  object->assign(local(), first.fd, ec);
  BOOST_TEST(ec == retired);
  check_delivered(first);
}

BOOST_AUTO_TEST_CASE(an_object_opened_again_meanwhile_has_another_descriptor)
{
  release(first);
  reopen();
  const int next = object->native_handle();
  release(second);
  run();
  check_delivered(first);
  BOOST_TEST(second.ec == success);
  BOOST_TEST(second.fd == next);
}

// A context that no thread runs: the descriptor is out of the reactor all the same, and waits for its handler.
BOOST_AUTO_TEST_CASE(in_a_context_that_is_not_run_the_descriptor_is_detached_too)
{
  release(first);
  BOOST_TEST(wait_until([this] { return is_unregistered(); }));
  BOOST_TEST(first.fd == no_call);
  run();
  check_delivered(first);
}

// --- Handlers that are not called.

BOOST_AUTO_TEST_CASE(with_the_objects_context_the_descriptor_is_closed)
{
  start_read();
  release(first);
  context.reset();
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(tally.all_ended());
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(first.fd == no_call);
}

// Detached by then; the worker is about to say so, or has just said it. Whichever thread finds the context
// going down, the handler is destroyed with the context, and not by the worker.
BOOST_AUTO_TEST_CASE(after_the_detach_too_the_descriptor_is_closed_with_the_context)
{
  int not_closed = 0;
  for (int i = 0; i != 2000; ++i)
  {
    ends other = unix_ends();
    std::optional<asio::io_context> ending(std::in_place);
    local::socket s(*ending, local(), other.near.release());
    s.async_release(tally([](error_code, int) {}));
    ending->poll_one();
    ending.reset();
    not_closed += wait_until([&other] { return hung_up(other.far); }) ? 0 : 1;
  }
  context.reset();
  BOOST_TEST(not_closed == 0);
  BOOST_TEST(tally.called() == 0);
}

BOOST_AUTO_TEST_CASE(with_the_context_of_the_handler_the_descriptor_is_closed)
{
  handler_tally there;
  std::optional<asio::io_context> other(std::in_place);
  object->async_release(asio::bind_executor(other->get_executor(), there(first.handler())));
  run();
  BOOST_TEST(watch.arrived() == 0u);
  other.reset();
  BOOST_TEST(there.called() == 0);
  BOOST_TEST(there.all_ended());
  BOOST_TEST(watch.wait_closed());
}

// The lease is the last to keep it, and closes it.
BOOST_AUTO_TEST_CASE(a_leased_descriptor_whose_handler_is_gone_is_closed_after_the_lease)
{
  interlock::fd_lease lease = object->lease();
  release(first);
  object.reset();
  context.reset();
  BOOST_TEST(tally.all_ended());
  BOOST_TEST(is_kept());
  lease.reset();
  BOOST_TEST(watch.closed() == 1u);
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_has_had_the_descriptor)
{
  object->async_release(tally(
    [this](error_code, int n)
    {
      first.owned.reset(n);
      throw std::runtime_error("of the handler");
    }));
  BOOST_CHECK_THROW(run(), std::runtime_error);
  BOOST_TEST(first.owned.get() == opened);
  BOOST_TEST(is_kept());
}

BOOST_AUTO_TEST_CASE(it_keeps_run_from_returning)
{
  std::optional<interlock::fd_lease> lease(object->lease());
  release(first);
  std::atomic<bool> running{false};
  asio::post(*context, [&running] { running = true; });
  std::thread ender(
    [&]
    {
      wait_until([&] { return running.load(); });
      lease.reset();
    });
  run();
  ender.join();
  check_delivered(first);
}

// --- Threads.

// One release gets the descriptor, the others are refused, and a close does not take it from that release or
// has come first.
BOOST_AUTO_TEST_CASE(releases_and_closes_race_for_one_descriptor)
{
  constexpr int threads = 4;
  for (int round = 0; round != 200; ++round)
  {
    loop loop;
    delivery got[threads];
    error_code outcome = not_called;
    local::socket s(loop.context, local(), unix_ends().near.release());
    const int descriptor = s.native_handle();
    close_watch watch_of_round(descriptor);
    at_once(threads,
      [&](int i)
      {
        if (i != 0)
          s.async_release(tally(got[i].handler()));
        else if (round % 2)
          s.async_close(tally(into(outcome)));
        else
          s.close();
      });
    BOOST_TEST(!s.is_open());
    loop.join();
    int delivered = 0;
    for (int i = 1; i != threads; ++i)
    {
      delivered += got[i].fd == descriptor && !got[i].ec ? 1 : 0;
      if (got[i].ec)
        got[i].check_refused();
    }
    BOOST_TEST(delivered <= 1);
    BOOST_TEST(outcome == (round % 2 ? success : not_called));
    if (delivered)
      BOOST_TEST(watch_of_round.arrived() == 0u);
    else
      BOOST_TEST(watch_of_round.wait_closed());
    for (delivery& d : got)
      d.owned.reset();
    BOOST_TEST(watch_of_round.arrived() == 1u);
  }
}

BOOST_AUTO_TEST_SUITE_END()
