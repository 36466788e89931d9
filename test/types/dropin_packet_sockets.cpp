// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12: sequenced packet sockets of every protocol, one of a user's among them, are what
// Asio's are. AF_UNIX's own are a user's where Asio has none, before Boost 1.82.

#include <boost/test/unit_test.hpp>

#include "support/dropin_cases.hpp"

BOOST_AUTO_TEST_SUITE(test_dropin_packet_sockets)

INTERLOCK_TEST_DROPIN(generic_packet_socket, "generic-seq-packet")
INTERLOCK_TEST_DROPIN(local_packet_socket, "local-seq-packet")
INTERLOCK_TEST_DROPIN(user_socket, "user-protocol")

BOOST_AUTO_TEST_SUITE_END()
