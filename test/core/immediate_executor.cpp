// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Handlers with an immediate executor, which Asio may call before the initiating function has
// returned: whatever they do to the object, the descriptor is kept until the initiation has left it.
// Boost 1.82 or later; empty before.

#include <interlock/detail/core/asio_features.hpp>

#if defined(INTERLOCK_HAS_IMMEDIATE_EXECUTORS)

#include "support/prelude.hpp"

#include <sys/types.h>

#include <boost/asio/bind_immediate_executor.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/system_executor.hpp>

#include "support/in_child.hpp"

using namespace support;

namespace {

struct fixture
{
  asio::io_context context;
  handler_tally tally;
  ends pair = unix_ends();
  close_watch watch{pair.near.get()};
  const int fd = pair.near.get();
  std::unique_ptr<local::socket> object = std::make_unique<local::socket>(
    context, local(), pair.near.release());
  char buffer[8] = {};

  ~fixture()
  {
    turn(context);
    BOOST_TEST(watch.wait_closed());
    BOOST_TEST(watch.closed() == 1u);
    BOOST_TEST(watch.by_worker());
    BOOST_TEST(tally.all_called());
    object.reset();
    pair.far.reset();
  }

  /// Calls `f` from inside the initiating function of a write.
  template <class Function>
  void inside_a_write(Function f)
  {
    bool called = false;
    object->async_write_some(asio::buffer(buffer),
      at_once(tally(
        [&called, f](error_code ec, std::size_t) mutable
        {
          BOOST_TEST(!ec);
          called = true;
          f();
        })));
    BOOST_TEST(called);
  }

  template <class Handler>
  static auto at_once(Handler handler)
  {
    return asio::bind_immediate_executor(asio::system_executor(), std::move(handler));
  }

  /// Closed as the object is, the descriptor is still what it was: the initiation is not over.
  void check_kept() const
  {
    BOOST_TEST(watch.arrived() == 0u);
    BOOST_TEST(::fcntl(fd, F_GETFD) >= 0);
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_immediate_executor, fixture)

BOOST_AUTO_TEST_CASE(a_close_inside_the_initiation_detaches_when_that_returns)
{
  inside_a_write(
    [this]
    {
      object->close();
      BOOST_TEST(!object->is_open());
      check_kept();
    });
  BOOST_TEST(watch.wait_closed());
}

BOOST_AUTO_TEST_CASE(an_async_close_inside_the_initiation_completes_afterwards)
{
  bool closed = false;
  inside_a_write(
    [&]
    {
      object->async_close(tally(
        [&](error_code ec)
        {
          BOOST_TEST(!ec);
          closed = true;
        }));
      check_kept();
    });
  BOOST_TEST(!closed);
  BOOST_TEST(wait_until([&] { return turn(context), closed; }));
}

BOOST_AUTO_TEST_CASE(a_close_of_another_thread_inside_the_initiation_does_not_wait_for_it)
{
  inside_a_write(
    [this]
    {
      std::thread other([this] { object->close(); });
      other.join();
      check_kept();
    });
}

// The child is inside as often as this thread is, and closes when it has left.
BOOST_AUTO_TEST_CASE(a_handler_may_fork_inside_the_initiation)
{
  ::pid_t child = -1;
  bool kept_in_child = false;
  inside_a_write(
    [&]
    {
      object->async_write_some(asio::buffer(buffer),
        at_once(tally(
          [&](error_code, std::size_t)
          {
            child = ::fork();
            if (child != 0)
              return;
            ::alarm(patience_with_child);
            context.notify_fork(asio::io_context::fork_child);
            object->close();
            kept_in_child = ::fcntl(fd, F_GETFD) >= 0;
          })));
    });
  if (child == 0)
    end_child(kept_in_child && ::fcntl(fd, F_GETFD) < 0);
  BOOST_TEST(was_well(child));
  object->close();
  BOOST_TEST(watch.wait_closed());
}

BOOST_AUTO_TEST_CASE(the_object_may_be_destroyed_inside_the_initiation)
{
  inside_a_write(
    [this]
    {
      object.reset();
      check_kept();
    });
}

BOOST_AUTO_TEST_CASE(the_object_may_be_opened_again_inside_the_initiation)
{
  ends next = unix_ends();
  inside_a_write(
    [&]
    {
      object->close();
      object->assign(local(), next.near.release());
      object->async_write_some(asio::buffer(buffer),
        at_once(tally([](error_code ec, std::size_t size) { BOOST_TEST((!ec && size == 8u)); })));
      check_kept();
    });
  BOOST_TEST(object->is_open());
}

BOOST_AUTO_TEST_CASE(an_operation_refused_completes_inside_its_initiation)
{
  object->close();
  error_code result;
  object->async_read_some(
    asio::buffer(buffer), at_once(tally([&](error_code ec, std::size_t) { result = ec; })));
  BOOST_TEST(result == asio::error::bad_descriptor);
}

// Every step runs inside the one before it, and the last finds the object closed.
BOOST_AUTO_TEST_CASE(a_composed_operation_ends_at_the_close_between_two_of_its_nested_steps)
{
  const std::string much(std::size_t{1} << 24, 'd');
  error_code result;
  std::size_t steps = 0;
  asio::async_write(
    *object, asio::buffer(much),
    [&](error_code ec, std::size_t sent) -> std::size_t
    {
      if (ec)
        return 0;
      if (sent != 0 && ++steps == 2)
        object->close();
      return 4096;
    },
    at_once(tally([&](error_code ec, std::size_t) { result = ec; })));
  BOOST_TEST(steps == 2u);
  BOOST_TEST(wait_until([&] { return turn(context), tally.all_called(); }));
  BOOST_TEST(result == asio::error::bad_descriptor);
}

BOOST_AUTO_TEST_SUITE_END()

#endif
