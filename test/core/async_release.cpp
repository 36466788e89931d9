// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// async_release gives the descriptor to its caller, open, when nothing can touch it any more: after the
// handlers, the blocked calls and the leases. A descriptor that cannot be delivered is closed, once.

#include <interlock/error.hpp>
#include <interlock/fd_lease.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <atomic>
#include <cerrno>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

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
using interlock::ip::tcp;
using interlock::posix::stream_descriptor;
using local = interlock::local::stream_protocol;
using support::aborted;
using support::bad_descriptor;
using support::success;

namespace {

const error_code not_called = asio::error::fault;
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
};

/// An open socket with a watch on its descriptor: nothing closes it but the test.
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
  delivery first;
  delivery second;
  error_code read = not_called;
  error_code closed = not_called;
  char buffer[8] = {};

  ~scene()
  {
    object.reset();
    if (context)
      run();
    context.reset();
    first.owned.reset();
    second.owned.reset();
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

  void release(delivery& d)
  {
    object->async_release(tally(d.handler()));
  }

  void close()
  {
    object->async_close(tally(support::into(closed)));
  }

  void check_delivered(const delivery& d)
  {
    BOOST_TEST(d.ec == success);
    BOOST_TEST(d.fd == opened);
    BOOST_TEST(support::referred_to(opened) == file);
    BOOST_TEST(watch.arrived() == 0u);
    BOOST_TEST(!support::hung_up(pair.far));
  }

  static void check_refused(const delivery& d)
  {
    BOOST_TEST(d.ec == bad_descriptor);
    BOOST_TEST(d.fd == -1);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_async_release)

// --- What is delivered.

BOOST_FIXTURE_TEST_CASE(the_descriptor_is_delivered_open_and_usable, scene)
{
  release(first);
  BOOST_TEST(!object->is_open());
  BOOST_TEST(object->native_handle() == -1);
  BOOST_TEST(tally.called() == 0);
  run();
  check_delivered(first);
  BOOST_TEST(tally.all_called());
  BOOST_TEST(::write(first.fd, "hello", 5) == 5);
  BOOST_TEST(support::drain(pair.far) == 5u);
  // Another object of the context can have it: it is not registered any more.
  asio::local::stream_protocol::socket other(
    *context, asio::local::stream_protocol(), first.owned.get());
  BOOST_TEST(other.is_open());
  other.release();
}

BOOST_FIXTURE_TEST_CASE(the_object_may_be_opened_again_with_the_descriptor, scene)
{
  release(first);
  run();
  object->assign(local(), first.owned.release());
  start_read();
  support::send_text(pair.far, "x");
  run();
  BOOST_TEST(read == success);
  BOOST_TEST(object->native_handle() == opened);
}

BOOST_FIXTURE_TEST_CASE(the_handlers_of_operations_come_first, scene)
{
  asio::io_context idle;
  object->async_read_some(
    asio::buffer(buffer), asio::bind_executor(idle.get_executor(), tally(support::into(read))));
  release(first);
  // Handed over to the idle context when this has run.
  BOOST_TEST(support::wait_until([&] { return support::turn(*context), idle.poll_one() == 1; }));
  BOOST_TEST(read == aborted);
  BOOST_TEST(first.fd == no_call);
  run();
  check_delivered(first);
}

BOOST_FIXTURE_TEST_CASE(a_blocked_call_is_woken_and_waited_for, scene)
{
  support::call_in_thread blocked(
    [this]
    {
      support::outcome o;
      o.bytes = object->read_some(asio::buffer(buffer), o.ec);
      return o;
    });
  BOOST_TEST_REQUIRE(blocked.blocks());
  error_code ec;
  BOOST_TEST(object->release(ec) == -1);
  BOOST_TEST(ec == error_code(interlock::error::in_use));
  release(first);
  run();
  check_delivered(first);
  BOOST_TEST(blocked.get().ec == aborted);
}

BOOST_FIXTURE_TEST_CASE(it_may_be_called_inside_a_handler_of_the_object, scene)
{
  object->async_read_some(asio::buffer(buffer),
    tally(
      [this](error_code ec, std::size_t)
      {
        read = ec;
        release(first);
        BOOST_TEST(first.fd == no_call);
      }));
  support::send_text(pair.far, "x");
  run();
  BOOST_TEST(read == success);
  check_delivered(first);
}

BOOST_FIXTURE_TEST_CASE(the_descriptor_is_delivered_although_the_object_is_gone, scene)
{
  start_read();
  release(first);
  object.reset();
  run();
  BOOST_TEST(read == aborted);
  check_delivered(first);
}

BOOST_FIXTURE_TEST_CASE(the_descriptor_is_delivered_although_the_object_is_moved, scene)
{
  release(first);
  local::socket moved(std::move(*object));
  run();
  check_delivered(first);
  BOOST_TEST(!moved.is_open());
}

BOOST_AUTO_TEST_CASE(acceptors_and_descriptors_release_too)
{
  const support::census fds;
  {
    asio::io_context context;
    support::handler_tally tally;
    delivery of_acceptor;
    delivery of_pipe;
    error_code accepted = not_called;
    error_code read = not_called;
    tcp::acceptor acceptor(context, support::any_local_port());
    const tcp::endpoint address = acceptor.local_endpoint();
    support::ends pipe = support::pipe_ends();
    const int reading = pipe.near.get();
    stream_descriptor d(context, pipe.near.release());
    char buffer[8];
    acceptor.async_accept(tally(support::into(accepted)));
    d.async_read_some(asio::buffer(buffer), tally(support::into(read)));
    const int listening = acceptor.native_handle();
    acceptor.async_release(tally(of_acceptor.handler()));
    d.async_release(tally(of_pipe.handler()));
    context.run();
    BOOST_TEST(tally.all_called());
    BOOST_TEST(accepted == aborted);
    BOOST_TEST(read == aborted);
    BOOST_TEST(of_acceptor.ec == success);
    BOOST_TEST(of_acceptor.fd == listening);
    BOOST_TEST(of_pipe.ec == success);
    BOOST_TEST(of_pipe.fd == reading);
    // Both are in use as before.
    asio::ip::tcp::socket client(context);
    client.connect(address);
    support::send_text(pipe.far, "x");
    BOOST_TEST(::read(of_pipe.fd, buffer, sizeof(buffer)) == 1);
  }
  BOOST_TEST(fds.restored());
}

// --- Where there is nothing to be released.

BOOST_FIXTURE_TEST_CASE(an_object_never_opened_has_no_descriptor, scene)
{
  tcp::socket s(*context);
  s.async_release(tally(first.handler()));
  BOOST_TEST(tally.called() == 0);
  run();
  check_refused(first);
}

BOOST_FIXTURE_TEST_CASE(a_closed_object_has_no_descriptor, scene)
{
  object->close();
  BOOST_TEST(watch.wait_closed());
  release(first);
  BOOST_TEST(tally.called() == 0);
  run();
  check_refused(first);
}

BOOST_FIXTURE_TEST_CASE(a_released_object_has_no_descriptor, scene)
{
  second.owned.reset(object->release());
  release(first);
  run();
  check_refused(first);
  BOOST_TEST(second.owned.get() == opened);
}

BOOST_FIXTURE_TEST_CASE(a_close_that_is_under_way_keeps_the_descriptor, scene)
{
  close();
  release(first);
  BOOST_TEST(tally.called() == 0);
  run();
  BOOST_TEST(closed == success);
  check_refused(first);
}

// close(2) reports an error: that is for the callers that asked for the close.
BOOST_FIXTURE_TEST_CASE(the_outcome_of_the_close_does_not_reach_a_release, scene)
{
  watch.report(EIO);
  watch.shut_gate();
  close();
  BOOST_TEST(support::wait_until([this] { return support::turn(*context), watch.arrived() == 1; }));
  release(first);
  BOOST_TEST(support::wait_until([this] { return support::turn(*context), first.fd != no_call; }));
  check_refused(first);
  watch.open_gate();
  run();
  BOOST_TEST(closed == error_code(EIO, boost::system::system_category()));
}

BOOST_FIXTURE_TEST_CASE(only_the_first_of_two_gets_the_descriptor, scene)
{
  release(first);
  release(second);
  run();
  check_delivered(first);
  check_refused(second);
  delivery third;
  release(third);
  run();
  check_refused(third);
}

// --- Closes that come after.

BOOST_FIXTURE_TEST_CASE(a_close_that_comes_after_has_nothing_to_close, scene)
{
  start_read();
  release(first);
  close();
  run();
  BOOST_TEST(closed == success);
  BOOST_TEST(tally.all_called());
  check_delivered(first);
  closed = not_called;
  close();
  run();
  BOOST_TEST(closed == success);
  check_delivered(first);
}

BOOST_FIXTURE_TEST_CASE(close_right_after_it_does_not_take_the_descriptor, scene)
{
  release(first);
  object->close();
  run();
  check_delivered(first);
}

BOOST_FIXTURE_TEST_CASE(retirement_right_after_it_does_not_take_the_descriptor, scene)
{
  release(first);
  object->retire();
  run();
  check_delivered(first);
  error_code ec;
  object->assign(local(), first.fd, ec);
  BOOST_TEST(ec == error_code(interlock::error::retired));
}

BOOST_FIXTURE_TEST_CASE(an_object_opened_again_meanwhile_has_another_descriptor, scene)
{
  release(first);
  support::ends again = support::unix_ends();
  const int next = again.near.get();
  object->assign(local(), again.near.release());
  release(second);
  run();
  check_delivered(first);
  BOOST_TEST(second.ec == success);
  BOOST_TEST(second.fd == next);
}

// A context that no thread runs: the descriptor is out of the reactor all the same, and waits for its handler.
BOOST_FIXTURE_TEST_CASE(in_a_context_that_is_not_run_the_descriptor_is_detached_too, scene)
{
  release(first);
  BOOST_TEST(support::wait_until(
    [this]
    {
      asio::local::stream_protocol::socket other(*context);
      error_code ec;
      other.assign(asio::local::stream_protocol(), opened, ec);
      if (!ec)
        other.release();
      return !ec;
    }));
  BOOST_TEST(first.fd == no_call);
  run();
  check_delivered(first);
}

// --- Handlers that are not called.

BOOST_FIXTURE_TEST_CASE(with_the_objects_context_the_descriptor_is_closed, scene)
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
  const support::census fds;
  const std::size_t strays = support::stray_closes();
  int not_closed = 0;
  int called = 0;
  int not_ended = 0;
  int on_worker = 0;
  for (int i = 0; i != 2000; ++i)
  {
    support::ends pair = support::unix_ends();
    support::handler_tally tally;
    {
      std::optional<asio::io_context> context(std::in_place);
      local::socket s(*context, local(), pair.near.release());
      s.async_release(tally([](error_code, int) {}));
      context->poll_one();
      context.reset();
    }
    not_closed += support::wait_until([&pair] { return support::hung_up(pair.far); }) ? 0 : 1;
    called += tally.called();
    not_ended += tally.made() - tally.ended();
    on_worker += tally.wrong();
  }
  BOOST_TEST(not_closed == 0);
  BOOST_TEST(called == 0);
  BOOST_TEST(not_ended == 0);
  BOOST_TEST(on_worker == 0);
  BOOST_TEST(fds.restored());
  BOOST_TEST(support::stray_closes() == strays);
}

