// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What Asio documents of its objects, as expectations of an object of any type: states after failures,
// errors, empty buffers, ends, cancellation, blocking state, options, closing, moving. They hold for both families:
// that Asio's own types meet them shows that they are right.

#ifndef INTERLOCK_TEST_SUPPORT_DROPIN_SEMANTICS_HPP
#define INTERLOCK_TEST_SUPPORT_DROPIN_SEMANTICS_HPP

#include <array>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <sys/ioctl.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/serial_port_base.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/system/error_code.hpp>
#include <boost/test/unit_test.hpp>
#include <boost/version.hpp>

#include "support/closed_visitor.hpp"
#include "support/descriptors.hpp"
#include "support/dropin_compile.hpp"
#include "support/dropin_members.hpp"
#include "support/dropin_types.hpp"
#include "support/loopback_barrier.hpp"
#include "support/sigpipe_ignored.hpp"

namespace support {

/// An object, its peer, and what is expected of both.
template <class Type, class Family>
class semantics
{
public:
  using object = typename Type::template object<Family, compile_executor<Type>>;
  using error_code = boost::system::error_code;

  semantics()
  {
    Type::put(object_, pair_.near);
  }

  static void of_closed_objects()
  {
    boost::asio::io_context context;
    object o(context);
    is_closed(context, o);
    ends e = Type::make();
    Type::put(o, e.near);
    o.close();
    is_closed(context, o);
    if constexpr (!Type::is_port)
    {
      ends other = Type::make();
      Type::put(o, other.near);
      const fd released(o.release());
      is_closed(context, o);
    }
    object source(context);
    object moved(std::move(source));
    is_closed(context, source);
    is_closed(context, moved);
    ends last = Type::make();
    Type::put(source, last.near);
    moved = std::move(source);
    if constexpr (assignment_leaves_executor)
      is_closed(context, source);
    BOOST_TEST(!source.is_open());
    BOOST_TEST(moved.is_open());
    // What was moved from is as good as new.
    last = Type::make();
    Type::put(source, last.near);
  }

  void of_what_is_open_already()
  {
    ends other = Type::make();
    error_code ec;
    Type::put(object_, other.near, ec);
    BOOST_TEST(ec == error_code(boost::asio::error::already_open));
    BOOST_TEST(is_fd_open(other.near.get()));
    BOOST_TEST(object_.is_open());
    if constexpr (Type::is_socket || Type::is_acceptor)
    {
      object_.open(Type::protocol(), ec);
      BOOST_TEST(ec == error_code(boost::asio::error::already_open));
    }
    // Of the new one a failure leaves nothing open.
    object closed(context_);
    fd none;
    Type::put(closed, none, ec);
    BOOST_TEST(ec == error_code(boost::asio::error::bad_descriptor));
    BOOST_TEST(!closed.is_open());
  }

  void of_blocking_state()
  {
    if constexpr (Type::has_blocking_state)
    {
      BOOST_TEST(!object_.non_blocking());
      object_.non_blocking(true);
      BOOST_TEST(object_.non_blocking());
      error_code ec;
      object_.native_non_blocking(false, ec);
      BOOST_TEST(ec == error_code(boost::asio::error::invalid_argument));
      would_block();
      object_.non_blocking(false);
      BOOST_TEST(!object_.non_blocking());
      object_.native_non_blocking(false);
      BOOST_TEST(!object_.native_non_blocking());
    }
  }

  // (Eight bytes: ICMP passes nothing shorter on.)
  void of_transfers()
  {
    if constexpr (can_read<Type>)
    {
      put_text("abcdefgh");
      readable(8 + Type::header);
      const transfer_result t = read<Type>(object_, buffer());
      BOOST_TEST(t.is(error_code(), 8 + Type::header));
      BOOST_TEST(std::string(data_ + Type::header, 8) == "abcdefgh");
      readable(0);
      transfer_result later;
      start_read<Type>(object_, buffer(), flags_, later);
      settled(later, 0);
      put_text("ijklmnop");
      finish();
      BOOST_TEST(later.is(error_code(), 8 + Type::header));
    }
    if constexpr (can_write<Type>)
    {
      BOOST_TEST(write<Type>(object_, boost::asio::buffer("abcdefgh", 8)).is(error_code(), 8));
      transfer_result later;
      start_write<Type>(object_, boost::asio::buffer("ijklmnop", 8), later);
      settled(later, 0);
      finish();
      BOOST_TEST(later.is(error_code(), 8));
      arrived("abcdefgh", "ijklmnop");
    }
  }

