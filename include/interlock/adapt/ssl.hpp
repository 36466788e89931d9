// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The adapter of boost::asio::ssl::stream: see interlock::async_close. Needs OpenSSL.

#ifndef INTERLOCK_ADAPT_SSL_HPP
#define INTERLOCK_ADAPT_SSL_HPP

#include <interlock/async_close.hpp>
#include <interlock/detail/adapt/tls_layer.hpp>

#endif // INTERLOCK_ADAPT_SSL_HPP
