// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12: raw sockets are what Asio's are. Where the process may not open raw sockets the cases
// say so and are left out.

#include <cerrno>
#include <cstring>

#include <sys/socket.h>

#include <boost/test/unit_test.hpp>

#include "support/dropin_cases.hpp"
#include "support/raw_sockets_alone.hpp"

namespace {

boost::test_tools::assertion_result may_open_raw_sockets(boost::unit_test::test_unit_id)
{
  const support::fd n(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
  boost::test_tools::assertion_result may(n.get() >= 0);
  may.message() << "this process may not open raw sockets: " << std::strerror(errno);
  return may;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_dropin_raw_sockets,
  *boost::unit_test::precondition(may_open_raw_sockets)
    * boost::unit_test::fixture<support::raw_sockets_alone>())

INTERLOCK_TEST_DROPIN(icmp_socket, "icmp")
INTERLOCK_TEST_DROPIN(generic_raw_socket, "generic-raw")

BOOST_AUTO_TEST_SUITE_END()
