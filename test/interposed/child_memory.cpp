// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a forked child still has of the library's memory when its copy of the context is gone.

#define BOOST_TEST_MODULE child_memory
#include <boost/test/unit_test.hpp>

#include <memory>

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/posix/stream_descriptor.hpp>

#include "support/allocation_hook.hpp"
#include "support/census.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/in_child.hpp"
#include "support/loop.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using descriptor = interlock::posix::stream_descriptor;

namespace {

/// A context with one open object, of which the other end is not closed.
struct parent
{
  support::ends pipe = support::pipe_ends();
  std::unique_ptr<asio::io_context> context = std::make_unique<asio::io_context>();
  std::unique_ptr<descriptor> object = std::make_unique<descriptor>(*context, pipe.near.release());

  /// Closes a descriptor, and runs the context until that is over.
  void close_on_a_thread(support::fd to_close)
  {
    bool is_closed = false;
    descriptor closing(*context, to_close.release());
    closing.async_close([&](error_code) { is_closed = true; });
    BOOST_TEST(support::run_until(*context, [&] { return is_closed; }));
  }

  /// How many allocations are left of a child that destroys the context.
  long left_in_child()
  {
    support::ends told = support::pipe_ends();
    context->notify_fork(asio::io_context::fork_prepare);
    const ::pid_t child = support::fork_to(
      [&]
      {
        context->notify_fork(asio::io_context::fork_child);
        object.reset();
        context.reset();
        const long left = support::live_allocations();
        return ::write(told.far.get(), &left, sizeof(left)) == sizeof(left);
      });
    context->notify_fork(asio::io_context::fork_parent);
    long left = -1;
    BOOST_TEST(::read(told.near.get(), &left, sizeof(left)) == ::ssize_t(sizeof(left)));
    BOOST_TEST(support::was_well(child));
    return left;
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_child_memory)

BOOST_AUTO_TEST_CASE(nothing_is_left_of_an_object_that_a_child_destroys)
{
  parent().left_in_child(); // what is made once
  const long before = support::live_allocations();
  parent p;
  BOOST_TEST(p.left_in_child() == before);
}

// The worker leaves as much in either child. close(2) of a socket cannot block, that of a pipe can.
BOOST_AUTO_TEST_CASE(nothing_is_left_of_a_thread_that_had_ended_before_the_fork)
{
  parent p;
  p.close_on_a_thread(support::unix_ends().near);
  p.left_in_child(); // what is made once
  const long left = p.left_in_child();
  p.close_on_a_thread(support::pipe_ends().near);
  BOOST_TEST(support::threads_named("interlock-close") == 1u);
  BOOST_TEST(support::wait_until([] { return support::threads_named("interlock-close") == 0; }));
  BOOST_TEST(p.left_in_child() == left);
}

BOOST_AUTO_TEST_SUITE_END()
