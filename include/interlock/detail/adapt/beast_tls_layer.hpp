// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The layer of TLS as Beast wraps it.

#ifndef INTERLOCK_DETAIL_ADAPT_BEAST_TLS_LAYER_HPP
#define INTERLOCK_DETAIL_ADAPT_BEAST_TLS_LAYER_HPP

#include <type_traits>

#include <boost/beast/ssl/ssl_stream.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/adapt/layer.hpp>
#include <interlock/detail/adapt/tls_layer.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

template <class Next>
struct layer<boost::beast::ssl_stream<Next>>
  : tls_layer<boost::beast::ssl_stream<Next>, std::remove_reference_t<Next>>
{
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_ADAPT_BEAST_TLS_LAYER_HPP
