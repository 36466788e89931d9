// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What tests of raw sockets need: the permission to open one, and a turn, because a raw socket receives what
// any process of the machine sends to its protocol.

#ifndef INTERLOCK_TEST_SUPPORT_RAW_SOCKETS_HPP
#define INTERLOCK_TEST_SUPPORT_RAW_SOCKETS_HPP

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>

#include <boost/test/unit_test.hpp>

#include "descriptor_pairs.hpp"

namespace support {

/// A precondition of test suites.
inline boost::test_tools::assertion_result raw_sockets_may_be_opened(boost::unit_test::test_unit_id)
{
  const fd n(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
  boost::test_tools::assertion_result may(n.get() >= 0);
  may.message() << "this process may not open raw sockets: " << std::strerror(errno);
  return may;
}

/// While it exists, no other one exists, in any process of the machine.
class raw_sockets_alone
{
public:
  raw_sockets_alone()
  {
    // In a folder like /tmp, O_CREAT fails for the file of another user (fs.protected_regular in proc(5)).
    if (file_.get() < 0)
      file_.reset(checked(::open(path, O_RDONLY | O_CLOEXEC), path));
    checked(::flock(file_.get(), LOCK_EX), "flock");
  }

private:
  static constexpr const char* path = "/tmp/interlock-test-raw-sockets";

  fd file_{::open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0644)};
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_RAW_SOCKETS_HPP
