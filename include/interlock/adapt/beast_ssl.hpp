// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The adapters of TLS and Beast together: boost::asio::ssl::stream and boost::beast::ssl_stream over a socket, or
// over a boost::beast::basic_stream. See interlock::async_close. Needs OpenSSL.

#ifndef INTERLOCK_ADAPT_BEAST_SSL_HPP
#define INTERLOCK_ADAPT_BEAST_SSL_HPP

#include <interlock/async_close.hpp>
#include <interlock/detail/adapt/beast_layer.hpp>
#include <interlock/detail/adapt/beast_tls_layer.hpp>
#include <interlock/detail/adapt/tls_layer.hpp>

#endif // INTERLOCK_ADAPT_BEAST_SSL_HPP
