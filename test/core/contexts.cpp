// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G9 and the execution context: one that is shut down or destroyed loses no descriptor and no handler, and a close that
// is waited for keeps it running. Contexts that are not run: takeover.cpp; stopped ones: contexts_stopped.cpp.

#include "support/prelude.hpp"

#include "support/local_port.hpp"
#include "support/scene.hpp"

using namespace support;

namespace {

/// Its close(2) waits at a gate, on a thread of the library.
struct gated : scene
{
  gated()
  {
    send_text(pair.far, "x"); // close(2) can block
    watch.shut_gate();
  }

  ~gated()
  {
    watch.open_gate();
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_contexts)

BOOST_FIXTURE_TEST_CASE(async_close_keeps_run_from_returning, gated)
{
  close();
  std::thread opener(
    [this]
    {
      watch.wait_arrived();
      watch.open_gate();
    });
  context->run();
  BOOST_TEST(closed == success);
  opener.join();
}

// The executor of a handler may be of the type of the object's, and is another one all the same.
BOOST_FIXTURE_TEST_CASE(async_close_keeps_the_contexts_of_its_handlers_running_too, gated)
{
  asio::io_context other;
  asio::io_context another;
  const asio::any_io_executor of_other = other.get_executor();
  object->async_close(asio::bind_executor(of_other, tally([](error_code) {})));
  object->async_close(asio::bind_executor(another.get_executor(), tally([](error_code) {})));
  for (asio::io_context* each : {&*context, &other, &another})
    each->poll();
  BOOST_TEST(watch.wait_arrived());
  for (const asio::io_context* each : {&*context, &other, &another})
    BOOST_TEST(!each->stopped());
  watch.open_gate();
  context->run();
  BOOST_TEST(tally.called() == 0);
  other.run();
  another.run();
  BOOST_TEST(tally.called() == 2);
}

BOOST_FIXTURE_TEST_CASE(close_does_not_keep_run_from_returning, gated)
{
  object->close();
  BOOST_TEST(watch.wait_arrived());
  context->run();
  BOOST_TEST(watch.closed() == 0u);
}

BOOST_FIXTURE_TEST_CASE(what_is_open_is_closed_when_the_context_goes, scene)
{
  ends pipe = pipe_ends();
  const close_watch of_pipe(pipe.near.get());
  stream_descriptor d(*context, pipe.near.release());
  tcp::acceptor a(*context, any_local_port());
  a.async_accept(tally([](error_code, const tcp::socket&) {}));
  context.reset();
  BOOST_TEST(watch.closed() == 1u);
  BOOST_TEST(of_pipe.closed() == 1u);
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(!object->is_open());
  BOOST_TEST(!a.is_open());
  // They may be used still.
  error_code ec;
  a.listen(8, ec);
  BOOST_TEST(ec == bad_descriptor);
  a.close();
  d.close();
  BOOST_TEST(!d.is_open());
}

// As from Boost 1.82 on, where the destructor does it a second time.
BOOST_FIXTURE_TEST_CASE(a_context_may_be_shut_down_twice, no_trace)
{
  struct mortal_context : asio::io_context
  {
    using asio::io_context::execution_context::shutdown;
  } context;
  handler_tally tally;
  ends pair = unix_ends();
  local::socket s(context, local(), pair.near.release());
  s.async_wait(local::socket::wait_error, tally([](error_code) {}));
  context.shutdown();
  context.shutdown();
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(tally.all_ended());
}

// The thread is left behind with the close(2) that is blocked, and finishes it without the context.
BOOST_FIXTURE_TEST_CASE(a_context_may_be_destroyed_while_close2_is_blocked, gated)
{
  close();
  object->close();
  BOOST_TEST(watch.wait_arrived());
  context.reset();
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(tally.all_ended());
  BOOST_TEST(watch.closed() == 0u);
}

// The call is inside when the context goes: it is woken, and is the last to touch the descriptor.
BOOST_FIXTURE_TEST_CASE(a_blocked_call_returns_when_its_context_is_destroyed, scene)
{
  call_in_thread reader([this] { return read_some(*object); });
  BOOST_TEST(reader.blocks());
  context.reset();
  BOOST_TEST(reader.get().ec == aborted);
}

// The aborted read is handed over to its own context.
BOOST_FIXTURE_TEST_CASE(a_handler_outlives_the_context_of_its_object, scene)
{
  asio::io_context idle;
  object->async_read_some(
    asio::buffer(buffer), asio::bind_executor(idle.get_executor(), tally(into(read))));
  close();
  object->close();
  turn();
  object.reset();
  context.reset();
  BOOST_TEST(tally.ended() == 1);
  idle.run();
  BOOST_TEST(read == aborted);
}

BOOST_FIXTURE_TEST_CASE(each_context_has_threads_of_its_own, gated)
{
  asio::io_context other;
  ends second = unread_ends();
  const close_watch free(second.near.get());
  local::socket b(other, local(), second.near.release());
  object->close();
  BOOST_TEST(watch.wait_arrived());
  b.close();
  BOOST_TEST(free.wait_closed());
}

BOOST_AUTO_TEST_SUITE_END()
