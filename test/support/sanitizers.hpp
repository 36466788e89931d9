// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Which sanitizer a test is compiled with: gcc says it by macros, clang by features.

#ifndef INTERLOCK_TEST_SUPPORT_SANITIZERS_HPP
#define INTERLOCK_TEST_SUPPORT_SANITIZERS_HPP

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define INTERLOCK_TEST_THREAD_SANITIZER
#endif
#if __has_feature(address_sanitizer)
#define INTERLOCK_TEST_ADDRESS_SANITIZER
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define INTERLOCK_TEST_THREAD_SANITIZER
#endif
#if defined(__SANITIZE_ADDRESS__)
#define INTERLOCK_TEST_ADDRESS_SANITIZER
#endif

#endif // INTERLOCK_TEST_SUPPORT_SANITIZERS_HPP
