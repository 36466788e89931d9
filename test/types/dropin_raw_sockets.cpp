// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12: raw sockets are what Asio's are. Where the process may not open raw sockets the cases
// say so and are left out.

#include <boost/test/unit_test.hpp>

#include "support/dropin_cases.hpp"
#include "support/raw_sockets.hpp"

BOOST_AUTO_TEST_SUITE(test_dropin_raw_sockets,
  *boost::unit_test::precondition(support::raw_sockets_may_be_opened)
    * boost::unit_test::fixture<support::raw_sockets_alone>())

INTERLOCK_TEST_DROPIN(icmp_socket, "icmp")
INTERLOCK_TEST_DROPIN(generic_raw_socket, "generic-raw")

BOOST_AUTO_TEST_SUITE_END()
