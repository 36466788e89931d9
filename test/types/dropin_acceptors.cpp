// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12: acceptors of every protocol that has one are what Asio's are.

#include <boost/test/unit_test.hpp>

#include "support/dropin_cases.hpp"

BOOST_AUTO_TEST_SUITE(test_dropin_acceptors)

INTERLOCK_TEST_DROPIN(tcp_acceptor, "tcp-acceptor")
INTERLOCK_TEST_DROPIN(local_stream_acceptor, "local-stream")
INTERLOCK_TEST_DROPIN(local_packet_acceptor, "local-seq-packet")
INTERLOCK_TEST_DROPIN(user_acceptor, "user-protocol")

BOOST_AUTO_TEST_SUITE_END()
