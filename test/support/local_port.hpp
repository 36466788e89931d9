// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Where a test's server listens.

#ifndef INTERLOCK_TEST_SUPPORT_LOCAL_PORT_HPP
#define INTERLOCK_TEST_SUPPORT_LOCAL_PORT_HPP

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace support {

inline boost::asio::ip::tcp::endpoint any_local_port()
{
  return {boost::asio::ip::address_v4::loopback(), 0};
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_LOCAL_PORT_HPP