BOOST_FIXTURE_TEST_CASE(with_the_context_of_the_handler_the_descriptor_is_closed, scene)
{
  std::optional<asio::io_context> other(std::in_place);
  object->async_release(asio::bind_executor(other->get_executor(), tally(first.handler())));
  run();
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(watch.arrived() == 0u);
  other.reset();
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(tally.all_ended());
  BOOST_TEST(watch.wait_closed());
}

// The lease is the last to keep it, and closes it.
BOOST_FIXTURE_TEST_CASE(a_leased_descriptor_whose_handler_is_gone_is_closed_after_the_lease, scene)
{
  interlock::fd_lease lease = object->lease();
  release(first);
  object.reset();
  context.reset();
  BOOST_TEST(tally.all_ended());
  BOOST_TEST(watch.arrived() == 0u);
  BOOST_TEST(support::referred_to(opened) == file);
  lease.reset();
  BOOST_TEST(watch.closed() == 1u);
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_has_had_the_descriptor)
{
  asio::io_context context;
  support::ends pipe = support::pipe_ends();
  support::close_watch watch(pipe.near.get());
  stream_descriptor d(context, pipe.near.release());
  support::fd kept;
  d.async_release(
    [&kept](error_code, int n)
    {
      kept.reset(n);
      throw std::runtime_error("of the handler");
    });
  BOOST_CHECK_THROW(while (context.run_one()) continue, std::runtime_error);
  BOOST_TEST(support::is_fd_open(kept.get()));
  BOOST_TEST(watch.arrived() == 0u);
}

