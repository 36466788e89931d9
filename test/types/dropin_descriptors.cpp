// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12: descriptors, the ends of pipes and serial ports are what Asio's are. Where Asio has no
// pipes, before Boost 1.80, ours are compared with themselves.

#include <boost/test/unit_test.hpp>

#include "support/dropin_cases.hpp"

BOOST_AUTO_TEST_SUITE(test_dropin_descriptors)

INTERLOCK_TEST_DROPIN(descriptor, "descriptor")
INTERLOCK_TEST_DROPIN(stream_descriptor, "stream-descriptor")
INTERLOCK_TEST_DROPIN(readable_pipe, "readable-pipe")
INTERLOCK_TEST_DROPIN(writable_pipe, "writable-pipe")
INTERLOCK_TEST_DROPIN(serial_port, "serial-port")

BOOST_AUTO_TEST_SUITE_END()
