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
#include <string>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/wait_until.hpp"

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
      thread_([this] { run(); }),
      syscall_(open_state(id_.get_future().get()))
  {
    observed_.set_value();
  }

  call_in_thread(const call_in_thread&) = delete;
  call_in_thread& operator=(const call_in_thread&) = delete;

  ~call_in_thread()
  {
    finish();
  }

  /// Waits until the thread sleeps in poll(2) or ppoll(2), having found nothing ready there. False:
  /// the call has returned instead.
  bool blocks() const
  {
    bool polls = false;
    wait_until([&] { return returned() || (polls = is_poll(current_syscall())); });
    return polls;
  }

  /// The same for a call of any kind of descriptor, in whatever system call it sleeps.
  bool sleeps() const
  {
    const auto is_asleep = [this]
    {
      const long call = current_syscall();
      return call >= 0 && call != SYS_futex;
    };
    bool asleep = false;
    wait_until([&] { return returned() || (asleep = is_asleep()); });
    return asleep;
  }

  bool returned() const
  {
    return result_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }

  void interrupt(int signal)
  {
    ::pthread_kill(thread_.native_handle(), signal);
  }

  /// What the call reported, once it has returned.
  outcome get()
  {
    finish();
    return result_.get();
  }

private:
  // The file of a thread that has ended cannot be opened.
  void run()
  {
    id_.set_value(static_cast<::pid_t>(::syscall(SYS_gettid)));
    observed_.get_future().wait();
    task_();
  }

  void finish()
  {
    if (result_.valid() && result_.wait_for(patience) != std::future_status::ready)
      give_up("a synchronous call has not returned");
    if (thread_.joinable())
      thread_.join();
  }

  static int open_state(::pid_t id)
  {
    const std::string path = "/proc/self/task/" + std::to_string(id) + "/syscall";
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
      give_up("the state of a thread cannot be read");
    return file;
  }

  [[noreturn]] static void give_up(const char* reason)
  {
    std::fprintf(stderr, "%s\n", reason);
    std::abort();
  }

  static bool is_poll(long call)
  {
#if defined(SYS_poll)
    if (call == SYS_poll)
      return true;
#endif
    return call == SYS_ppoll;
  }

  // The system call in which the thread sleeps; -1 while it runs.
  long current_syscall() const
  {
    char text[128] = {};
    if (::pread(syscall_.get(), text, sizeof(text) - 1, 0) <= 0 || text[0] < '0' || text[0] > '9')
      return -1;
    return std::strtol(text, nullptr, 10);
  }

  std::promise<::pid_t> id_;
  std::promise<void> observed_;
  std::packaged_task<outcome()> task_;
  std::future<outcome> result_;
  std::thread thread_;
  fd syscall_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_SYNC_SUPPORT_HPP
