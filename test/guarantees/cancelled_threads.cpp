// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Threads that are cancelled (pthread_cancel). One that closes closes all the same: close(2), the wake-up of another thread
// and the splice(2) that tells a pipe are cancellation points, within functions that must not throw. One that is blocked in a
// synchronous call unwinds out of it; the object goes on, and its close does not wait for the thread.

#include "support/prelude.hpp"

#include <interlock/detail/descriptor/descriptor_kind.hpp>
#include <interlock/local/datagram_protocol.hpp>

#include <pthread.h>

#include "support/blocking_subjects.hpp"
#include "support/closers.hpp"
#include "support/counted.hpp"
#include "support/sanitizers.hpp"
#include "support/sleeps_in_poll.hpp"
#include "support/standing_close.hpp"

using namespace support;
using interlock::detail::descriptor_kind;

namespace {

/// A thread in a function, and how it ends.
class cancelled_thread
{
public:
  explicit cancelled_thread(std::function<void()> f)
    : function_(std::move(f))
  {
    checked(-::pthread_create(&thread_, nullptr, &run, this), "pthread_create");
  }

  cancelled_thread(const cancelled_thread&) = delete;
  cancelled_thread& operator=(const cancelled_thread&) = delete;

  /// Cancels the thread when it is blocked. Whether the objects on its stack were destroyed.
  bool unwinds()
  {
    BOOST_TEST(wait_until([this] { return id_ != 0 && sleeps_in_poll(id_); }));
    ::pthread_cancel(thread_);
    return ends() && has_unwound_;
  }

  /// Whether it was cancelled in the end.
  bool ends()
  {
    void* result = nullptr;
    ::pthread_join(thread_, &result);
    return result == PTHREAD_CANCELED;
  }

private:
  static void* run(void* object)
  {
    auto& self = *static_cast<cancelled_thread*>(object);
    const std::shared_ptr<void> at_end(nullptr, [&self](void*) { self.has_unwound_ = true; });
    self.id_ = this_thread_id();
    self.function_();
    return nullptr;
  }

  std::function<void()> function_;
  std::atomic<::pid_t> id_{0};
  std::atomic<bool> has_unwound_{false};
  ::pthread_t thread_;
};

/// Calls `f` in a thread whose cancellation is pending: the next cancellation point would end it. Whether `f`
/// returns, and the thread is cancelled after it.
bool returns_although_cancelled(const std::function<void()>& f)
{
  bool has_returned = false;
  cancelled_thread thread(
    [&]
    {
      ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
      ::pthread_cancel(::pthread_self());
      ::pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
      f();
      has_returned = true;
      ::pthread_testcancel();
    });
  return thread.ends() && has_returned;
}

struct connected : counted_in_context
{
  ends pair = unix_ends();
  close_watch watch{pair.near.get()};
  local::socket object{context, local(), pair.near.release()};
  char buffer[64] = {};
  error_code ec;

  std::size_t read()
  {
    return object.read_some(asio::buffer(buffer), ec);
  }

  void check_closed_by(const std::function<void()>& f)
  {
    BOOST_TEST(returns_although_cancelled(f));
    BOOST_TEST(watch.wait_closed());
  }

