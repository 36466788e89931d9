// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Reads and writes on pipes, ttys, eventfds and the like, as
// boost/asio/posix/basic_stream_descriptor.hpp.

#ifndef INTERLOCK_POSIX_BASIC_STREAM_DESCRIPTOR_HPP
#define INTERLOCK_POSIX_BASIC_STREAM_DESCRIPTOR_HPP

#include <cstddef>
#include <type_traits>
#include <utility>

#include <interlock/config.hpp>
#include <interlock/detail/face/common_calls.hpp>
#include <interlock/detail/face/transfer.hpp>
#include <interlock/posix/basic_descriptor.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace posix
{

/// A stream descriptor that may be closed from any thread, at any moment, while other threads use
/// it.
/**
 * The members are those of boost::asio::posix::basic_stream_descriptor.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, but for construction, move and destruction.
 */
template <class Executor = boost::asio::any_io_executor>
class basic_stream_descriptor : public basic_descriptor<Executor>
{
private:
  using base = basic_descriptor<Executor>;
  using typename base::core_type;
  using typename base::default_token;
  using typename base::error_code;
  using initiate_async_write = detail::initiate_write<core_type>;
  using initiate_async_read = detail::initiate_read<core_type>;
  template <class Initiation, class Token, class Buffers>
  using transfer_result =
    detail::initiation_result<Token, void(error_code, std::size_t), Initiation, const Buffers&>;

public:
  /// The type of the executor associated with the object.
  using executor_type = Executor;

  /// Rebinds the descriptor type to another executor.
  template <class Executor1>
  struct rebind_executor
  {
    /// The descriptor type when rebound to the specified executor.
    using other = basic_stream_descriptor<Executor1>;
  };

  using typename base::native_handle_type;

  /// Construct a descriptor: see basic_descriptor.
  using base::base;

  /// Move-construct a descriptor. The moved-from object is as one constructed with its executor.
  basic_stream_descriptor(basic_stream_descriptor&& other) noexcept = default;

  /// Move-assign a descriptor. What this object has open is closed as by its destructor.
  basic_stream_descriptor& operator=(basic_stream_descriptor&& other) noexcept = default;

  /// Move-construct a descriptor from one of another executor type.
  template <class Executor1, typename base::template if_convertible<Executor1> = 0>
  basic_stream_descriptor(basic_stream_descriptor<Executor1>&& other)
    : base(std::move(other))
  {
  }

  /// Move-assign a descriptor from one of another executor type.
  template <class Executor1, typename base::template if_convertible<Executor1> = 0>
  basic_stream_descriptor& operator=(basic_stream_descriptor<Executor1>&& other)
  {
    return *this = basic_stream_descriptor(std::move(other));
  }

  /// Take over what Asio's own descriptor has open.
  /** Operations outstanding on it go on, but are not known to this object: a close aborts them
   * without waiting for them. */
  explicit basic_stream_descriptor(typename base::asio_type&& other)
    : base(other.get_executor())
  {
    detail::or_throw("move",
      [&](error_code& ec) { this->core_.adopt(std::move(other), ec, [](auto&, error_code&) {}); });
  }

  /// Give what this descriptor has open to Asio's own.
  /**
   * A named function, since Asio's own converting constructor would take this for an object of its
   * own.
   *
   * @throws boost::system::system_error interlock::error::in_use while a call on it is under way,
   * bad_descriptor if closed.
   */
  typename base::asio_type to_asio()
  {
    return this->core_.give_away();
  }

  /// Closes what the descriptor has open: never blocks, see close().
  ~basic_stream_descriptor() = default;

  /// Write some data to the descriptor. Blocks until some is written, an error occurs, or the
  /// descriptor is closed.
  template <class ConstBufferSequence>
  std::size_t write_some(const ConstBufferSequence& buffers)
  {
    return detail::or_throw("write_some", [&](error_code& ec) { return write_some(buffers, ec); });
  }

  /// Write some data to the descriptor. Blocks until some is written, an error occurs, or the
  /// descriptor is closed.
  template <class ConstBufferSequence>
  std::size_t write_some(const ConstBufferSequence& buffers, error_code& ec)
  {
    return detail::write_blocking(this->core_, buffers, ec, detail::calls::write);
  }

  /// Start an asynchronous write.
  template <class ConstBufferSequence, class WriteToken = default_token>
  auto async_write_some(const ConstBufferSequence& buffers, WriteToken&& token = default_token())
    -> transfer_result<initiate_async_write, WriteToken, ConstBufferSequence>
  {
    return boost::asio::async_initiate<WriteToken, void(error_code, std::size_t)>(
      initiate_async_write(&this->core_), token, buffers);
  }

  /// Read some data from the descriptor. Blocks until some is read, an error occurs, or the
  /// descriptor is closed.
  template <class MutableBufferSequence>
  std::size_t read_some(const MutableBufferSequence& buffers)
  {
    return detail::or_throw("read_some", [&](error_code& ec) { return read_some(buffers, ec); });
  }

  /// Read some data from the descriptor. Blocks until some is read, an error occurs, or the
  /// descriptor is closed.
  template <class MutableBufferSequence>
  std::size_t read_some(const MutableBufferSequence& buffers, error_code& ec)
  {
    return detail::read_blocking(this->core_, buffers, ec, detail::calls::read);
  }

  /// Start an asynchronous read.
  template <class MutableBufferSequence, class ReadToken = default_token>
  auto async_read_some(const MutableBufferSequence& buffers, ReadToken&& token = default_token())
    -> transfer_result<initiate_async_read, ReadToken, MutableBufferSequence>
  {
    return boost::asio::async_initiate<ReadToken, void(error_code, std::size_t)>(
      initiate_async_read(&this->core_), token, buffers);
  }
};

} // namespace posix
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_POSIX_BASIC_STREAM_DESCRIPTOR_HPP
