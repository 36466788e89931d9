// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The usual form of basic_serial_port, as boost/asio/serial_port.hpp.

#ifndef INTERLOCK_SERIAL_PORT_HPP
#define INTERLOCK_SERIAL_PORT_HPP

#include <interlock/basic_serial_port.hpp>
#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {

/// A serial port for any executor.
using serial_port = basic_serial_port<>;

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_SERIAL_PORT_HPP