  // No thread counts as inside.
  void check_closed_at_once()
  {
    object.close();
    BOOST_TEST(watch.closed() == 1u);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_cancelled_threads)

// --- Threads that close.

BOOST_FIXTURE_TEST_CASE_TEMPLATE(the_call_returns_and_closes, Way, every_way, connected)
{
  this->object.async_read_some(
    asio::buffer(this->buffer), this->tally([](error_code, std::size_t) {}));
  this->check_closed_by([this] { Way::close(this->object, [](error_code) {}); });
  this->run();
  BOOST_TEST(this->tally.all_called());
}

BOOST_AUTO_TEST_CASE(the_kind_of_a_descriptor)
{
  const ends pipe = pipe_ends();
  auto kind = descriptor_kind::unknown;
  BOOST_TEST(
    returns_although_cancelled([&] { kind = interlock::detail::kind_of(pipe.near.get()); }));
  BOOST_TEST((kind == descriptor_kind::pipe));
}

// The worker is asleep, and has to be woken by a write(2).
BOOST_FIXTURE_TEST_CASE(a_close_that_is_left_to_the_worker, connected)
{
  {
    standing_close first(context);
    first.watch.open_gate();
  }
  const ::pid_t worker = worker_id();
  BOOST_TEST(wait_until([worker] { return sleeps_in_epoll(worker); }));
  send_text(pair.far, "x");
  check_closed_by([this] { object.close(); });
  BOOST_TEST(watch.by_worker());
}

BOOST_FIXTURE_TEST_CASE(the_end_of_the_last_lease, connected)
{
  interlock::fd_lease lease = object.lease();
  object.close();
  check_closed_by([&lease] { lease.reset(); });
}

// A cancelled thread wakes the reader by a write(2). The reader, which is not cancelled, detaches and closes.
BOOST_FIXTURE_TEST_CASE(the_last_to_leave_a_blocking_call, connected)
{
  std::atomic<std::thread::id> reader{};
  call_in_thread blocked(
    [&]
    {
      reader = std::this_thread::get_id();
      return outcome{ec, read()};
    });
  BOOST_TEST_REQUIRE(blocked.blocks());
  check_closed_by([this] { object.close(); });
  blocked.get();
  BOOST_TEST(ec == aborted);
  BOOST_TEST((watch.close_waiter() == reader.load()));
}

// --- Threads in a call that blocks.

// Not under ThreadSanitizer: it does not see the locks of a thread that has been cancelled in a call which it
// intercepts, and takes what they guard for unguarded.
#if !defined(INTERLOCK_TEST_THREAD_SANITIZER)

BOOST_FIXTURE_TEST_CASE(a_read, connected)
{
  BOOST_TEST(cancelled_thread([this] { read(); }).unwinds());
  send_text(pair.far, "hello");
  BOOST_TEST(read() == 5u);
  check_closed_at_once();
}

BOOST_FIXTURE_TEST_CASE(a_read_beside_another_that_blocks, connected)
{
  cancelled_thread cancelled([this] { object.read_some(asio::buffer(buffer, 1)); });
  call_in_thread other([this] { return outcome{ec, read()}; });
  BOOST_TEST(other.blocks());
  BOOST_TEST(cancelled.unwinds());
  object.close();
  other.get();
  BOOST_TEST(ec == aborted);
  BOOST_TEST(watch.wait_closed());
}

BOOST_FIXTURE_TEST_CASE(a_read_of_all, connected)
{
  send_text(pair.far, "hello");
  cancelled_thread reader([this] { object.receive(asio::buffer(buffer), MSG_WAITALL); });
  BOOST_TEST(reader.unwinds());
  check_closed_at_once();
}

// Of the second write the rest begins when the peer has read half of it.
BOOST_AUTO_TEST_CASE(a_write_and_the_rest_of_a_write)
{
  const std::vector<char> much(std::size_t(8) << 20);
  for (const std::size_t taken_before : {std::size_t(0), much.size() / 2})
  {
    connected c;
    cancelled_thread writer([&] { c.object.write_some(asio::buffer(much)); });
    std::vector<char> sink(1 << 16);
    for (std::size_t n = 0; n < taken_before;)
      n += static_cast<std::size_t>(
        checked(static_cast<int>(::read(c.pair.far.get(), sink.data(), sink.size())), "read"));
    BOOST_TEST(writer.unwinds());
    c.check_closed_at_once();
  }
}

// poll(2) does not tell when the queue of the peer has room: the thread tries again and again.
BOOST_AUTO_TEST_CASE(a_send_of_a_datagram_that_is_tried_again)
{
  asio::io_context context;
  using datagrams = interlock::local::datagram_protocol;
  const std::string name = std::string(1, '\0') + "interlock-cancelled-"
    + std::to_string(::getpid());
  datagrams::socket peer(context, datagrams::endpoint(name));
  datagrams::socket object(context, datagrams());
  object.non_blocking(true);
  error_code ec;
  while (!ec)
    object.send_to(asio::buffer("x", 1), peer.local_endpoint(), 0, ec);
  BOOST_TEST(ec == would_block);
  object.non_blocking(false);
  const auto send = [&] { object.send_to(asio::buffer("x", 1), peer.local_endpoint()); };
  BOOST_TEST(cancelled_thread(send).unwinds());
  object.close();
  BOOST_TEST(!object.is_open());
}

BOOST_FIXTURE_TEST_CASE(a_connect, connecting_subject)
{
  BOOST_TEST(cancelled_thread([this] { object.connect(listener.local_endpoint()); }).unwinds());
  BOOST_TEST(!is_non_blocking(object.native_handle()));
  object.close();
  BOOST_TEST(!object.is_open());
}

BOOST_FIXTURE_TEST_CASE(an_accept, acceptor_subject)
{
  tcp::socket accepted(context);
  BOOST_TEST(cancelled_thread([&] { object.accept(accepted); }).unwinds());
  BOOST_TEST(!accepted.is_open());
  feed();
  object.accept(accepted);
  BOOST_TEST(accepted.is_open());
}

#endif

BOOST_AUTO_TEST_SUITE_END()