// --- Executors and tokens.

BOOST_AUTO_TEST_CASE(the_handler_is_called_on_its_own_executor)
{
  support::loop loop;
  asio::thread_pool pool(1);
  stream_descriptor d(loop.context, support::pipe_ends().near.release());
  delivery got;
  std::atomic<int> label{0};
  d.async_release(asio::bind_executor(support::labelled(pool.get_executor(), 7),
    [&](error_code ec, int n)
    {
      label = support::label_scope::current();
      got.handler()(ec, n);
    }));
  loop.join();
  pool.join();
  BOOST_TEST(label == 7);
  BOOST_TEST(got.ec == success);
  BOOST_TEST(support::is_fd_open(got.fd));
}

BOOST_AUTO_TEST_CASE(without_one_the_handler_is_called_on_the_objects_executor)
{
  asio::io_context context;
  using io_executor = asio::io_context::executor_type;
  const auto strand = asio::make_strand(context.get_executor());
  using strand_socket = local::socket::rebind_executor<asio::strand<io_executor>>::other;
  strand_socket s(strand, local(), support::unix_ends().near.release());
  delivery got;
  bool in_place = false;
  s.async_release(
    [&](error_code ec, int n)
    {
      in_place = strand.running_in_this_thread();
      got.handler()(ec, n);
    });
  context.run();
  BOOST_TEST(in_place);
  BOOST_TEST(got.ec == success);
}

