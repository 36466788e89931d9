// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Synchronous calls in a thread of their own. That such a call is blocked is known from the kernel
// (/proc/self/task/TID/syscall), never from time that has passed. A call that does not return
// within a generous limit ends the program: nothing could be destroyed under it.

#ifndef INTERLOCK_TEST_SUPPORT_SYNC_SUPPORT_HPP
#define INTERLOCK_TEST_SUPPORT_SYNC_SUPPORT_HPP

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <utility>

#include <sys/syscall.h>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/wait_until.hpp"
#include "support/watched_thread.hpp"

namespace support {

using boost::system::error_code;

// error_codes rather than enumerators: Boost.Test can print them.
const error_code success{};
const error_code aborted = boost::asio::error::operation_aborted;
const error_code bad_descriptor = boost::asio::error::bad_descriptor;
const error_code would_block = boost::asio::error::would_block;

/// What a synchronous call reports.
struct outcome
{
  error_code ec;
  std::size_t bytes = 0;
};

/// One synchronous call, made by a thread of its own.
class call_in_thread
{
public:
  explicit call_in_thread(std::function<outcome()> call)
    : task_(std::move(call)),
      result_(task_.get_future()),
      thread_([this] { task_(); })
  {
  }

  ~call_in_thread()
  {
    finish();
  }

  /// Waits until the thread sleeps in poll(2) or ppoll(2), having found nothing ready there. False:
  /// the call has returned instead.
  bool blocks() const
  {
    return thread_.falls_asleep();
  }

  /// The same for a call of any kind of descriptor, in whatever system call it sleeps.
  bool sleeps() const
  {
    return thread_.comes_to_sleep([](long call) { return call >= 0 && call != SYS_futex; });
  }

  bool returned() const
  {
    return result_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }

  void interrupt(int signal)
  {
    thread_.interrupt(signal);
  }

  /// What the call reported, once it has returned.
  outcome get()
  {
    finish();
    return result_.get();
  }

private:
  void finish()
  {
    if (result_.valid() && result_.wait_for(patience) != std::future_status::ready)
    {
      std::fprintf(stderr, "a synchronous call has not returned\n");
      std::abort();
    }
    thread_.join();
  }

  std::packaged_task<outcome()> task_;
  std::future<outcome> result_;
  watched_thread thread_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_SYNC_SUPPORT_HPP
