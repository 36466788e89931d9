// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// One object of a type of dropin_types.hpp, open, with what stands opposite: in a setting in which its members complete
// at once, or wait until something happens to them. `Make` says with which executor type it is made.

#ifndef INTERLOCK_TEST_SUPPORT_SUBJECT_HPP
#define INTERLOCK_TEST_SUPPORT_SUBJECT_HPP

#include <cstddef>
#include <cstring>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/fd_lease.hpp>

#include "support/dropin_types.hpp"
#include "support/raw_sockets.hpp"

namespace support {

enum class setting
{
  ready,  ///< travelling_text() can be read, a client stands in an acceptor's queue.
  waiting ///< Nothing to read or to accept, no room to write, no answer to a connect of TCP.
};

/// What is sent and received.
inline const std::string& travelling_text()
{
  static const std::string text = "a packet";
  return text;
}

// --- With which executor type. `open` opens the object that is made.

/// Objects are of the type itself, over any_io_executor.
struct as_they_are
{
  template <class Object>
  using type = Object;

  template <class Object, class Open>
  static type<Object> make(asio::io_context& context, Open open)
  {
    Object made(context);
    open(made);
    return made;
  }
};

/// Over the executor of the context itself.
struct over_the_context
{
  template <class Object>
  using type = typename Object::template rebind_executor<asio::io_context::executor_type>::other;

  template <class Object, class Open>
  static type<Object> make(asio::io_context& context, Open open)
  {
    return as_they_are::make<type<Object>>(context, open);
  }
};

/// `Token` is the default: made as Asio makes them, out of an object that has none.
template <class Token>
struct with_default
{
  template <class Object>
  using type = typename Token::template as_default_on_t<Object>;

  template <class Object, class Open>
  static type<Object> make(asio::io_context& context, Open open)
  {
    return Token::as_default_on(as_they_are::make<Object>(context, open));
  }
};

// --- What stands opposite.

/// The name of `n`, as messages that it sends bear it.
template <class Row, class Endpoint>
Endpoint name_of(const fd& n)
{
  Endpoint name;
  auto size = static_cast<::socklen_t>(name.capacity());
  checked(::getsockname(n.get(), name.data(), &size), "getsockname");
  name.resize(size);
  // Instead of a port a raw socket has its protocol.
  if constexpr (Row::is_raw)
    std::memset(&static_cast<::sockaddr_in*>(static_cast<void*>(name.data()))->sin_port, 0, 2);
  return name;
}

/// `far` can be connected to. TCP's gives no answer in a setting that is waiting: its queue is full.
template <class Row>
ends connectable(setting how)
{
  if constexpr (!Row::is_stream)
    return Row::make();
  else if constexpr (!Row::is_tcp)
    return turned(local_listener(Row::has_records ? SOCK_SEQPACKET : SOCK_STREAM));
  else if (how == setting::ready)
    return {fd(), tcp_listener()};
  else
  {
    fd listener = tcp_listener(0);
    fd client = tcp_connected_to(listener);
    ::pollfd taken = {listener.get(), POLLIN, 0};
    checked(::poll(&taken, 1, -1), "poll");
    return {std::move(client), std::move(listener)};
  }
}

struct nothing
{
};

template <class Row>
using plain_object = typename Row::template object<interlock_family, asio::any_io_executor>;

/// Of descriptors: nothing more.
template <class Row, class Make, class = void>
struct opposite
{
  opposite(asio::io_context&, setting, const ends&) {}
};

template <class Row, class Make>
struct opposite<Row, Make, std::enable_if_t<Row::is_socket>>
{
  using endpoint = typename plain_object<Row>::endpoint_type;

  ends listener;
  typename Make::template type<plain_object<Row>> unconnected;
  /// The address of the far end.
  endpoint where;
  endpoint sender;
  endpoint listening;
  asio::socket_base::message_flags out_flags = -1;

  opposite(asio::io_context& context, setting how, const ends& pair)
    : listener(connectable<Row>(how)),
      unconnected(Make::template make<plain_object<Row>>(context, [](auto&) {})),
      where(name_of<Row, endpoint>(pair.far)),
      listening(name_of<Row, endpoint>(listener.far))
  {
  }

  /// A raw socket does not tell its peer's address, but can send without one.
  bool is_connected()
  {
    boost::system::error_code ec;
    if constexpr (Row::is_raw)
      return unconnected.send(asio::buffer(travelling_text()), 0, ec) == travelling_text().size();
    else
      return unconnected.remote_endpoint(ec) == listening;
  }
};

template <class Row, class Make>
struct opposite<Row, Make, std::enable_if_t<Row::is_acceptor>>
{
  using acceptor = typename Make::template type<plain_object<Row>>;
  using endpoint = typename acceptor::endpoint_type;
  template <class Executor>
  using accepted =
    typename acceptor::protocol_type::socket::template rebind_executor<std::conditional_t<
      std::is_void<Executor>::value, typename acceptor::executor_type, Executor>>::other;

  typename acceptor::protocol_type::socket peer;
  endpoint sender;
  fd client;

  opposite(asio::io_context& context, setting how, const ends& pair)
    : peer(context),
      client(how == setting::ready ? client_of(pair.near.get()) : fd())
  {
  }

  endpoint client_name() const
  {
    return name_of<Row, endpoint>(client);
  }

  template <class Peer>
  bool is_client(const Peer& p) const
  {
    boost::system::error_code ec;
    return p.remote_endpoint(ec) == client_name();
  }
};

// --- The object.

/// The context, and the ends before one of them is the object's.
template <class Row>
struct subject_base : std::conditional_t<Row::is_raw, raw_sockets_alone, nothing>
{
  asio::io_context context;
  ends pair = Row::make();
  const int fd = pair.near.get();
  interlock::fd_lease lease;
  char in[64] = {};

  explicit subject_base(setting how)
  {
    if (how == setting::waiting)
      Row::fill(fd, pair.far);
    else if constexpr (Row::reads || Row::has_flags || Row::has_records)
      send_text(pair.far, travelling_text());
  }

  /// Where the process may not open raw sockets they are left out.
  static bool is_possible()
  {
    return !Row::is_raw || raw_sockets_may_be_opened(0);
  }

  auto into()
  {
    return asio::buffer(in);
  }

  static auto from()
  {
    return asio::buffer(travelling_text());
  }
};

template <class Row, class Make = as_they_are>
struct subject : subject_base<Row>, opposite<Row, Make>
{
  using row = Row;

  typename Make::template type<plain_object<Row>> object;

  explicit subject(setting how)
    : subject_base<Row>(how),
      opposite<Row, Make>(this->context, how, this->pair),
      object(Make::template make<plain_object<Row>>(
        this->context, [this](auto& o) { Row::put(o, this->pair.near); }))
  {
  }
};

template <class... Lists>
using joined = decltype(std::tuple_cat(std::declval<Lists>()...));

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_SUBJECT_HPP
