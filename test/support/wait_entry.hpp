// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A wait list with the mutex that its owner has to bring, and entries in it.

#ifndef INTERLOCK_TEST_SUPPORT_WAIT_ENTRY_HPP
#define INTERLOCK_TEST_SUPPORT_WAIT_ENTRY_HPP

#include <mutex>

#include <poll.h>

#include <boost/system/error_code.hpp>

#include <interlock/detail/descriptor/waiting.hpp>

namespace support {

struct guarded_list
{
  std::mutex mutex;
  interlock::detail::blocked_thread_list list;
  interlock::detail::wake_events events;

  void wake_all()
  {
    const std::lock_guard<std::mutex> lock(mutex);
    list.wake_all();
  }
};

/// A waiter in a list, as long as it lives.
class entry
{
public:
  explicit entry(guarded_list& l)
    : list_(l),
      blocked_thread_(l.events)
  {
    const std::lock_guard<std::mutex> lock(list_.mutex);
    list_.list.add(blocked_thread_);
  }

  ~entry()
  {
    const std::lock_guard<std::mutex> lock(list_.mutex);
    list_.list.remove(blocked_thread_);
  }

  bool wait(int fd, boost::system::error_code& ec)
  {
    return blocked_thread_.wait(fd, POLLIN, ec);
  }

private:
  guarded_list& list_;
  interlock::detail::blocked_thread blocked_thread_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_WAIT_ENTRY_HPP
