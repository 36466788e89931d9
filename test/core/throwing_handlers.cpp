// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Handlers that throw. The exception leaves run() as with Asio; the handler counts as returned, the
// mark of its tenure is off the thread, and nothing else is lost: no descriptor, no other handler.

#include "support/prelude.hpp"

#include "support/local_port.hpp"
#include "support/scene.hpp"

using namespace support;

namespace {

/// What the handlers of this file throw.
struct thrown : std::runtime_error
{
  thrown()
    : std::runtime_error("of a handler")
  {
  }
};

/// Runs the context until it is out of work, and counts the exceptions that come out.
int run_all(asio::io_context& context)
{
  for (int count = 0;; ++count)
  {
    try
    {
      context.run();
      return count;
    }
    catch (const thrown&)
    {
    }
  }
}

/// A handler that keeps the error and throws.
auto throwing(error_code& kept)
{
  return [&kept](error_code ec, auto&&...)
  {
    kept = ec;
    throw thrown();
  };
}

struct throwing_scene : scene
{
  error_code write = not_called;
  error_code wait = not_called;

  ~throwing_scene()
  {
    object.reset();
    finish();
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_throwing_handlers, throwing_scene)

BOOST_AUTO_TEST_CASE(handlers_of_a_closed_object_may_all_throw)
{
  fill(object->native_handle());
  object->async_read_some(asio::buffer(buffer), tally(throwing(read)));
  object->async_write_some(asio::buffer(buffer), tally(throwing(write)));
  object->async_wait(local::socket::wait_read, tally(throwing(wait)));
  object->async_close(tally(throwing(closed)));
  object->async_close(tally(throwing(closed)));
  BOOST_TEST(run_all(*context) == 5);
  BOOST_TEST(read == aborted);
  BOOST_TEST(write == aborted);
  BOOST_TEST(wait == aborted);
  BOOST_TEST(closed == success);
}

BOOST_AUTO_TEST_CASE(handlers_of_refused_operations_may_throw)
{
  object->close();
  local::socket never_opened(*context);
  error_code closed_too = not_called;
  object->async_read_some(asio::buffer(buffer), tally(throwing(read)));
  object->async_close(tally(throwing(closed)));
  never_opened.async_write_some(asio::buffer(buffer), tally(throwing(write)));
  never_opened.async_close(tally(throwing(closed_too)));
  BOOST_TEST(run_all(*context) == 4);
  BOOST_TEST(read == bad_descriptor);
  BOOST_TEST(write == bad_descriptor);
  BOOST_TEST(closed == success);
  BOOST_TEST(closed_too == success);
}

// The exception destroys the handler, which held the object; then comes the closer's turn.
BOOST_AUTO_TEST_CASE(a_handler_that_throws_may_own_the_object)
{
  auto owner = std::make_shared<local::socket>(std::move(*object));
  local::socket& s = *owner;
  s.async_read_some(asio::buffer(buffer),
    tally(
      [owner = std::move(owner), this](error_code ec, std::size_t)
      {
        read = ec;
        throw thrown();
      }));
  s.async_close(tally(into(closed)));
  BOOST_TEST(run_all(*context) == 1);
  BOOST_TEST(read == aborted);
  BOOST_TEST(closed == success);
}

BOOST_AUTO_TEST_CASE(a_handler_may_close_and_then_throw)
{
  send_text(pair.far, "x");
  object->async_read_some(asio::buffer(buffer),
    tally(
      [this](error_code ec, std::size_t)
      {
        read = ec;
        object->async_close(tally(throwing(closed)));
        object->close();
        throw thrown();
      }));
  object->async_wait(local::socket::wait_error, tally(into(wait)));
  BOOST_TEST(run_all(*context) == 2);
  BOOST_TEST(read == success);
  BOOST_TEST(wait == aborted);
  BOOST_TEST(closed == success);
}

// On the same thread, and outside a handler: the object that has been opened again is free.
BOOST_AUTO_TEST_CASE(a_handler_that_threw_has_left_no_mark_on_its_thread)
{
  object->async_read_some(asio::buffer(buffer), tally(throwing(read)));
  object->close();
  const fd peer = reopen();
  const close_watch second(object->native_handle());
  BOOST_TEST(run_all(*context) == 1);
  BOOST_TEST(read == aborted);
  object->async_write_some(asio::buffer("hello", 5), tally(into(write)));
  run();
  BOOST_TEST(write == success);
  BOOST_TEST(drain(peer) == 5u);
  BOOST_TEST(second.arrived() == 0u);
  object.reset();
  BOOST_TEST(second.wait_closed());
}

BOOST_AUTO_TEST_CASE(a_handler_may_reopen_the_object_and_then_throw)
{
  ends again = unix_ends();
  const close_watch second(again.near.get());
  object->async_read_some(asio::buffer(buffer),
    tally(
      [&](error_code ec, std::size_t)
      {
        read = ec;
        object->assign(local(), again.near.release());
        throw thrown();
      }));
  object->async_close(tally(into(closed)));
  BOOST_TEST(run_all(*context) == 1);
  BOOST_TEST(read == aborted);
  BOOST_TEST(closed == success);
  BOOST_TEST(object->is_open());
  BOOST_TEST(second.arrived() == 0u);
  object.reset();
  BOOST_TEST(second.wait_closed());
}

BOOST_AUTO_TEST_CASE(the_handler_of_a_composed_operation_may_throw)
{
  const std::string much(std::size_t{1} << 22, 'd');
  asio::async_write(*object, asio::buffer(much), tally(throwing(write)));
  context->poll();
  BOOST_TEST(write == not_called);
  object->async_close(tally(into(closed)));
  context->restart();
  BOOST_TEST(run_all(*context) == 1);
  BOOST_TEST(write == aborted);
  BOOST_TEST(closed == success);
}

BOOST_AUTO_TEST_CASE(the_handler_of_an_accept_may_throw)
{
  tcp::acceptor acceptor(*context, any_local_port());
  const fd client = tcp_connected_to(fd(checked(::dup(acceptor.native_handle()), "dup")));
  error_code accepted = not_called;
  // The peer is a parameter of the handler, and goes with it.
  acceptor.async_accept(tally(throwing(accepted)));
  BOOST_TEST(run_all(*context) == 1);
  BOOST_TEST(accepted == success);
  BOOST_TEST(wait_until([&] { return hung_up(client); }));
  BOOST_TEST(::read(client.get(), buffer, sizeof(buffer)) == 0); // it is closed, and not reset
  acceptor.async_accept(tally(throwing(accepted)));
  acceptor.async_close(tally(throwing(closed)));
  context->restart();
  BOOST_TEST(run_all(*context) == 2);
  BOOST_TEST(accepted == aborted);
  BOOST_TEST(closed == success);
}

// The strand is the user's: it goes on with what is queued behind.
BOOST_AUTO_TEST_CASE(a_strand_of_the_object_goes_on_after_an_exception)
{
  auto strand = asio::make_strand(context->get_executor());
  using socket = local::socket::rebind_executor<decltype(strand)>::other;
  ends own = unix_ends();
  const close_watch own_watch(own.near.get());
  {
    socket s(strand, local(), own.near.release());
    s.async_read_some(asio::buffer(buffer), tally(throwing(read)));
    s.async_wait(socket::wait_error, tally(throwing(wait)));
    s.async_close(tally(throwing(closed)));
    s.async_close(tally(into(closed)));
    BOOST_TEST(run_all(*context) == 3);
  }
  BOOST_TEST(read == aborted);
  BOOST_TEST(wait == aborted);
  BOOST_TEST(closed == success);
  BOOST_TEST(own_watch.closed() == 1u);
}

BOOST_AUTO_TEST_CASE(a_handler_may_throw_out_of_another_context)
{
  asio::io_context other;
  error_code closed_there = not_called;
  object->async_read_some(
    asio::buffer(buffer), asio::bind_executor(other.get_executor(), tally(throwing(read))));
  object->async_close(asio::bind_executor(other.get_executor(), tally(throwing(closed_there))));
  object->async_close(tally(throwing(closed)));
  BOOST_TEST(run_until([this] { return watch.closed() == 1; }));
  BOOST_TEST(tally.called() == 0);
  std::atomic<int> there{0};
  std::thread runner([&] { there = run_all(other); });
  BOOST_TEST(run_all(*context) == 1);
  runner.join();
  BOOST_TEST(there == 2);
  BOOST_TEST(read == aborted);
  BOOST_TEST(closed == success);
  BOOST_TEST(closed_there == success);
}

BOOST_AUTO_TEST_CASE(a_context_may_be_destroyed_after_a_handler_threw)
{
  object->async_read_some(asio::buffer(buffer), tally(throwing(read)));
  object->async_wait(local::socket::wait_error, tally(throwing(wait)));
  object->async_close(tally(throwing(closed)));
  BOOST_CHECK_THROW(context->run(), thrown);
  context.reset();
  BOOST_TEST(tally.made() == 3);
  BOOST_TEST(tally.called() == 1);
  BOOST_TEST(tally.all_ended());
  BOOST_TEST(closed == not_called);
  BOOST_TEST(watch.closed() == 1u);
}

BOOST_AUTO_TEST_CASE(handlers_may_throw_out_of_every_thread_that_runs_the_context)
{
  constexpr int objects = 30;
  std::vector<local::socket> sockets;
  char buffers[objects][8];
  for (int i = 0; i != objects; ++i)
    sockets.emplace_back(*context, local(), unix_ends().near.release());
  const auto fail = [](error_code, auto&&...) { throw thrown(); };
  for (int i = 0; i != objects; ++i)
  {
    // At the end of the stream.
    sockets[i].async_read_some(asio::buffer(buffers[i]), tally(fail));
    sockets[i].async_wait(local::socket::wait_read, tally(fail));
    sockets[i].async_close(tally(fail));
    sockets[i].async_close(tally(fail));
  }
  std::atomic<int> count{0};
  std::vector<std::thread> threads;
  for (int i = 0; i != 3; ++i)
    threads.emplace_back([&] { count += run_all(*context); });
  for (std::thread& t : threads)
    t.join();
  BOOST_TEST(count == objects * 4);
  BOOST_TEST(tally.made() == objects * 4);
}

BOOST_AUTO_TEST_SUITE_END()
