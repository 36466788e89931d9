// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Asio's basic_resolver and its results, specialised for a closable protocol. The resolver of such a protocol is Asio's
// own; these are for code that names the templates with the protocol.

#ifndef INTERLOCK_IP_BASIC_RESOLVER_HPP
#define INTERLOCK_IP_BASIC_RESOLVER_HPP

#include <type_traits>
#include <utility>

#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/basic_resolver_results.hpp>

#include <interlock/closable.hpp>
#include <interlock/config.hpp>
#include <interlock/ip/basic_endpoint.hpp>

namespace boost {
namespace asio {
namespace ip {

/// Results for a closable protocol. Convert from Asio's own results, and to them.
/**
 * @asio
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Unsafe.
 */
template <class Protocol>
class basic_resolver_results<interlock::closable<Protocol>>
  : public basic_resolver_results<Protocol>
{
public:
  /// The protocol type associated with the results.
  using protocol_type = interlock::closable<Protocol>;

  /// Construct an empty range.
  basic_resolver_results() = default;

  /// Construct a range from Asio's own results.
  /**
   * @asio
   */
  basic_resolver_results(const basic_resolver_results<Protocol>& other)
    : basic_resolver_results<Protocol>(other)
  {
  }

  /// Construct a range from Asio's own results.
  basic_resolver_results(basic_resolver_results<Protocol>&& other)
    : basic_resolver_results<Protocol>(std::move(other))
  {
  }
};

/// A resolver for a closable protocol. The results are Asio's own.
/**
 * @asio
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Unsafe.
 */
template <class Protocol, class Executor>
class basic_resolver<interlock::closable<Protocol>, Executor>
  : public basic_resolver<Protocol, Executor>
{
public:
  /// Rebinds the resolver type to another executor.
  template <class Executor1>
  struct rebind_executor
  {
    /// The resolver type when rebound to the specified executor.
    using other = basic_resolver<interlock::closable<Protocol>, Executor1>;
  };

  /// The protocol type.
  using protocol_type = interlock::closable<Protocol>;

  /// Construct a resolver.
  using basic_resolver<Protocol, Executor>::basic_resolver;

  /// Move-construct a resolver from Asio's own.
  /**
   * @asio
   */
  template <class Executor1,
    std::enable_if_t<std::is_constructible<basic_resolver<Protocol, Executor>,
                       basic_resolver<Protocol, Executor1>>::value,
      int> = 0>
  basic_resolver(basic_resolver<Protocol, Executor1>&& other)
    : basic_resolver<Protocol, Executor>(std::move(other))
  {
  }
};

} // namespace ip
} // namespace asio
} // namespace boost

#endif // INTERLOCK_IP_BASIC_RESOLVER_HPP
