// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A language before C++17. It is only said to be older: all cases are compiled with the same
// options.
//
// expect: Interlock needs C++17 or later
// control

#if !defined(EXPECT_OK)
#undef __cplusplus
#define __cplusplus 201402L
#endif
#include <interlock/config.hpp>
