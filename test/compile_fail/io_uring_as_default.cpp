// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Asio with io_uring as its default backend: there a release() is no barrier, and a descriptor could be
// touched that belongs to other code by then. It is only said to be the default, and as little of Asio
// included as can be: the rest of it needs the headers of liburing.
//
// expect: Interlock does not support io_uring as the default backend of Asio
// control

#if !defined(EXPECT_OK)
#define BOOST_ASIO_HAS_IO_URING_AS_DEFAULT 1
#endif
#include <interlock/detail/core/asio_features.hpp>