  /// A stream takes no notice of empty buffers; a datagram may be empty.
  void of_empty_buffers()
  {
    if constexpr (Type::is_stream && !Type::has_records)
    {
      transfer_nothing(boost::asio::mutable_buffer());
      transfer_nothing(boost::asio::buffer(data_, 0));
      transfer_nothing(std::vector<boost::asio::mutable_buffer>());
      transfer_nothing(std::array<boost::asio::mutable_buffer, 2>());
    }
    else if constexpr (Type::has_flags && Type::header == 0)
    {
      BOOST_TEST(write<Type>(object_, boost::asio::const_buffer()).is(error_code()));
      checked(static_cast<int>(::send(pair_.far.get(), "", 0, 0)), "send");
      barrier_.pass();
      BOOST_TEST(read<Type>(object_, buffer()).is(error_code()));
      put_text("abcdef");
      // What does not fit is lost.
      BOOST_TEST(read<Type>(object_, boost::asio::buffer(data_, 2)).is(error_code(), 2));
      readable(0);
    }
  }

  void of_ends()
  {
    if constexpr (Type::is_stream && !Type::is_port && (can_read<Type> || can_write<Type>))
    {
      const sigpipe_ignored ignored;
      transfer_result waiting;
      if constexpr (can_read<Type>)
        start_read<Type>(object_, buffer(), flags_, waiting);
      pair_.far.reset();
      finish();
      if constexpr (can_read<Type>)
      {
        BOOST_TEST(waiting.is(end()));
        BOOST_TEST(read<Type>(object_, buffer()).is(end()));
        // A read of nothing does not meet the end.
        BOOST_TEST(read<Type>(object_, boost::asio::mutable_buffer()).is(error_code()));
      }
      if constexpr (!Type::has_records)
        transfer_nothing(boost::asio::mutable_buffer());
      if constexpr (can_write<Type>)
        write_fails();
      BOOST_TEST(object_.is_open());
    }
  }

  void of_shutdowns()
  {
    if constexpr (Type::is_socket && Type::is_stream && can_write<Type>)
    {
      object_.shutdown(object::shutdown_send);
      BOOST_TEST(
        write<Type>(object_, boost::asio::buffer("x", 1)).is(boost::asio::error::broken_pipe));
      char byte;
      BOOST_TEST(::read(pair_.far.get(), &byte, 1) == 0);
      put_text("abc");
      BOOST_TEST(read<Type>(object_, buffer()).is(error_code(), 3));
      object_.shutdown(object::shutdown_receive);
      BOOST_TEST(read<Type>(object_, buffer()).is(end()));
    }
    if constexpr (Type::is_socket)
    {
      object_.shutdown(object::shutdown_both);
      BOOST_TEST(object_.is_open());
    }
  }

  void of_options()
  {
    if constexpr (Type::is_socket || Type::is_acceptor)
    {
      boost::asio::socket_base::receive_buffer_size size(8192);
      object_.set_option(size);
      size = 0;
      object_.get_option(size);
      BOOST_TEST(size.value() == 8192);
      boost::asio::socket_base::linger linger(true, 7);
      object_.set_option(linger);
      linger = boost::asio::socket_base::linger();
      object_.get_option(linger);
      BOOST_TEST(linger.enabled());
      BOOST_TEST(linger.timeout() == 7);
    }
    if constexpr (Type::is_port)
    {
      using boost::asio::serial_port_base;
      object_.set_option(serial_port_base::stop_bits(serial_port_base::stop_bits::two));
      serial_port_base::stop_bits bits;
      object_.get_option(bits);
      BOOST_TEST(bits.value() == serial_port_base::stop_bits::two);
    }
  }

