// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The layer of Beast's timeouts, which has no end of its own.

#ifndef INTERLOCK_DETAIL_ADAPT_BEAST_LAYER_HPP
#define INTERLOCK_DETAIL_ADAPT_BEAST_LAYER_HPP

#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/rate_policy.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/adapt/layer.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

// With another rate policy a write may be outstanding here, and none on the connection: a close would not wait for it.
template <class Protocol, class Executor>
struct layer<boost::beast::basic_stream<Protocol, Executor, boost::beast::unlimited_rate_policy>>
  : upper_layer<typename boost::beast::basic_stream<Protocol, Executor>::socket_type, false>
{
  static auto& next(boost::beast::basic_stream<Protocol, Executor>& s) noexcept
  {
    return s.socket();
  }
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_ADAPT_BEAST_LAYER_HPP
