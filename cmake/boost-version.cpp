// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Preprocessed by "b2 install": the version of Boost that the library is compiled with, as in "1_81".

#include <boost/version.hpp>

BOOST_LIB_VERSION