  void of_cancellation()
  {
    transfer_result t;
    start_what_waits(t);
    settled(t, 0);
    object_.cancel();
    finish();
    BOOST_TEST(t.is(boost::asio::error::operation_aborted));
    BOOST_TEST(t.times == 1);
    BOOST_TEST(object_.is_open());
    object_.cancel();
  }

  void of_closing()
  {
    transfer_result t;
    start_what_waits(t);
    const int fd = object_.native_handle();
    BOOST_TEST(fd >= 0);
    object_.close();
    BOOST_TEST(!object_.is_open());
    BOOST_TEST(object_.native_handle() == -1);
    finish();
    BOOST_TEST(t.is(boost::asio::error::operation_aborted));
    BOOST_TEST(t.times == 1);
    error_code ec = boost::asio::error::would_block;
    object_.close(ec);
    BOOST_TEST(!ec);
    pair_ = Type::make();
    Type::put(object_, pair_.near);
    BOOST_TEST(object_.is_open());
  }

  void of_releasing()
  {
    if constexpr (!Type::is_port)
    {
      transfer_result t;
      start_what_waits(t);
      const int expected = object_.native_handle();
      const fd released(object_.release());
      BOOST_TEST(released.get() == expected);
      BOOST_TEST(is_fd_open(expected));
      BOOST_TEST(!object_.is_open());
      finish();
      BOOST_TEST(t.is(boost::asio::error::operation_aborted));
    }
  }

  void of_moving()
  {
    transfer_result t;
    start_what_waits(t);
    const int fd = object_.native_handle();
    object moved(std::move(object_));
    BOOST_TEST(!object_.is_open());
    BOOST_TEST(moved.native_handle() == fd);
    object_ = std::move(moved);
    BOOST_TEST(object_.native_handle() == fd);
    settled(t, 0);
    object_ = object(context_);
    finish();
    BOOST_TEST(t.is(boost::asio::error::operation_aborted));
    BOOST_TEST(!object_.is_open());
  }

  void of_accepting()
  {
    if constexpr (Type::is_acceptor)
    {
      using peer = typename object::protocol_type::socket;
      peer accepted(context_);
      transfer_result t;
      object_.async_accept(accepted, t.handler());
      settled(t, 0);
      const fd client = client_of(object_.native_handle());
      finish();
      BOOST_TEST(t.is(error_code()));
      BOOST_TEST(accepted.is_open());
      BOOST_TEST(!accepted.non_blocking());
      const fd second = client_of(object_.native_handle());
      error_code ec;
      object_.accept(accepted, ec);
      BOOST_TEST(ec == error_code(boost::asio::error::already_open));
      const peer taken(object_.accept());
      BOOST_TEST(taken.is_open());
      object_.async_accept(accepted, t.handler());
      finish();
      BOOST_TEST(t.is(boost::asio::error::already_open));
    }
  }

private:
  /// With records it is an empty one.
  static error_code end()
  {
    return Type::has_records ? error_code() : error_code(boost::asio::error::eof);
  }

  /// Asio's assignment in Boost 1.74 takes the executor along, and leaves an empty one where the type has such a state:
  /// the source can open, but can start nothing.
  static constexpr bool assignment_leaves_executor = BOOST_VERSION >= 108100
    || std::is_same<Family, interlock_family>::value
    || !std::is_same<typename object::executor_type, boost::asio::any_io_executor>::value;

  static void is_closed(boost::asio::io_context& context, object& o)
  {
    BOOST_TEST(!o.is_open());
    BOOST_TEST(o.native_handle() == -1);
    closed_visitor v(context);
    const decltype(destination<Type>(o)) nowhere{};
    visit_members<Type>(context, o, v, nowhere);
    if constexpr (Type::is_socket || Type::is_acceptor)
    {
      v.both("bind", [&](auto&... ec) { return o.bind(typename object::endpoint_type(), ec...); });
      v.both("release", [&](auto&... ec) { return o.release(ec...); });
    }
    if constexpr (Type::is_socket)
      v.both("shutdown", [&](auto&... ec) { return o.shutdown(o.shutdown_both, ec...); });
    if constexpr (Type::is_acceptor)
      v.both("listen", [&](auto&... ec) { return o.listen(5, ec...); });
    error_code ec = boost::asio::error::would_block;
    o.close(ec);
    BOOST_TEST(!ec);
    BOOST_CHECK_NO_THROW(o.close());
  }

