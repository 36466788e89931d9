// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Every member of every type, in every overload, as calls that a visitor makes. The visitor has
//
//   both(name, call)     call() and call(ec): the overload that throws, and the one that reports
//   only(name, call)     call(): there is no other
//   async(name, start)   start(token), and start() where the executor has a token
//
// None of these closes the object, or opens it: calls that do are in dropin_compile.hpp. After them: transfers by
// whatever members the type has.

#ifndef INTERLOCK_TEST_SUPPORT_DROPIN_MEMBERS_HPP
#define INTERLOCK_TEST_SUPPORT_DROPIN_MEMBERS_HPP

#include <cstddef>
#include <list>
#include <type_traits>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/serial_port_base.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/system/error_code.hpp>
#include <boost/test/unit_test.hpp>

#include "support/dropin_types.hpp"

namespace support {

/// What the calls read and write.
struct member_buffers
{
  char data[8] = {};
  boost::asio::mutable_buffer in{data, sizeof(data)};
  boost::asio::const_buffer out{"payload", 7};
};

inline member_buffers& shared_buffers()
{
  static member_buffers buffers;
  return buffers;
}

// A call of the visitor for one that takes these arguments before the token, if there is one.
#define INTERLOCK_TEST_ASYNC(function, ...) \
  v.async(#function, \
    [&](auto&&... token) \
    { return o.function(__VA_ARGS__, std::forward<decltype(token)>(token)...); })

template <class Object, class Visitor>
void visit_blocking_state(Object& o, Visitor& v)
{
  const auto& constant = o;
  v.both("non_blocking", [&](auto&... ec) { return o.non_blocking(true, ec...); });
  v.both("native_non_blocking", [&](auto&... ec) { return o.native_non_blocking(true, ec...); });
  v.only("non_blocking", [&] { return constant.non_blocking(); });
  v.only("native_non_blocking", [&] { return constant.native_non_blocking(); });
  v.both("io_control",
    [&](auto&... ec)
    {
      boost::asio::socket_base::bytes_readable command;
      return o.io_control(command, ec...);
    });
  for (const auto what : {Object::wait_read, Object::wait_write, Object::wait_error})
  {
    v.both("wait", [&](auto&... ec) { return o.wait(what, ec...); });
    INTERLOCK_TEST_ASYNC(async_wait, what);
  }
}

template <class Object, class Visitor, class Option>
void visit_options(Object& o, Visitor& v, const Option& set)
{
  const auto& constant = o;
  v.both("set_option", [&](auto&... ec) { return o.set_option(set, ec...); });
  v.both("get_option",
    [&](auto&... ec)
    {
      Option get;
      return constant.get_option(get, ec...);
    });
}

template <class Object, class Visitor>
void visit_socket(Object& o, Visitor& v)
{
  const auto& constant = o;
  visit_options(o, v, boost::asio::socket_base::receive_buffer_size(8192));
  v.both("available", [&](auto&... ec) { return constant.available(ec...); });
  v.both("at_mark", [&](auto&... ec) { return constant.at_mark(ec...); });
  v.both("local_endpoint", [&](auto&... ec) { return constant.local_endpoint(ec...); });
  v.both("remote_endpoint", [&](auto&... ec) { return constant.remote_endpoint(ec...); });
}

template <class Object, class Visitor>
void visit_reads(Object& o, Visitor& v)
{
  const auto in = boost::asio::buffer(shared_buffers().in, 4);
  v.both("read_some", [&](auto&... ec) { return o.read_some(in, ec...); });
  INTERLOCK_TEST_ASYNC(async_read_some, in);
}

template <class Object, class Visitor>
void visit_writes(Object& o, Visitor& v)
{
  const auto out = shared_buffers().out;
  v.both("write_some", [&](auto&... ec) { return o.write_some(out, ec...); });
  INTERLOCK_TEST_ASYNC(async_write_some, out);
}

template <class Object, class Visitor>
void visit_flagged(Object& o, Visitor& v)
{
  const auto in = shared_buffers().in;
  const auto out = shared_buffers().out;
  v.only("send", [&] { return o.send(out); });
  v.both("send", [&](auto&... ec) { return o.send(out, 0, ec...); });
  v.only("receive", [&] { return o.receive(in); });
  v.both("receive", [&](auto&... ec) { return o.receive(in, 0, ec...); });
  INTERLOCK_TEST_ASYNC(async_send, out);
  INTERLOCK_TEST_ASYNC(async_send, out, 0);
  INTERLOCK_TEST_ASYNC(async_receive, in);
  INTERLOCK_TEST_ASYNC(async_receive, in, 0);
}

/// `to` is where messages go.
template <class Object, class Visitor, class Endpoint>
void visit_addressed(Object& o, Visitor& v, const Endpoint& to)
{
  const auto in = shared_buffers().in;
  const auto out = shared_buffers().out;
  Endpoint from;
  v.only("send_to", [&] { return o.send_to(out, to); });
  v.both("send_to", [&](auto&... ec) { return o.send_to(out, to, 0, ec...); });
  v.only("receive_from", [&] { return o.receive_from(in, from); });
  v.both("receive_from", [&](auto&... ec) { return o.receive_from(in, from, 0, ec...); });
  INTERLOCK_TEST_ASYNC(async_send_to, out, to);
  INTERLOCK_TEST_ASYNC(async_send_to, out, to, 0);
  INTERLOCK_TEST_ASYNC(async_receive_from, in, from);
  INTERLOCK_TEST_ASYNC(async_receive_from, in, from, 0);
}

template <class Object, class Visitor>
void visit_records(Object& o, Visitor& v)
{
  const auto in = shared_buffers().in;
  const auto out = shared_buffers().out;
  int flags = 0;
  v.both("send", [&](auto&... ec) { return o.send(out, 0, ec...); });
  v.only("receive", [&] { return o.receive(in, flags); });
  v.both("receive", [&](auto&... ec) { return o.receive(in, 0, flags, ec...); });
  INTERLOCK_TEST_ASYNC(async_send, out, 0);
  INTERLOCK_TEST_ASYNC(async_receive, in, flags);
  INTERLOCK_TEST_ASYNC(async_receive, in, 0, flags);
}

/// Every overload of accept that has a new socket for its result.
template <class Object, class Visitor>
void visit_accepts_of_new(boost::asio::io_context& context, Object& o, Visitor& v)
{
  typename Object::endpoint_type from;
  const auto ex = o.get_executor();
  v.both("accept", [&](auto&... ec) { return o.accept(ec...).is_open(); });
  v.both("accept", [&](auto&... ec) { return o.accept(ex, ec...).is_open(); });
  v.both("accept", [&](auto&... ec) { return o.accept(context, ec...).is_open(); });
  v.both("accept", [&](auto&... ec) { return o.accept(from, ec...).is_open(); });
  // With an error_code as well this is declared by Asio, but cannot be called.
  v.only("accept", [&] { return o.accept(ex, from).is_open(); });
  v.both("accept", [&](auto&... ec) { return o.accept(context, from, ec...).is_open(); });
  v.async("async_accept",
    [&](auto&&... token) { return o.async_accept(std::forward<decltype(token)>(token)...); });
  INTERLOCK_TEST_ASYNC(async_accept, ex);
  INTERLOCK_TEST_ASYNC(async_accept, context);
  INTERLOCK_TEST_ASYNC(async_accept, from);
  INTERLOCK_TEST_ASYNC(async_accept, ex, from);
  INTERLOCK_TEST_ASYNC(async_accept, context, from);
}

/// And those that accept into a socket, which is another one for each call.
template <class Object, class Visitor>
void visit_accepts_into(boost::asio::io_context& context, Object& o, Visitor& v)
{
  using peer = typename Object::protocol_type::socket;
  typename Object::endpoint_type from;
  std::list<peer> peers;
  const auto closed = [&]() -> peer& { return peers.emplace_back(context); };
  // A derived class would be taken for the token, where none is given.
  const auto base = [&]() -> auto&
  {
    return closed().lowest_layer();
  };
  v.both("accept", [&](auto&... ec) { return o.accept(closed(), ec...); });
  v.both("accept", [&](auto&... ec) { return o.accept(closed(), from, ec...); });
  INTERLOCK_TEST_ASYNC(async_accept, base());
  INTERLOCK_TEST_ASYNC(async_accept, base(), from);
}

template <class Object, class Visitor>
void visit_acceptor(boost::asio::io_context& context, Object& o, Visitor& v)
{
  const auto& constant = o;
  visit_options(o, v, boost::asio::socket_base::receive_buffer_size(8192));
  v.both("local_endpoint", [&](auto&... ec) { return constant.local_endpoint(ec...); });
  visit_accepts_of_new(context, o, v);
  visit_accepts_into(context, o, v);
}

#undef INTERLOCK_TEST_ASYNC

/// All members of an object of `Type`. `to` is where messages go, of a type that has addresses.
template <class Type, class Object, class Visitor, class... To>
void visit_members(boost::asio::io_context& context, Object& o, Visitor& v, const To&... to)
{
  v.both("cancel", [&](auto&... ec) { return o.cancel(ec...); });
  if constexpr (Type::has_blocking_state)
    visit_blocking_state(o, v);
  if constexpr (Type::is_socket)
    visit_socket(o, v);
  if constexpr (Type::is_acceptor)
    visit_acceptor(context, o, v);
  if constexpr (Type::is_port)
  {
    visit_options(o, v, boost::asio::serial_port_base::stop_bits());
    v.both("send_break", [&](auto&... ec) { return o.send_break(ec...); });
  }
  if constexpr (Type::reads)
    visit_reads(o, v);
  if constexpr (Type::writes)
    visit_writes(o, v);
  if constexpr (Type::has_flags)
    visit_flagged(o, v);
  if constexpr (Type::has_records)
    visit_records(o, v);
  if constexpr (Type::has_addresses)
    visit_addressed(o, v, to...);
}

/// An error and a number of bytes, as an operation tells them.
struct transfer_result
{
  boost::system::error_code ec = boost::asio::error::would_block;
  std::size_t bytes = 0;
  int times = 0;

