// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Asio's basic_endpoint, specialised for a closable protocol. The endpoint of such a protocol is Asio's own; this one
// is for code that names basic_endpoint with the protocol.

#ifndef INTERLOCK_IP_BASIC_ENDPOINT_HPP
#define INTERLOCK_IP_BASIC_ENDPOINT_HPP

#include <cstdint>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/basic_endpoint.hpp>

#include <interlock/closable.hpp>
#include <interlock/config.hpp>

namespace boost {
namespace asio {
namespace ip {

/// An endpoint of a closable protocol. Converts from Asio's own endpoint, and to it.
/**
 * @asio
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Unsafe.
 */
template <class Protocol>
class basic_endpoint<interlock::closable<Protocol>> : public basic_endpoint<Protocol>
{
public:
  /// The protocol type associated with the endpoint.
  using protocol_type = interlock::closable<Protocol>;

  /// Construct an endpoint of any address and port zero.
  basic_endpoint() noexcept = default;

  /// Construct an endpoint of any address of this version of the protocol.
  /**
   * @asio
   */
  basic_endpoint(const protocol_type& protocol, std::uint_least16_t port) noexcept
    : basic_endpoint<Protocol>(static_cast<const Protocol&>(protocol), port)
  {
  }

  /// Construct an endpoint of an address.
  basic_endpoint(const address& addr, std::uint_least16_t port) noexcept
    : basic_endpoint<Protocol>(addr, port)
  {
  }

  /// Construct an endpoint from Asio's own.
  basic_endpoint(const basic_endpoint<Protocol>& other) noexcept
    : basic_endpoint<Protocol>(other)
  {
  }

  /// The protocol associated with the endpoint.
  protocol_type protocol() const noexcept
  {
    return basic_endpoint<Protocol>::protocol();
  }
};

} // namespace ip
} // namespace asio
} // namespace boost

#endif // INTERLOCK_IP_BASIC_ENDPOINT_HPP
