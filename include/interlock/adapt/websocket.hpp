// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The adapter of boost::beast::websocket::stream over a socket, or over a boost::beast::basic_stream: see
// interlock::async_close. Over TLS: websocket_ssl.hpp.

#ifndef INTERLOCK_ADAPT_WEBSOCKET_HPP
#define INTERLOCK_ADAPT_WEBSOCKET_HPP

#include <interlock/detail/adapt/async_close_websocket.hpp>
#include <interlock/detail/adapt/beast_layer.hpp>

#endif // INTERLOCK_ADAPT_WEBSOCKET_HPP
