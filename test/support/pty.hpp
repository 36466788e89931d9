// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A pseudo-terminal: its master, and the name under which its slave is opened like any serial port.

#ifndef INTERLOCK_TEST_SUPPORT_PTY_HPP
#define INTERLOCK_TEST_SUPPORT_PTY_HPP

#include <cstddef>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "support/descriptor_pairs.hpp"

namespace support {

class pty
{
public:
  pty()
    : master_(checked(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), "posix_openpt"))
  {
    checked(::grantpt(master_.get()), "grantpt");
    checked(::unlockpt(master_.get()), "unlockpt");
    name_ = ::ptsname(master_.get());
  }

  const fd& master() const noexcept
  {
    return master_;
  }

  const std::string& name() const noexcept
  {
    return name_;
  }

  void hang_up() noexcept
  {
    master_.reset();
  }

private:
  fd master_;
  std::string name_;
};

/// Reads `size` bytes that have been written to the slave, or will be.
inline std::string drain_terminal(const fd& master, std::size_t size)
{
  std::string text(size, ' ');
  std::size_t got = 0;
  while (got != size)
    got += static_cast<std::size_t>(
      checked(static_cast<int>(::read(master.get(), &text[got], size - got)), "read"));
  return text;
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_PTY_HPP
