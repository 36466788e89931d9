// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The entry point of the unit tests: Boost.Test's own main(), compiled in this file alone. Each
// file of a program that includes this one registers the cases of its suite by itself.

#define BOOST_TEST_MODULE interlock
#include <boost/test/unit_test.hpp>
