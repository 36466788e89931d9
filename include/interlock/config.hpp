// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What every other file may take for granted: the version, symbol visibility, and a platform on
// which the promise can be kept. Everything lives in the inline namespace abi_0, which changes with
// the ABI: a program compiled against one and linked with the library of another fails to link.
// Nothing here depends on Asio.

#ifndef INTERLOCK_CONFIG_HPP
#define INTERLOCK_CONFIG_HPP

// INTERLOCK_VERSION % 100 is the patch level, / 100 % 1000 the minor, / 100000 the major version.
#define INTERLOCK_VERSION 100

#if __cplusplus < 201703L
#error Interlock needs C++17 or later: set -std=c++17 (clang 14 and older default to C++14)
#endif

#if !defined(__unix__) && !defined(__APPLE__)
#error Interlock needs a POSIX system
#endif

#if defined(INTERLOCK_DYN_LINK)
#define INTERLOCK_DECL __attribute__((visibility("default")))
#else
#define INTERLOCK_DECL
#endif

// On the read/write path a call costs as much as what is called; off it, inlined code is in the way.
#if defined(__GNUC__)
#define INTERLOCK_HOT inline __attribute__((always_inline))
#define INTERLOCK_COLD __attribute__((noinline, cold))
#else
#define INTERLOCK_HOT inline
#define INTERLOCK_COLD
#endif

#endif // INTERLOCK_CONFIG_HPP
