// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12: stream sockets of every protocol, and the base that all sockets have in common,
// are what Asio's are.

#include <boost/test/unit_test.hpp>

#include "support/dropin_cases.hpp"

BOOST_AUTO_TEST_SUITE(test_dropin_stream_sockets)

INTERLOCK_TEST_DROPIN(tcp_socket, "tcp-socket")
INTERLOCK_TEST_DROPIN(local_stream_socket, "local-stream")
INTERLOCK_TEST_DROPIN(generic_stream_socket, "generic-stream")
INTERLOCK_TEST_DROPIN(base_socket, "basic-socket")

BOOST_AUTO_TEST_SUITE_END()
