// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The initiations of reads and writes, sends and receives. What Asio writes through a reference of the
// user is passed as a pointer, because a lazy token stores copies of the arguments.

#ifndef INTERLOCK_DETAIL_MEMBERS_TRANSFER_HPP
#define INTERLOCK_DETAIL_MEMBERS_TRANSFER_HPP

#include <cstddef>
#include <utility>

#include <boost/asio/socket_base.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/initiation.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

using message_flags = boost::asio::socket_base::message_flags;

/// Starts `Call()(inner, tracked handler, buffers, args...)` as an operation of kind `Kind`, with the
/// signature `void(error_code, std::size_t)`.
/** `Args` says how the arguments after the buffers are passed: flags by value, which a register holds. */
template <class Core, op_kind Kind, class Call, class... Args>
class initiate_transfer : public initiation<Core>
{
public:
  using initiation<Core>::initiation;

  template <class Handler, class Buffers>
  void operator()(Handler&& handler, const Buffers& buffers, Args... args) const
  {
    constexpr bool met = can_take<Handler, const boost::system::error_code&, const std::size_t&>;
    static_assert(met || !Call::reads, "ReadHandler type requirements not met");
    static_assert(met || Call::reads, "WriteHandler type requirements not met");
    if constexpr (met)
    {
      own_handler<Handler> own(handler);
      this->template start<Kind>(
        own,
        [&](auto& inner, auto&& tracked) { Call()(inner, std::move(tracked), buffers, args...); },
        std::size_t(0));
    }
  }
};

// The calls: each names one member of Asio's object, and whether that reads.

struct call_send
{
  static constexpr bool reads = false;

  template <class Inner, class Handler, class Buffers>
  void operator()(
    Inner& inner, Handler&& handler, const Buffers& buffers, message_flags flags) const
  {
    inner.async_send(buffers, flags, std::move(handler));
  }
};

struct call_receive
{
  static constexpr bool reads = true;

  template <class Inner, class Handler, class Buffers>
  void operator()(
    Inner& inner, Handler&& handler, const Buffers& buffers, message_flags flags) const
  {
    inner.async_receive(buffers, flags, std::move(handler));
  }
};

struct call_send_to
{
  static constexpr bool reads = false;

  template <class Inner, class Handler, class Buffers, class Endpoint>
  void operator()(Inner& inner, Handler&& handler, const Buffers& buffers, const Endpoint& to,
    message_flags flags) const
  {
    inner.async_send_to(buffers, to, flags, std::move(handler));
  }
};

struct call_receive_from
{
  static constexpr bool reads = true;

  template <class Inner, class Handler, class Buffers, class Endpoint>
  void operator()(Inner& inner, Handler&& handler, const Buffers& buffers, Endpoint* from,
    message_flags flags) const
  {
    inner.async_receive_from(buffers, *from, flags, std::move(handler));
  }
};

struct call_receive_message
{
  static constexpr bool reads = true;

  template <class Inner, class Handler, class Buffers>
  void operator()(Inner& inner, Handler&& handler, const Buffers& buffers, message_flags in_flags,
    message_flags* out_flags) const
  {
    inner.async_receive(buffers, in_flags, *out_flags, std::move(handler));
  }
};

struct call_write_some
{
  static constexpr bool reads = false;

  template <class Inner, class Handler, class Buffers>
  void operator()(Inner& inner, Handler&& handler, const Buffers& buffers) const
  {
    inner.async_write_some(buffers, std::move(handler));
  }
};

struct call_read_some
{
  static constexpr bool reads = true;

  template <class Inner, class Handler, class Buffers>
  void operator()(Inner& inner, Handler&& handler, const Buffers& buffers) const
  {
    inner.async_read_some(buffers, std::move(handler));
  }
};

template <class Core>
using initiate_send = initiate_transfer<Core,
  can_deliver<typename Core::inner_type>::value ? op_kind::write : op_kind::transfer, call_send,
  message_flags>;

template <class Core>
using initiate_receive = initiate_transfer<Core, op_kind::transfer, call_receive, message_flags>;

template <class Core, class Endpoint>
using initiate_send_to =
  initiate_transfer<Core, op_kind::transfer, call_send_to, const Endpoint&, message_flags>;

template <class Core, class Endpoint>
using initiate_receive_from =
  initiate_transfer<Core, op_kind::transfer, call_receive_from, Endpoint*, message_flags>;

template <class Core>
using initiate_receive_message =
  initiate_transfer<Core, op_kind::transfer, call_receive_message, message_flags, message_flags*>;

template <class Core>
using initiate_write = initiate_transfer<Core, op_kind::transfer, call_write_some>; // has no flush

template <class Core>
using initiate_read = initiate_transfer<Core, op_kind::transfer, call_read_some>;

// What the members that start these return.

template <class Initiation, class Token, class... Args>
using transfer_result =
  initiation_result<Token, void(boost::system::error_code, std::size_t), Initiation, Args...>;

template <class Core, class Token, class Buffers>
using send_result = transfer_result<initiate_send<Core>, Token, const Buffers&, message_flags&>;

template <class Core, class Token, class Buffers>
using receive_result =
  transfer_result<initiate_receive<Core>, Token, const Buffers&, message_flags&>;

template <class Core, class Token, class Buffers, class Endpoint>
using send_to_result = transfer_result<initiate_send_to<Core, Endpoint>, Token, const Buffers&,
  const Endpoint&, message_flags&>;

template <class Core, class Token, class Buffers, class Endpoint>
using receive_from_result = transfer_result<initiate_receive_from<Core, Endpoint>, Token,
  const Buffers&, Endpoint*, message_flags&>;

/// `Flags`: `message_flags`, or a reference to it.
template <class Core, class Token, class Buffers, class Flags>
using receive_message_result =
  transfer_result<initiate_receive_message<Core>, Token, const Buffers&, Flags, message_flags*>;

template <class Core, class Token, class Buffers>
using write_result = transfer_result<initiate_write<Core>, Token, const Buffers&>;

template <class Core, class Token, class Buffers>
using read_result = transfer_result<initiate_read<Core>, Token, const Buffers&>;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_TRANSFER_HPP