BOOST_AUTO_TEST_CASE(a_future_is_given_the_descriptor)
{
  support::loop loop;
  support::ends pipe = support::pipe_ends();
  const int opened = pipe.near.get();
  stream_descriptor d(loop.context, pipe.near.release());
  std::future<int> future = d.async_release(asio::use_future);
  const support::fd owned(future.get());
  BOOST_TEST(owned.get() == opened);
  BOOST_TEST(support::is_fd_open(opened));
  std::future<int> none = d.async_release(asio::use_future);
  BOOST_CHECK_EXCEPTION(none.get(), boost::system::system_error,
    [](const boost::system::system_error& e) { return e.code() == bad_descriptor; });
}

BOOST_AUTO_TEST_CASE(it_keeps_run_from_returning)
{
  asio::io_context context;
  stream_descriptor d(context, support::pipe_ends().near.release());
  std::optional<interlock::fd_lease> lease(d.lease());
  delivery got;
  d.async_release(got.handler());
  std::atomic<bool> running{false};
  asio::post(context, [&running] { running = true; });
  std::thread ender(
    [&]
    {
      support::wait_until([&] { return running.load(); });
      lease.reset();
    });
  context.run();
  ender.join();
  BOOST_TEST(got.ec == success);
}

// --- Threads.

// One release gets the descriptor, the others are refused, and a close does not take it from that release or
// has come first.
BOOST_AUTO_TEST_CASE(releases_and_closes_race_for_one_descriptor)
{
  const support::census fds;
  const std::size_t strays = support::stray_closes();
  for (int round = 0; round != 200; ++round)
  {
    constexpr int threads = 4;
    support::loop loop;
    support::ends pair = support::unix_ends();
    const int opened = pair.near.get();
    support::close_watch watch(opened);
    support::handler_tally tally;
    delivery got[threads];
    error_code closed = not_called;
    {
      local::socket s(loop.context, local(), pair.near.release());
      std::atomic<int> ready{0};
      std::vector<std::thread> running;
      for (int i = 0; i != threads; ++i)
        running.emplace_back(
          [&, i]
          {
            ++ready;
            while (ready != threads)
              std::this_thread::yield();
            if (i != 0)
              s.async_release(tally(got[i].handler()));
            else if (round % 2)
              s.async_close(tally(support::into(closed)));
            else
              s.close();
          });
      for (std::thread& t : running)
        t.join();
      BOOST_TEST(!s.is_open());
    }
    loop.join();
    BOOST_TEST(tally.all_called());
    int delivered = 0;
    for (int i = 1; i != threads; ++i)
    {
      delivered += got[i].fd == opened && !got[i].ec ? 1 : 0;
      if (got[i].ec)
        scene::check_refused(got[i]);
    }
    BOOST_TEST(delivered <= 1);
    BOOST_TEST(closed == (round % 2 ? success : not_called));
    if (delivered)
      BOOST_TEST(watch.arrived() == 0u);
    else
      BOOST_TEST(watch.wait_closed());
    for (delivery& d : got)
      d.owned.reset();
    BOOST_TEST(watch.arrived() == 1u);
  }
  BOOST_TEST(fds.restored());
  BOOST_TEST(support::stray_closes() == strays);
}

BOOST_AUTO_TEST_SUITE_END()