  boost::asio::mutable_buffer buffer()
  {
    return boost::asio::buffer(data_);
  }

  template <class Buffers>
  void transfer_nothing(const Buffers& buffers)
  {
    transfer_result t;
    if constexpr (can_read<Type>)
    {
      BOOST_TEST(read<Type>(object_, buffers).is(error_code()));
      start_read<Type>(object_, buffers, flags_, t);
      finish();
      BOOST_TEST(t.is(error_code()));
    }
    if constexpr (can_write<Type>)
    {
      BOOST_TEST(write<Type>(object_, buffers).is(error_code()));
      start_write<Type>(object_, buffers, t);
      finish();
      BOOST_TEST(t.is(error_code()));
    }
  }

  void put_text(const std::string& text)
  {
    send_text(pair_.far, text);
    barrier_.pass();
  }

  /// So many bytes can be read, of the next message if there are messages.
  void readable(std::size_t bytes)
  {
    if constexpr (Type::is_socket)
      BOOST_TEST(object_.available() == bytes);
    if constexpr (Type::has_blocking_state)
    {
      boost::asio::socket_base::bytes_readable command;
      object_.io_control(command);
      BOOST_TEST(command.get() == bytes);
    }
  }

  /// The peer got both, one after the other.
  void arrived(const std::string& first, const std::string& second)
  {
    std::string got;
    while (got.size() < first.size() + second.size())
    {
      char data[64];
      const int n = checked(static_cast<int>(::read(pair_.far.get(), data, sizeof(data))), "read");
      got.append(data + Type::header, data + n);
    }
    BOOST_TEST(got == first + second);
  }

  void would_block()
  {
    const error_code expected = boost::asio::error::would_block;
    error_code ec;
    object_.wait(object::wait_read, ec);
    BOOST_TEST(ec == expected);
    if constexpr (can_read<Type>)
      BOOST_TEST(read<Type>(object_, buffer()).is(expected));
    if constexpr (Type::is_acceptor)
    {
      BOOST_TEST(!object_.accept(ec).is_open());
      BOOST_TEST(ec == expected);
    }
    if constexpr (can_write<Type> && Type::output_fills)
    {
      Type::fill(object_.native_handle(), pair_.far);
      BOOST_TEST(write<Type>(object_, boost::asio::buffer("x", 1)).is(expected));
      object_.wait(object::wait_write, ec);
      BOOST_TEST(ec == expected);
    }
  }

  // A first write to a connection of TCP may still be taken.
  void write_fails()
  {
    transfer_result t;
    for (int i = 0; i != 2 && !(t.ec == error_code(boost::asio::error::broken_pipe)); ++i)
    {
      t = write<Type>(object_, boost::asio::buffer("x", 1));
      barrier_.pass();
    }
    BOOST_TEST(t.is(boost::asio::error::broken_pipe));
    transfer_result later;
    start_write<Type>(object_, boost::asio::buffer("x", 1), later);
    finish();
    BOOST_TEST(later.is(boost::asio::error::broken_pipe));
  }

  void start_what_waits(transfer_result& t)
  {
    if constexpr (Type::writes && !Type::reads)
      Type::fill(object_.native_handle(), pair_.far);
    support::start_what_waits<Type>(object_, buffer(), flags_, t);
  }

  /// Handlers have been called so often, and whatever can has been done.
  void settled(const transfer_result& t, int times)
  {
    BOOST_TEST(t.times == times);
  }

  void finish()
  {
    barrier_.pass();
    support::run(context_);
    barrier_.pass();
  }

  loopback_barrier barrier_;
  boost::asio::io_context context_;
  object object_{context_};
  ends pair_ = Type::make();
  char data_[64] = {};
  int flags_ = 0;
};

/// `Part` is a member of semantics, for each family.
template <class Type, class Part>
void means_the_same(Part part)
{
  BOOST_TEST_CONTEXT("Asio's")
  part(semantics<Type, asio_family>());
  BOOST_TEST_CONTEXT("Interlock's")
  part(semantics<Type, interlock_family>());
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_DROPIN_SEMANTICS_HPP
