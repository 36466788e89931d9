// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Every member of an I/O object that can fail, by the name under which its throwing overload
// throws, and every asynchronous operation. The same lists serve Asio's types and Interlock's.

#ifndef INTERLOCK_TEST_SUPPORT_MEMBER_CALLS_HPP
#define INTERLOCK_TEST_SUPPORT_MEMBER_CALLS_HPP

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

namespace support {

/// One member, in both overloads.
template <class Object>
struct sync_member
{
  using error_code = boost::system::error_code;

  std::string name;
  std::function<void(Object&)> throwing;
  std::function<void(Object&, error_code&)> reporting;
};

/// One operation. Its handler gets the number of bytes, or of peers that are open.
template <class Object>
struct async_member
{
  using handler = std::function<void(boost::system::error_code, std::size_t)>;

  std::string name;
  std::function<void(Object&, handler)> start;
};

template <class Object>
using sync_members = std::vector<sync_member<Object>>;

template <class Object>
using async_members = std::vector<async_member<Object>>;

/// `call` takes the object, and an error_code or nothing.
template <class Object, class Call>
void add(sync_members<Object>& list, const char* name, Call call)
{
  list.push_back({name, [call](Object& o) { call(o); },
    [call](Object& o, boost::system::error_code& ec) { call(o, ec); }});
}

template <class Object, class Start>
void add(async_members<Object>& list, const char* name, Start start)
{
  list.push_back({name, std::move(start)});
}

// What the calls read and write. Nothing is ever transferred by those on closed objects.
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

/// Common to sockets, acceptors and descriptors.
template <class Object>
void add_common(sync_members<Object>& list)
{
  add(list, "cancel", [](auto& o, auto&... ec) { o.cancel(ec...); });
  add(list, "wait", [](auto& o, auto&... ec) { o.wait(o.wait_read, ec...); });
  add(list, "wait", [](auto& o, auto&... ec) { o.wait(o.wait_write, ec...); });
  add(list, "non_blocking", [](auto& o, auto&... ec) { o.non_blocking(true, ec...); });
  add(
    list, "native_non_blocking", [](auto& o, auto&... ec) { o.native_non_blocking(true, ec...); });
}

template <class Object>
void add_options(sync_members<Object>& list)
{
  using base = boost::asio::socket_base;
  add(
    list, "set_option", [](auto& o, auto&... ec) { o.set_option(base::keep_alive(true), ec...); });
  add(list, "set_option",
    [](auto& o, auto&... ec) { o.set_option(base::enable_connection_aborted(true), ec...); });
  add(list, "get_option",
    [](auto& o, auto&... ec)
    {
      base::keep_alive option;
      o.get_option(option, ec...);
    });
  add(list, "io_control",
    [](auto& o, auto&... ec)
    {
      base::bytes_readable command;
      o.io_control(command, ec...);
    });
  add(list, "local_endpoint", [](auto& o, auto&... ec) { o.local_endpoint(ec...); });
}

template <class Socket>
void add_transfers(sync_members<Socket>& list)
{
  member_buffers& b = shared_buffers();
  add(list, "send", [&b](auto& o, auto&... ec) { o.send(b.out, 0, ec...); });
  add(list, "receive", [&b](auto& o, auto&... ec) { o.receive(b.in, 0, ec...); });
  list.push_back({"send", [&b](Socket& o) { o.send(b.out); },
    [&b](Socket& o, boost::system::error_code& ec) { o.send(b.out, 0, ec); }});
  list.push_back({"receive", [&b](Socket& o) { o.receive(b.in); },
    [&b](Socket& o, boost::system::error_code& ec) { o.receive(b.in, 0, ec); }});
}

template <class Object>
void add_reads_and_writes(sync_members<Object>& list)
{
  member_buffers& b = shared_buffers();
  add(list, "write_some", [&b](auto& o, auto&... ec) { o.write_some(b.out, ec...); });
  add(list, "read_some", [&b](auto& o, auto&... ec) { o.read_some(b.in, ec...); });
}

/// All that fail on a closed socket. (connect opens it.)
template <class Socket>
sync_members<Socket> socket_members()
{
  using endpoint = typename Socket::endpoint_type;
  sync_members<Socket> list;
  add_common(list);
  add_options(list);
  add_transfers(list);
  add_reads_and_writes(list);
  add(list, "release", [](auto& o, auto&... ec) { o.release(ec...); });
  add(list, "bind", [](auto& o, auto&... ec) { o.bind(endpoint(), ec...); });
  add(list, "remote_endpoint", [](auto& o, auto&... ec) { o.remote_endpoint(ec...); });
  add(list, "available", [](auto& o, auto&... ec) { o.available(ec...); });
  add(list, "at_mark", [](auto& o, auto&... ec) { o.at_mark(ec...); });
  add(list, "shutdown", [](auto& o, auto&... ec) { o.shutdown(o.shutdown_both, ec...); });
  return list;
}

template <class Acceptor>
sync_members<Acceptor> acceptor_members(boost::asio::io_context& context)
{
  using endpoint = typename Acceptor::endpoint_type;
  using peer = typename Acceptor::protocol_type::socket;
  sync_members<Acceptor> list;
  add_common(list);
  add_options(list);
  add(list, "release", [](auto& o, auto&... ec) { o.release(ec...); });
  add(list, "bind", [](auto& o, auto&... ec) { o.bind(endpoint(), ec...); });
  add(list, "listen", [](auto& o, auto&... ec) { o.listen(5, ec...); });
  add(list, "accept", [](auto& o, auto&... ec) { o.accept(ec...); });
  add(list, "accept", [&context](auto& o, auto&... ec) { o.accept(context, ec...); });
  add(list, "accept",
    [](auto& o, auto&... ec)
    {
      endpoint from;
      o.accept(from, ec...);
    });
  add(list, "accept",
    [&context](auto& o, auto&... ec)
    {
      peer p(context);
      o.accept(p, ec...);
    });
  add(list, "accept",
    [&context](auto& o, auto&... ec)
    {
      peer p(context);
      endpoint from;
      o.accept(p, from, ec...);
    });
  return list;
}

template <class Descriptor>
sync_members<Descriptor> descriptor_members()
{
  sync_members<Descriptor> list;
  add_common(list);
  add_reads_and_writes(list);
  add(list, "io_control",
    [](auto& o, auto&... ec)
    {
      typename Descriptor::bytes_readable command;
      o.io_control(command, ec...);
    });
  return list;
}

// --- Asynchronous.

template <class Object>
void add_waits(async_members<Object>& list)
{
  for (const auto what : {Object::wait_read, Object::wait_write, Object::wait_error})
    add(list, "async_wait",
      [what](auto& o, auto h) { o.async_wait(what, [h](auto ec) { h(ec, 0); }); });
}

template <class Object>
void add_reads_and_writes(async_members<Object>& list)
{
  member_buffers& b = shared_buffers();
  add(list, "async_write_some", [&b](auto& o, auto h) { o.async_write_some(b.out, h); });
  add(list, "async_read_some", [&b](auto& o, auto h) { o.async_read_some(b.in, h); });
}

template <class Socket>
async_members<Socket> async_socket_members()
{
  member_buffers& b = shared_buffers();
  async_members<Socket> list;
  add_waits(list);
  add_reads_and_writes(list);
  add(list, "async_send", [&b](auto& o, auto h) { o.async_send(b.out, h); });
  add(list, "async_send", [&b](auto& o, auto h) { o.async_send(b.out, 0, h); });
  add(list, "async_receive", [&b](auto& o, auto h) { o.async_receive(b.in, h); });
  add(list, "async_receive", [&b](auto& o, auto h) { o.async_receive(b.in, 0, h); });
  return list;
}

template <class Descriptor>
async_members<Descriptor> async_descriptor_members()
{
  async_members<Descriptor> list;
  add_waits(list);
  add_reads_and_writes(list);
  return list;
}

template <class Acceptor>
async_members<Acceptor> async_acceptor_members(boost::asio::io_context& context)
{
  using endpoint = typename Acceptor::endpoint_type;
  using peer = typename Acceptor::protocol_type::socket;
  const auto into_new = [](auto h)
  { return [h](auto ec, auto accepted) { h(ec, accepted.is_open() ? 1 : 0); }; };
  const auto into = [](auto h, auto given, auto... more)
  { return [h, given, more...](auto ec) { h(ec, given->is_open() ? 1 : 0); }; };
  async_members<Acceptor> list;
  add_waits(list);
  add(list, "async_accept", [into_new](auto& o, auto h) { o.async_accept(into_new(h)); });
  add(list, "async_accept",
    [into_new, &context](auto& o, auto h) { o.async_accept(context, into_new(h)); });
  add(list, "async_accept",
    [into, &context](auto& o, auto h)
    {
      auto p = std::make_shared<peer>(context);
      o.async_accept(*p, into(h, p));
    });
  add(list, "async_accept",
    [into, &context](auto& o, auto h)
    {
      auto p = std::make_shared<peer>(context);
      auto from = std::make_shared<endpoint>();
      o.async_accept(*p, *from, into(h, p, from));
    });
  return list;
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_MEMBER_CALLS_HPP
