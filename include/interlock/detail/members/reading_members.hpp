// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Reads by read(2) and writes by write(2), for descriptors, pipes and serial ports.

#ifndef INTERLOCK_DETAIL_MEMBERS_READING_MEMBERS_HPP
#define INTERLOCK_DETAIL_MEMBERS_READING_MEMBERS_HPP

#include <cstddef>
#include <utility>

#include <boost/asio/async_result.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/throw_if.hpp>
#include <interlock/detail/members/blocking_transfers.hpp>
#include <interlock/detail/members/closing_members.hpp>
#include <interlock/detail/members/transfer.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {
namespace bases {

/// The members of descriptors, pipes and serial ports that read.
template <class Members>
class reading_members : public Members
{
protected:
  /// @cond
  reading_members(reading_members&&) noexcept = default;
  reading_members& operator=(reading_members&&) noexcept = default;
  ~reading_members() = default;
  /// @endcond

public:
  using Members::Members;

  /// Read some data from the descriptor. Blocks until some is read, an error occurs, or the
  /// descriptor is closed.
  /**
   * @asio
   * @waiting_errors{readv(2), and boost::asio::error::eof}
   */
  template <class MutableBufferSequence>
  std::size_t read_some(const MutableBufferSequence& buffers)
  {
    return functions::or_throw("read_some", [&](error_code& ec) { return read_some(buffers, ec); });
  }

  /// Read some data from the descriptor. Blocks until some is read, an error occurs, or the
  /// descriptor is closed.
  template <class MutableBufferSequence>
  std::size_t read_some(const MutableBufferSequence& buffers, error_code& ec)
  {
    return functions::read_blocking(this->interlock_core_, buffers, ec, calls::read);
  }

  /// Start an asynchronous read.
  /**
   * @asio
   * @async_errors{readv(2), and boost::asio::error::eof}
   */
  template <class MutableBufferSequence,
    INTERLOCK_TOKEN_FOR(void(error_code, std::size_t)) ReadToken = default_token_of<Members>>
  auto async_read_some(
    const MutableBufferSequence& buffers, ReadToken&& token = default_token_of<Members>())
    -> read_result<core_of<Members>, ReadToken, MutableBufferSequence>
  {
    return boost::asio::async_initiate<ReadToken, void(error_code, std::size_t)>(
      initiate_read<core_of<Members>>(&this->interlock_core_), token, buffers);
  }
};

/// The members of descriptors, pipes and serial ports that write.
template <class Members>
class writing_members : public Members
{
protected:
  /// @cond
  writing_members(writing_members&&) noexcept = default;
  writing_members& operator=(writing_members&&) noexcept = default;
  ~writing_members() = default;
  /// @endcond

public:
  using Members::Members;

  /// Write data to the descriptor. Blocks until all is written, an error occurs, or the descriptor is closed.
  /**
   * @asio
   * @waiting_errors{writev(2)}
   */
  template <class ConstBufferSequence>
  std::size_t write_some(const ConstBufferSequence& buffers)
  {
    return functions::or_throw(
      "write_some", [&](error_code& ec) { return write_some(buffers, ec); });
  }

  /// Write data to the descriptor. Blocks until all is written, an error occurs, or the descriptor is closed.
  template <class ConstBufferSequence>
  std::size_t write_some(const ConstBufferSequence& buffers, error_code& ec)
  {
    return functions::write_blocking(this->interlock_core_, buffers, 0, ec, calls::write);
  }

  /// Start an asynchronous write.
  /**
   * @asio
   * @async_errors{writev(2)}
   */
  template <class ConstBufferSequence,
    INTERLOCK_TOKEN_FOR(void(error_code, std::size_t)) WriteToken = default_token_of<Members>>
  auto async_write_some(
    const ConstBufferSequence& buffers, WriteToken&& token = default_token_of<Members>())
    -> write_result<core_of<Members>, WriteToken, ConstBufferSequence>
  {
    return boost::asio::async_initiate<WriteToken, void(error_code, std::size_t)>(
      initiate_write<core_of<Members>>(&this->interlock_core_), token, buffers);
  }
};

} // namespace bases
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_READING_MEMBERS_HPP
