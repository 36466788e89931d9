// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Asio without threads: none could close.
//
// expect: Interlock needs Asio with threads
// control

#if !defined(EXPECT_OK)
#define BOOST_ASIO_DISABLE_THREADS 1
#endif
#include <interlock/ip/tcp.hpp>
