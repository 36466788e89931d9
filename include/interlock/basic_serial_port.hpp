// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A serial port, as boost/asio/basic_serial_port.hpp, with the options of Asio's serial_port_base.

#ifndef INTERLOCK_BASIC_SERIAL_PORT_HPP
#define INTERLOCK_BASIC_SERIAL_PORT_HPP

#include <string>
#include <utility>

#include <termios.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/serial_port_base.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/members/descriptor_members.hpp>
#include <interlock/detail/members/opened_descriptors.hpp>
#include <interlock/detail/members/reading_members.hpp>

namespace interlock {
inline namespace abi_0 {

/// A serial port that any thread may close at any moment while other threads use it.
/**
 * The members are those of Asio's basic_serial_port. @c close and the destructor never block: close(2),
 * which waits for up to 30 seconds until all output is sent, runs on a separate thread.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, except for construction, move and destruction. If two threads set options at
 * the same time, one option may be lost, because the system sets all of them in one call.
 *
 * @example_of{example/objects.cpp,objects_serial_port}
 */
template <class Executor = boost::asio::any_io_executor>
class basic_serial_port
  : public boost::asio::serial_port_base,
    public detail::bases::reading_members<
      detail::bases::writing_members<detail::bases::descriptor_members<Executor>>>
{
private:
  using interlock_base = detail::bases::reading_members<
    detail::bases::writing_members<detail::bases::descriptor_members<Executor>>>;

public:
  /// The type of the executor associated with the object.
  using executor_type = Executor;

  /// Rebinds the serial port type to another executor.
  template <class Executor1>
  struct rebind_executor
  {
    /// The serial port type when rebound to the specified executor.
    using other = basic_serial_port<Executor1>;
  };

  using typename interlock_base::native_handle_type;

  /// A serial port is always the lowest layer.
  using lowest_layer_type = basic_serial_port;

  /// Construct a serial port, closed or on an existing native serial port.
  using interlock_base::interlock_base;

  /// Construct and open a serial port.
  basic_serial_port(const executor_type& ex, const char* device)
    : interlock_base(ex)
  {
    open(device);
  }

  /// Construct and open a serial port.
  template <class ExecutionContext, detail::if_context<ExecutionContext> = 0>
  basic_serial_port(ExecutionContext& context, const char* device)
    : interlock_base(context.get_executor())
  {
    open(device);
  }

  /// Construct and open a serial port.
  basic_serial_port(const executor_type& ex, const std::string& device)
    : interlock_base(ex)
  {
    open(device);
  }

  /// Construct and open a serial port.
  template <class ExecutionContext, detail::if_context<ExecutionContext> = 0>
  basic_serial_port(ExecutionContext& context, const std::string& device)
    : interlock_base(context.get_executor())
  {
    open(device);
  }

  /// Move-construct a serial port. The moved-from object is as if newly constructed with its executor.
  basic_serial_port(basic_serial_port&& other) noexcept = default;

  /// Move-assign a serial port. Closes what this object has open, as its destructor does.
  basic_serial_port& operator=(basic_serial_port&& other) noexcept = default;

  /// Move-construct a serial port from one of another executor type; may throw error::in_use.
  template <class Executor1, detail::if_convertible<Executor1, Executor> = 0>
  basic_serial_port(basic_serial_port<Executor1>&& other)
    : interlock_base(other.get_executor())
  {
    detail::functions::convert_descriptor(other, this->interlock_core_);
  }

  /// Move-assign a serial port from one of another executor type.
  template <class Executor1, detail::if_convertible<Executor1, Executor> = 0>
  basic_serial_port& operator=(basic_serial_port<Executor1>&& other)
  {
    return *this = basic_serial_port(std::move(other));
  }

  /// Destroy the serial port. Closes what it has open; never blocks.
  ~basic_serial_port() = default;

  /// Get a reference to the lowest layer.
  /**
   * @asio
   */
  lowest_layer_type& lowest_layer()
  {
    return *this;
  }

  /// Get a const reference to the lowest layer.
  const lowest_layer_type& lowest_layer() const
  {
    return *this;
  }

  /// Open the serial port using the specified device name. Bytes pass unchanged until options are set.
  /**
   * @asio
   * @opening_errors{open(2) and tcsetattr(3)}
   */
  void open(const std::string& device)
  {
    detail::functions::or_throw("open", [&](boost::system::error_code& ec) { open(device, ec); });
  }

  /// Open the serial port using the specified device name. Bytes pass unchanged until options are set.
  boost::system::error_code open(const std::string& device, boost::system::error_code& ec)
  {
    return detail::functions::open_made(
      this->interlock_core_, ec,
      [&device](boost::system::error_code& e)
      { return detail::calls::open_serial_port(device.c_str(), e); },
      detail::take_descriptor());
  }

  /// Send a break sequence to the serial port.
  /**
   * @asio
   * @errors{tcsendbreak(3)}
   */
  void send_break()
  {
    detail::functions::or_throw(
      "send_break", [&](boost::system::error_code& ec) { send_break(ec); });
  }

  /// Send a break sequence to the serial port.
  /** Blocks until the break is sent, for 0.25 seconds at least. A close does not end it. */
  boost::system::error_code send_break(boost::system::error_code& ec)
  {
    this->interlock_core_.inside(
      ec, [](auto& t, boost::system::error_code& e) { detail::calls::send_break(t.fd(), e); });
    return ec;
  }

  /// Set an option on the serial port.
  /**
   * @asio
   * @errors{tcgetattr(3) and tcsetattr(3)}
   */
  template <class SettableSerialPortOption>
  void set_option(const SettableSerialPortOption& option)
  {
    detail::functions::or_throw(
      "set_option", [&](boost::system::error_code& ec) { set_option(option, ec); });
  }

  /// Set an option on the serial port.
  template <class SettableSerialPortOption>
  boost::system::error_code set_option(
    const SettableSerialPortOption& option, boost::system::error_code& ec)
  {
    this->interlock_core_.inside(ec,
      [&option](auto& t, boost::system::error_code& e)
      {
        ::termios attributes = {};
        detail::calls::get_attributes(t.fd(), attributes, e);
        if (!e)
          option.store(attributes, e);
        if (!e)
          detail::calls::set_attributes(t.fd(), attributes, e);
      });
    return ec;
  }

  /// Get an option from the serial port.
  /**
   * @asio
   * @errors{tcgetattr(3)}
   */
  template <class GettableSerialPortOption>
  void get_option(GettableSerialPortOption& option) const
  {
    detail::functions::or_throw(
      "get_option", [&](boost::system::error_code& ec) { get_option(option, ec); });
  }

  /// Get an option from the serial port.
  template <class GettableSerialPortOption>
  boost::system::error_code get_option(
    GettableSerialPortOption& option, boost::system::error_code& ec) const
  {
    this->interlock_core_.inside(ec,
      [&option](auto& t, boost::system::error_code& e)
      {
        ::termios attributes = {};
        detail::calls::get_attributes(t.fd(), attributes, e);
        if (!e)
          option.load(attributes, e);
      });
    return ec;
  }
};

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_BASIC_SERIAL_PORT_HPP
