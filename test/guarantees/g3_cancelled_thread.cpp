// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G3 and G9: a thread that is cancelled (pthread_cancel) while it closes closes all the same. close(2), the
// wake-up of another thread and the splice(2) that tells a pipe are cancellation points, within functions that must not
// throw.

#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>

#include <atomic>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include <pthread.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/detail/descriptor/descriptor_kind.hpp>

#include "support/census.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/handler_tally.hpp"
#include "support/sleeps_in_poll.hpp"
#include "support/standing_close.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::detail::descriptor_kind;
using local = interlock::local::stream_protocol;

namespace {

/// Runs `f` in a thread whose cancellation is pending: the next cancellation point ends that thread.
class cancelled_thread
{
public:
  explicit cancelled_thread(std::function<void()> f)
    : function_(std::move(f))
  {
    support::checked(-::pthread_create(&thread_, nullptr, &run, this), "pthread_create");
  }

  cancelled_thread(const cancelled_thread&) = delete;
  cancelled_thread& operator=(const cancelled_thread&) = delete;

  /// Whether the function has returned, and the thread was cancelled after it.
  bool returned_and_was_cancelled()
  {
    void* result = nullptr;
    ::pthread_join(thread_, &result);
    return returned_ && result == PTHREAD_CANCELED;
  }

private:
  static void* run(void* object)
  {
    auto& self = *static_cast<cancelled_thread*>(object);
    ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
    ::pthread_cancel(::pthread_self());
    ::pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
    self.function_();
    self.returned_ = true;
    ::pthread_testcancel();
    return nullptr;
  }

  std::function<void()> function_;
  bool returned_ = false;
  ::pthread_t thread_;
};

struct connected
{
  asio::io_context context;
  support::ends pair = support::unix_ends();
  support::close_watch watch{pair.near.get()};
  std::optional<local::socket> object{std::in_place, context, local(), pair.near.release()};

  void check(std::function<void()> f)
  {
    cancelled_thread thread(std::move(f));
    BOOST_TEST(thread.returned_and_was_cancelled());
    BOOST_TEST(watch.wait_closed());
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_g3_cancelled_thread)

BOOST_FIXTURE_TEST_CASE(close, connected)
{
  check([this] { object->close(); });
}

BOOST_FIXTURE_TEST_CASE(the_destructor, connected)
{
  check([this] { object.reset(); });
}

BOOST_AUTO_TEST_CASE(the_kind_of_a_descriptor)
{
  const support::ends pipe = support::pipe_ends();
  auto kind = descriptor_kind::unknown;
  cancelled_thread thread([&] { kind = interlock::detail::kind_of(pipe.near.get()); });
  BOOST_TEST(thread.returned_and_was_cancelled());
  BOOST_TEST((kind == descriptor_kind::pipe));
}

// The worker is asleep, and has to be woken by a write(2).
BOOST_FIXTURE_TEST_CASE(a_close_that_is_left_to_the_worker, connected)
{
  {
    support::standing_close first(context);
    first.watch.open_gate();
  }
  const ::pid_t worker = support::worker_id();
  BOOST_TEST(support::wait_until([worker] { return support::sleeps_in_epoll(worker); }));
  support::send_text(pair.far, "x");
  check([this] { object->close(); });
  BOOST_TEST(watch.by_worker());
}

BOOST_FIXTURE_TEST_CASE(the_end_of_the_last_lease, connected)
{
  interlock::fd_lease lease = object->lease();
  object->close();
  check([&lease] { lease.reset(); });
}

BOOST_FIXTURE_TEST_CASE(async_close, connected)
{
  support::handler_tally tally;
  char byte = 0;
  object->async_read_some(asio::buffer(&byte, 1), tally([](error_code, std::size_t) {}));
  check([&] { object->async_close(tally([](error_code) {})); });
  context.run();
  BOOST_TEST(tally.all_called());
}

// A cancelled thread wakes the reader by a write(2). The reader, which is not cancelled, detaches and closes.
BOOST_FIXTURE_TEST_CASE(the_last_to_leave_a_blocking_call, connected)
{
  std::atomic<::pid_t> id{0};
  error_code read;
  std::thread reader(
    [&]
    {
      char byte = 0;
      id = support::this_thread_id();
      object->read_some(asio::buffer(&byte, 1), read);
    });
  const std::thread::id reader_id = reader.get_id();
  BOOST_TEST(support::wait_until([&id] { return id != 0 && support::sleeps_in_poll(id); }));
  check([this] { object->close(); });
  reader.join();
  BOOST_TEST(read == error_code(asio::error::operation_aborted));
  BOOST_TEST((watch.close_waiter() == reader_id));
}

BOOST_AUTO_TEST_SUITE_END()
