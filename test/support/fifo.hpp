// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A FIFO in a folder of its own, which is removed with it.

#ifndef INTERLOCK_TEST_SUPPORT_FIFO_HPP
#define INTERLOCK_TEST_SUPPORT_FIFO_HPP

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>

#include "descriptor_pairs.hpp"

namespace support {

class fifo
{
public:
  fifo()
  {
    checked(::mkdtemp(folder_.data()) ? 0 : -1, "mkdtemp");
    path_ = std::string(folder_.data()) + "/fifo";
    checked(::mkfifo(path_.c_str(), 0600), "mkfifo");
  }

  fifo(const fifo&) = delete;
  fifo& operator=(const fifo&) = delete;

  ~fifo()
  {
    std::remove(path_.c_str());
    std::remove(folder_.data());
  }

  /// Without O_NONBLOCK, an end that is open one way waits for the other end.
  fd open(int flags = O_RDWR | O_NONBLOCK) const
  {
    return fd(checked(::open(path_.c_str(), flags | O_CLOEXEC), "open"));
  }

private:
  std::array<char, 32> folder_ = {"/tmp/interlock-fifo-XXXXXX"};
  std::string path_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_FIFO_HPP
