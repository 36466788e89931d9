// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The adapter of boost::beast::websocket::stream over TLS, and all others: see interlock::async_close. Needs OpenSSL.

#ifndef INTERLOCK_ADAPT_WEBSOCKET_SSL_HPP
#define INTERLOCK_ADAPT_WEBSOCKET_SSL_HPP

#include <interlock/detail/adapt/async_close_websocket.hpp>
#include <interlock/detail/adapt/websocket_tls_teardown.hpp>

#endif // INTERLOCK_ADAPT_WEBSOCKET_SSL_HPP
