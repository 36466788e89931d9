// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The close of a websocket over Asio's TLS on Beast's stream with timeouts, on an Interlock socket: both layers end.

#include <boost/version.hpp>

// Beast 1.81 does not compile with the Asio of 1.74, nor the one of 1.74 with this compiler.
#if BOOST_VERSION >= 108100

#include <interlock/adapt/websocket_ssl.hpp>

#include <tuple>

#include <boost/asio/ssl.hpp>
#include <boost/beast/core/basic_stream.hpp>

#include <interlock/ip/tcp.hpp>

namespace {

using streams =
  std::tuple<boost::asio::ssl::stream<boost::beast::basic_stream<interlock::ip::tcp>>>;

} // namespace

#define INTERLOCK_TEST_SUITE test_websocket_ssl
#include "websocket_cases.hpp"

#endif