  /// One type for all operations.
  auto handler()
  {
    return [this](const boost::system::error_code& e, const auto&... args)
    {
      ec = e;
      bytes = 0;
      ++times;
      if constexpr ((std::is_same<std::decay_t<decltype(args)>, std::size_t>::value && ...))
        ((bytes = args), ...);
    };
  }

  bool is(const boost::system::error_code& expected, std::size_t n = 0) const
  {
    BOOST_TEST(ec == expected);
    BOOST_TEST(bytes == n);
    return ec == expected && bytes == n;
  }
};

// --- Transfers by whatever members the type has.

template <class Type>
constexpr bool can_read = Type::reads || Type::has_flags || Type::has_records;

template <class Type>
constexpr bool can_write = Type::writes || Type::has_flags || Type::has_records;

template <class Type, class Object, class Buffers>
transfer_result read(Object& o, const Buffers& in)
{
  transfer_result t;
  if constexpr (Type::reads)
    t.bytes = o.read_some(in, t.ec);
  else if constexpr (Type::has_flags)
    t.bytes = o.receive(in, 0, t.ec);
  else
  {
    int flags = 0;
    t.bytes = o.receive(in, 0, flags, t.ec);
  }
  return t;
}

template <class Type, class Object, class Buffers>
transfer_result write(Object& o, const Buffers& out)
{
  transfer_result t;
  if constexpr (Type::writes)
    t.bytes = o.write_some(out, t.ec);
  else
    t.bytes = o.send(out, 0, t.ec);
  return t;
}

template <class Type, class Object, class Buffers>
void start_read(Object& o, const Buffers& in, int& flags, transfer_result& t)
{
  if constexpr (Type::reads)
    o.async_read_some(in, t.handler());
  else if constexpr (Type::has_flags)
    o.async_receive(in, t.handler());
  else
    o.async_receive(in, flags, t.handler());
}

template <class Type, class Object, class Buffers>
void start_write(Object& o, const Buffers& out, transfer_result& t)
{
  if constexpr (Type::writes)
    o.async_write_some(out, t.handler());
  else
    o.async_send(out, 0, t.handler());
}

/// An operation that does not end by itself. What can only be written to is full.
template <class Type, class Object>
void start_what_waits(Object& o, boost::asio::mutable_buffer in, int& flags, transfer_result& t)
{
  if constexpr (can_read<Type>)
    start_read<Type>(o, in, flags, t);
  else if constexpr (can_write<Type>)
    start_write<Type>(o, boost::asio::buffer("x", 1), t);
  else
    o.async_wait(Object::wait_read, t.handler());
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_DROPIN_MEMBERS_HPP
