// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Checks the language and the platform, and defines the version, symbol visibility and inlining. Does not
// depend on Asio.
//
// All of Interlock is in the inline namespace abi_0, which changes with the ABI: a program compiled for one ABI
// does not link with the library of another.

#ifndef INTERLOCK_CONFIG_HPP
#define INTERLOCK_CONFIG_HPP

#include <boost/version.hpp>

/// The version: % 100 is the patch level, / 100 % 1000 the minor, / 100000 the major version.
#define INTERLOCK_VERSION 200

#if __cplusplus < 201703L
#error Interlock needs C++17 or later: set -std=c++17 (clang 14 and older default to C++14)
#endif

#if !defined(__unix__) && !defined(__APPLE__)
#error Interlock needs a POSIX system
#endif

/// @cond
// What exists once in a program, whatever shared objects it consists of and however they are compiled: the mutexes of
// all objects, the marks of a thread, the service of a context. The library's functions, because they keep such things.
#define INTERLOCK_DECL __attribute__((visibility("default")))

// Boost's types are in the library's interface, and their layout changes between versions. A function that each program
// needs has Boost's version in its name as the linker sees it: a program of another version does not link.
#define INTERLOCK_OF_BOOST __attribute__((abi_tag("boost_" BOOST_LIB_VERSION)))

// On the read/write path a call costs as much as the code it runs; elsewhere, inlined code only takes space.
#if defined(__GNUC__)
#define INTERLOCK_HOT inline __attribute__((always_inline))
#define INTERLOCK_COLD __attribute__((noinline, cold))
#else
#define INTERLOCK_HOT inline
#define INTERLOCK_COLD
#endif
/// @endcond

#endif // INTERLOCK_CONFIG_HPP
