// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The adapter of boost::beast::basic_stream without a limit of its rate: see interlock::async_close.

#ifndef INTERLOCK_ADAPT_BEAST_HPP
#define INTERLOCK_ADAPT_BEAST_HPP

#include <interlock/async_close.hpp>
#include <interlock/detail/adapt/beast_layer.hpp>

#endif // INTERLOCK_ADAPT_BEAST_HPP
