// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// One program over either: what its compilation takes is compared, and how large its code is.

#ifndef INTERLOCK_BENCH_COMPILED_TCP_HPP
#define INTERLOCK_BENCH_COMPILED_TCP_HPP

#include <boost/asio.hpp>

#if defined(BENCH_PLAIN)
using tcp = boost::asio::ip::tcp;
#else
#include <interlock/ip/tcp.hpp>
using tcp = interlock::ip::tcp;
#endif

namespace asio = boost::asio;
using boost::system::error_code;

#endif // INTERLOCK_BENCH_COMPILED_TCP_HPP
