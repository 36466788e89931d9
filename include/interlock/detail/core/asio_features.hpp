// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What Interlock requires of Asio, and what Asio's version offers. No other file tests BOOST_ASIO_VERSION,
// except close_service.hpp, which stands in an earlier room (see doc/design.qbk) and may not include this.

#ifndef INTERLOCK_DETAIL_CORE_ASIO_FEATURES_HPP
#define INTERLOCK_DETAIL_CORE_ASIO_FEATURES_HPP

#include <boost/asio/execution_context.hpp>
#include <boost/asio/version.hpp>

#include <interlock/config.hpp>

#if BOOST_ASIO_VERSION < 101800
#error Interlock needs Boost 1.74 (Asio 1.18) or later
#endif

#if defined(BOOST_ASIO_DISABLE_THREADS) || !defined(BOOST_ASIO_HAS_THREADS)
#error Interlock needs Asio with threads: the close runs on a thread of its own (undefine BOOST_ASIO_DISABLE_THREADS)
#endif

// With io_uring as the default backend release() is no barrier: a cancelled operation of Asio can still touch
// the descriptor when its completion is processed, when its number may have been reused.
#if defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)
#error Interlock does not support io_uring as the default backend of Asio (undefine BOOST_ASIO_DISABLE_EPOLL)
#endif

// Descriptors over other executors than any_io_executor: Boost 1.75. Those of 1.74 cannot be moved.
#if BOOST_ASIO_VERSION > 101800
#define INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR 1
#endif

// Per-operation cancellation and associator: Boost 1.77.
#if BOOST_ASIO_VERSION >= 102000
#define INTERLOCK_HAS_CANCELLATION_SLOTS 1
#endif

// Exceptions that carry the place of the call: Boost 1.79, unless the program has turned them off.
#if defined(BOOST_ASIO_HAS_BOOST_SOURCE_LOCATION)
#define INTERLOCK_HAS_SOURCE_LOCATION 1
#endif

// Pipes: Boost 1.80. A program may leave them out by BOOST_ASIO_DISABLE_PIPE.
#if BOOST_ASIO_VERSION >= 102400 && defined(BOOST_ASIO_HAS_PIPE)
#define INTERLOCK_HAS_PIPES 1
#endif

// Immediate executors, and sequenced packets of AF_UNIX: Boost 1.82.
#if BOOST_ASIO_VERSION >= 102700
#define INTERLOCK_HAS_IMMEDIATE_EXECUTORS 1
#define INTERLOCK_HAS_SEQ_PACKET_PROTOCOL 1
#endif

// Completion tokens checked by concepts. A program may turn them off by BOOST_ASIO_DISABLE_CONCEPTS.
#if defined(BOOST_ASIO_HAS_CONCEPTS) && __cpp_concepts >= 201707L
#define INTERLOCK_HAS_TOKEN_CONCEPTS 1
#endif

// Executors of the Networking TS, unless the program has turned them off.
#if !defined(BOOST_ASIO_NO_TS_EXECUTORS)
#define INTERLOCK_HAS_TS_EXECUTORS 1
#endif

// The hooks asio_handler_invoke, asio_handler_allocate and asio_handler_deallocate: up to Boost 1.85.
#if defined(__has_include) && !defined(BOOST_ASIO_NO_DEPRECATED)
#if __has_include(<boost/asio/handler_invoke_hook.hpp>)
#define INTERLOCK_HAS_HANDLER_HOOKS 1
#endif
#endif

#endif // INTERLOCK_DETAIL_CORE_ASIO_FEATURES_HPP
