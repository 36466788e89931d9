// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A raw socket receives what any process of the machine sends to its protocol. So the tests of raw sockets,
// which run in several programs at once, take turns.

#ifndef INTERLOCK_TEST_SUPPORT_RAW_SOCKETS_ALONE_HPP
#define INTERLOCK_TEST_SUPPORT_RAW_SOCKETS_ALONE_HPP

#include <memory>
#include <mutex>

#include <fcntl.h>
#include <sys/file.h>

#include "descriptor_pairs.hpp"

namespace support {

/// While one exists, no other process has one.
class raw_sockets_alone
{
public:
  raw_sockets_alone()
    : turn_(shared())
  {
  }

private:
  class turn
  {
  public:
    turn()
    {
      // In a folder like /tmp, O_CREAT fails for the file of another user (fs.protected_regular in proc(5)).
      if (file_.get() < 0)
        file_ = fd(::open(path, O_RDONLY | O_CLOEXEC));
      // Ends with the last descriptor of this open file.
      ::flock(file_.get(), LOCK_EX);
    }

  private:
    static constexpr const char* path = "/tmp/interlock-test-raw-sockets";
    fd file_{::open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0644)};
  };

  // One lock for all of this process: a second one would wait for the first.
  static std::shared_ptr<turn> shared()
  {
    static std::mutex mutex;
    static std::weak_ptr<turn> current;
    const std::lock_guard<std::mutex> lock(mutex);
    std::shared_ptr<turn> held = current.lock();
    if (!held)
      current = held = std::make_shared<turn>();
    return held;
  }

  std::shared_ptr<turn> turn_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_RAW_SOCKETS_ALONE_HPP
