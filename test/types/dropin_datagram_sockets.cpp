// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12: datagram sockets of every protocol are what Asio's are.

#include <boost/test/unit_test.hpp>

#include "support/dropin_cases.hpp"

BOOST_AUTO_TEST_SUITE(test_dropin_datagram_sockets)

INTERLOCK_TEST_DROPIN(udp_socket, "udp")
INTERLOCK_TEST_DROPIN(local_datagram_socket, "local-datagram")
INTERLOCK_TEST_DROPIN(generic_datagram_socket, "generic-datagram")

BOOST_AUTO_TEST_SUITE_END()
