// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A tenure with a pipe's descriptor, driven by hand. In the end its object goes, and then it must be
// detached, closed and freed, once each, with every descriptor gone.

#ifndef INTERLOCK_TEST_SUPPORT_TENURE_FIXTURE_HPP
#define INTERLOCK_TEST_SUPPORT_TENURE_FIXTURE_HPP

#include <memory>
#include <thread>
#include <utility>

#include <boost/test/unit_test.hpp>

#include <interlock/detail/closing/context_state.hpp>
#include <interlock/detail/tenure/guards.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

#include "census.hpp"
#include "descriptor_pairs.hpp"
#include "fake_close_waiter.hpp"
#include "fake_tenure.hpp"
#include "wait_until.hpp"

namespace support {

/// Runs `f` in another thread, and returns which that was.
template <class Function>
std::thread::id elsewhere(Function f)
{
  std::thread t(std::move(f));
  const std::thread::id id = t.get_id();
  t.join();
  return id;
}

/// What a closer does first: it enters, and begins a close or joins one.
inline interlock::detail::duty start_close(
  interlock::detail::tenure_base& t, bool flush = false) noexcept
{
  const interlock::detail::duty entered = t.enter_to_close();
  return entered == interlock::detail::duty::none ? t.begin_close(flush) : entered;
}

struct tenure_fixture
{
  using phase = interlock::detail::phase;
  using duty = interlock::detail::duty;
  using handler_count = interlock::detail::handler_count;

  census before;
  tenure_record record;
  interlock::detail::context_state_pointer shared{new interlock::detail::context_state, false};
  fake_tenure* tenure = new fake_tenure(shared, record);
  fd far;
  int opened = -1;

  tenure_fixture()
  {
    BOOST_TEST_REQUIRE(shared->add(*tenure));
    open();
  }

  ~tenure_fixture()
  {
    destroy_object();
    BOOST_TEST(wait_until([this] { return record.frees != 0; }));
    BOOST_TEST(record.frees == 1);
    BOOST_TEST(record.context_drops >= 1);
    BOOST_TEST(record.steps.size() == 0u);
    shared->shut_down(patience);
    shared.reset();
    far.reset();
    BOOST_TEST(before.restored());
  }

  void open()
  {
    ends pipe = pipe_ends();
    opened = pipe.near.get();
    far = std::move(pipe.far);
    tenure->put(pipe.near.release());
    tenure->publish();
  }

  /// As the object does when it is destroyed.
  void destroy_object()
  {
    fake_tenure* t = std::exchange(tenure, nullptr);
    if (!t)
      return;
    t->demand_detach();
    t->disown();
  }

  bool is(phase p) const
  {
    return tenure->current_phase() == p;
  }

  bool becomes(phase p) const
  {
    return wait_until([this, p] { return is(p); });
  }

  /// Whether the tenure can be used again: the thread that finishes is still inside for a moment.
  bool recycles() const
  {
    return wait_until([this] { return tenure->recycle(); });
  }

  /// Whether the other end of the pipe finds this one closed.
  bool closes() const
  {
    return wait_until([this] { return hung_up(far); });
  }

  /// The first async_close, up to the strand's step; what it returns goes with that.
  handler_count begin_close(interlock::detail::close_waiter& c)
  {
    BOOST_TEST_REQUIRE((start_close(*tenure) == duty::none));
    handler_count step(*tenure);
    const handler_count own(*tenure);
    BOOST_TEST(tenure->add_close_waiter(c));
    tenure->leave();
    return step;
  }

  /// A write whose initiating function has returned.
  void begin_write()
  {
    BOOST_TEST_REQUIRE((tenure->enter_with_write() == duty::none));
    tenure->leave();
  }

  /// The first close of those that deliver, while writes are outstanding.
  void begin_flush(interlock::detail::close_waiter& c)
  {
    BOOST_TEST_REQUIRE((start_close(*tenure, true) == duty::flush));
    const handler_count step(*tenure);
    const handler_count own(*tenure);
    BOOST_TEST(tenure->add_close_waiter(c));
    tenure->leave();
  }

  static void make_step(handler_count t)
  {
    const handler_count own(std::move(t));
    own.tenure()->demand_detach();
  }

  /// Another async_close. False: the close is over.
  bool join_close(interlock::detail::close_waiter& c)
  {
    BOOST_TEST_REQUIRE((start_close(*tenure) == duty::join));
    const bool joined = tenure->add_close_waiter(c);
    tenure->leave();
    return joined;
  }

  bool wait_posted() const
  {
    return wait_until([this] { return record.steps.size() == 1; });
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_TENURE_FIXTURE_HPP
