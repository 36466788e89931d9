// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Starting reads and writes, sends and receives. What the user gives by reference and Asio fills in
// goes by pointer: a lazy token would copy it.

#ifndef INTERLOCK_DETAIL_MEMBERS_TRANSFER_HPP
#define INTERLOCK_DETAIL_MEMBERS_TRANSFER_HPP

#include <cstddef>
#include <utility>

#include <boost/asio/socket_base.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/initiation.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

template <class Core>
class initiate_send : public initiation<Core>
{
public:
  using initiation<Core>::initiation;

  static constexpr op_kind kind = can_deliver<typename Core::inner_type>::value ? op_kind::write
                                                                                : op_kind::transfer;

  template <class Handler, class Buffers>
  void operator()(
    Handler&& handler, const Buffers& buffers, boost::asio::socket_base::message_flags flags) const
  {
    own_handler<Handler> own(handler);
    this->template start<kind>(
      own,
      [&](auto& inner, auto&& tracked) { inner.async_send(buffers, flags, std::move(tracked)); },
      std::size_t(0));
  }
};

template <class Core>
class initiate_receive : public initiation<Core>
{
public:
  using initiation<Core>::initiation;

  template <class Handler, class Buffers>
  void operator()(
    Handler&& handler, const Buffers& buffers, boost::asio::socket_base::message_flags flags) const
  {
    own_handler<Handler> own(handler);
    this->template start<op_kind::transfer>(
      own,
      [&](auto& inner, auto&& tracked) { inner.async_receive(buffers, flags, std::move(tracked)); },
      std::size_t(0));
  }
};

template <class Core>
class initiate_send_to : public initiation<Core>
{
public:
  using initiation<Core>::initiation;

  template <class Handler, class Buffers, class Endpoint>
  void operator()(Handler&& handler, const Buffers& buffers, const Endpoint& destination,
    boost::asio::socket_base::message_flags flags) const
  {
    own_handler<Handler> own(handler);
    this->template start<op_kind::transfer>(
      own,
      [&](auto& inner, auto&& tracked)
      { inner.async_send_to(buffers, destination, flags, std::move(tracked)); },
      std::size_t(0));
  }
};

template <class Core>
class initiate_receive_from : public initiation<Core>
{
public:
  using initiation<Core>::initiation;

  template <class Handler, class Buffers, class Endpoint>
  void operator()(Handler&& handler, const Buffers& buffers, Endpoint* sender,
    boost::asio::socket_base::message_flags flags) const
  {
    own_handler<Handler> own(handler);
    this->template start<op_kind::transfer>(
      own,
      [&](auto& inner, auto&& tracked)
      { inner.async_receive_from(buffers, *sender, flags, std::move(tracked)); },
      std::size_t(0));
  }
};

/// Tells what has become of the message as well.
template <class Core>
class initiate_receive_message : public initiation<Core>
{
public:
  using initiation<Core>::initiation;

  template <class Handler, class Buffers>
  void operator()(Handler&& handler, const Buffers& buffers,
    boost::asio::socket_base::message_flags in_flags,
    boost::asio::socket_base::message_flags* out_flags) const
  {
    own_handler<Handler> own(handler);
    this->template start<op_kind::transfer>(
      own,
      [&](auto& inner, auto&& tracked)
      { inner.async_receive(buffers, in_flags, *out_flags, std::move(tracked)); },
      std::size_t(0));
  }
};

template <class Core>
class initiate_write : public initiation<Core>
{
public:
  using initiation<Core>::initiation;

  template <class Handler, class Buffers>
  void operator()(Handler&& handler, const Buffers& buffers) const
  {
    own_handler<Handler> own(handler);
    this->template start<op_kind::transfer>(
      own,
      [&](auto& inner, auto&& tracked) { inner.async_write_some(buffers, std::move(tracked)); },
      std::size_t(0));
  }
};

template <class Core>
class initiate_read : public initiation<Core>
{
public:
  using initiation<Core>::initiation;

  template <class Handler, class Buffers>
  void operator()(Handler&& handler, const Buffers& buffers) const
  {
    own_handler<Handler> own(handler);
    this->template start<op_kind::transfer>(
      own, [&](auto& inner, auto&& tracked) { inner.async_read_some(buffers, std::move(tracked)); },
      std::size_t(0));
  }
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_TRANSFER_HPP
