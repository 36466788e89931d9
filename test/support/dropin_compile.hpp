// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A program that calls every member of a type in every overload, and every asynchronous one with every
// token of overload_tokens.hpp. It is one for both families; what the calls return, throw and report
// is compared. It fails as well if it has left out a member that Asio's type is found to have.

#ifndef INTERLOCK_TEST_SUPPORT_DROPIN_COMPILE_HPP
#define INTERLOCK_TEST_SUPPORT_DROPIN_COMPILE_HPP

#include <functional>
#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/basic_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/serial_port_base.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/system/error_code.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/borrowed.hpp>

#include "support/dropin_members.hpp"
#include "support/dropin_types.hpp"
#include "support/loopback_barrier.hpp"
#include "support/member_names.hpp"
#include "support/overload_tokens.hpp"

namespace support {

// Each call is by itself: what one throws does not keep the next from being made.

/// The type of the result of `call()`, an answer of yes or no, and the exception if there is one.
template <class Call>
void try_call(notes& note, const std::string& what, Call call)
{
  using result = decltype(call());
  note(what + " returns nothing", std::is_void<result>::value);
  note(what + " returns an error_code", std::is_same<result, boost::system::error_code>::value);
  note.thrown(what,
    [&]
    {
      if constexpr (std::is_same<result, bool>::value)
        note(what + " returns", call());
      else
        static_cast<void>(call());
    });
}

/// `call(ec...)` without and with an error_code, which is noted.
template <class Call>
void try_both(notes& note, const std::string& what, Call call)
{
  boost::system::error_code ec;
  try_call(note, what, [&]() -> decltype(auto) { return call(); });
  try_call(note, what + " with ec", [&]() -> decltype(auto) { return call(ec); });
  note(what, ec);
}

/// What has been called: names of members, and of the tokens of each.
using calls_made = std::map<std::string, std::set<std::string>>;

/// Makes each call, in the overloads it has.
template <bool HasDefaultToken>
class overload_visitor
{
public:
  /// `settle()` ends what has been started.
  overload_visitor(notes& n, std::function<void()> settle)
    : note_(n),
      settle_(std::move(settle))
  {
  }

  template <class Call>
  void both(const std::string& name, Call call)
  {
    made_[name];
    try_both(note_, name, call);
  }

  template <class Call>
  void only(const std::string& name, Call call)
  {
    made_[name];
    try_call(note_, name, call);
  }

  template <class Start>
  void async(const std::string& name, Start start)
  {
    const auto handler = [&](const std::string& token)
    {
      made_[name].insert(token);
      return noting_handler(note_, name + ", " + token);
    };
    const std::vector<std::string>& tokens = token_names();
    static_assert(std::is_void<decltype(start(handler(tokens[0])))>::value, "");
    start(handler(tokens[0]));
    settle_();
    const started value = start(as_value{handler(tokens[1])});
    static_cast<void>(value);
    settle_();
    auto lazy = start(as_lazy{handler(tokens[2])});
    settle_();
    note_(name, "lazy");
    lazy();
    settle_();
    if constexpr (HasDefaultToken)
      start_by_default(name, start);
  }

  const calls_made& made() const noexcept
  {
    return made_;
  }

private:
  template <class Start>
  void start_by_default(const std::string& name, Start& start)
  {
    made_[name].insert(token_names()[3]);
    const int before = completions_by_default();
    const started value = start();
    static_cast<void>(value);
    settle_();
    note_(name + " without a token", completions_by_default() - before);
  }

  notes& note_;
  std::function<void()> settle_;
  calls_made made_;
};

/// Where messages go that `object` sends: to its peer. Of no meaning without one.
template <class Type, class Object>
auto destination(Object& object)
{
  if constexpr (Type::has_addresses)
  {
    boost::system::error_code ec;
    return object.remote_endpoint(ec);
  }
  else
    return 0;
}

/// Runs what has been started on `object`, and cancels what does not end by itself.
template <class Object>
void settle(const loopback_barrier& barrier, boost::asio::io_context& context, Object& object)
{
  barrier.pass();
  context.restart();
  context.poll();
  boost::system::error_code ec;
  object.cancel(ec);
  run(context);
}

#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
template <class Type>
using compile_executor = value_executor;
#else
template <class Type>
using compile_executor = std::conditional_t<Type::is_socket || Type::is_acceptor, value_executor,
  boost::asio::any_io_executor>;
#endif

template <class Type>
constexpr bool has_default_token = std::is_same<compile_executor<Type>, value_executor>::value;

// --- What opens and closes.

template <class Type, class Object, class Visitor>
void visit_state(boost::asio::io_context& context, Object& o, Visitor& v)
{
  const auto& constant = o;
  const typename Object::executor_type ex(context.get_executor());
  v.only("get_executor", [&] { return o.get_executor() == ex; });
  if constexpr (!Type::is_acceptor)
    v.only("lowest_layer",
      [&] { return &o.lowest_layer() == &o && &constant.lowest_layer() == &constant; });
  v.only("is_open", [&] { return constant.is_open(); });
  v.only("native_handle", [&] { return o.native_handle(); });
}

template <class Type, class Object, class Visitor>
void visit_opening(Object& o, Visitor& v)
{
  using endpoint = typename Object::endpoint_type;
  const auto protocol = Type::protocol();
  if constexpr (std::is_default_constructible<std::decay_t<decltype(protocol)>>::value)
  {
    v.only("open", [&] { return o.open(); });
    o.close();
  }
  v.both("open", [&](auto&... ec) { return o.open(protocol, ec...); });
  v.both("bind", [&](auto&... ec) { return o.bind(endpoint(), ec...); });
  if constexpr (Type::is_acceptor)
  {
    v.only("listen", [&] { return o.listen(); });
    v.both("listen", [&](auto&... ec) { return o.listen(5, ec...); });
  }
  o.close();
}

/// `to` is the address of a peer that is connected already.
template <class Object, class Visitor, class Endpoint>
void visit_connecting(Object& o, Visitor& v, const Endpoint& to)
{
  o.non_blocking(false);
  v.both("connect", [&](auto&... ec) { return o.connect(to, ec...); });
  v.async("async_connect",
    [&](auto&&... token) { return o.async_connect(to, std::forward<decltype(token)>(token)...); });
  o.close();
}

template <class Object, class Visitor>
void visit_port(Object& o, Visitor& v)
{
  pty terminal;
  v.both("open", [&](auto&... ec) { return o.open(terminal.name(), ec...); });
  o.close();
}

template <class Type, class Object, class Visitor>
void visit_end(Object& o, Visitor& v)
{
  if constexpr (Type::is_socket)
    v.both("shutdown", [&](auto&... ec) { return o.shutdown(o.shutdown_both, ec...); });
  if constexpr (Type::is_socket || Type::is_acceptor)
    v.both("release", [&](auto&... ec) { return fd(o.release(ec...)).get() >= 0; });
  else if constexpr (!Type::is_port)
    for (int i = 0; i != 2; ++i)
      v.only("release", [&] { return fd(o.release()).get() >= 0; });
  v.both("close", [&](auto&... ec) { return o.close(ec...); });
  v.only("is_open", [&] { return o.is_open(); });
}

template <class Type, class Object, class Visitor>
void visit_assign(Object& o, Visitor& v, fd& near)
{
  v.both("assign",
    [&](auto&... ec)
    {
      if constexpr (Type::is_socket || Type::is_acceptor)
        return o.assign(Type::protocol(), near.get(), ec...);
      else
        return o.assign(near.get(), ec...);
    });
  near.release();
}

/// Feeds what would block otherwise.
template <class Type>
void feed(const fd& far)
{
  if constexpr (Type::reads)
    send_text(far, std::string(64, 'x'));
}

template <class Type, class Family>
calls_made call_every_overload(notes& note)
{
  const loopback_barrier barrier;
  boost::asio::io_context context;
  typename Type::template object<Family, compile_executor<Type>> o(context);
  overload_visitor<has_default_token<Type>> v(note, [&] { settle(barrier, context, o); });
  visit_state<Type>(context, o, v);
  if constexpr (Type::is_socket || Type::is_acceptor)
    visit_opening<Type>(o, v);
  if constexpr (Type::is_port)
    visit_port(o, v);
  ends e = Type::make();
  ends again = Type::make();
  visit_assign<Type>(o, v, e.near);
  feed<Type>(e.far);
  barrier.pass();
  const auto to = destination<Type>(o);
  visit_members<Type>(context, o, v, to);
  if constexpr (Type::is_socket)
    visit_connecting(o, v, o.remote_endpoint());
  if (!o.is_open())
    Type::put(o, again.near);
  visit_end<Type>(o, v);
  return v.made();
}

/// No member of Asio's is missing, nor has been left out, nor any token.
template <class Type>
void nothing_left_out(const calls_made& made)
{
  using ours = typename Type::template named<interlock_family>;
  using plain = typename Type::template named<asio_family>;
  // Before Boost 1.80 Asio has no pipes.
  if (std::is_same<ours, plain>::value)
    return;
  for (const member_name& member : member_names_of<ours, plain>())
    BOOST_TEST_CONTEXT(member.name)
    {
      BOOST_TEST((member.in_ours || !member.in_plain));
      if (!member.in_plain || member.kind == name_kind::type)
        continue;
      BOOST_TEST_REQUIRE(made.count(member.name) == 1u);
      const std::size_t tokens = token_names().size() - (has_default_token<Type> ? 0 : 1);
      BOOST_TEST(made.at(member.name).size() == (member.is_asynchronous() ? tokens : 0u));
    }
}

template <class Type>
void compiles_alike()
{
  notes plain;
  notes ours;
  const calls_made made = call_every_overload<Type, asio_family>(plain);
  nothing_left_out<Type>(made);
  BOOST_TEST((made == call_every_overload<Type, interlock_family>(ours)));
  same(plain.taken(), ours.taken());
}

// --- Types.

using context_executor = boost::asio::io_context::executor_type;

/// Whether both can be made of a context, an executor or neither, with these arguments after it.
template <class Ours, class Plain, class... Args>
constexpr bool made_alike()
{
  const auto same = [](bool ours, bool plain) { return ours == plain; };
  return same(std::is_constructible<Ours, boost::asio::io_context&, Args...>::value,
           std::is_constructible<Plain, boost::asio::io_context&, Args...>::value)
    && same(std::is_constructible<Ours, context_executor, Args...>::value,
      std::is_constructible<Plain, context_executor, Args...>::value)
    && same(std::is_constructible<Ours, boost::asio::any_io_executor, Args...>::value,
      std::is_constructible<Plain, boost::asio::any_io_executor, Args...>::value)
    && same(std::is_constructible<Ours, boost::asio::system_executor, Args...>::value,
      std::is_constructible<Plain, boost::asio::system_executor, Args...>::value)
    && same(
      std::is_constructible<Ours, Args...>::value, std::is_constructible<Plain, Args...>::value);
}

/// Made by the same constructors, moved and not copied.
template <class Type, class Ours, class Plain>
constexpr bool live_alike()
{
  bool alike = std::is_nothrow_move_constructible<Ours>::value
    && std::is_move_assignable<Ours>::value && !std::is_copy_constructible<Ours>::value
    && !std::is_copy_assignable<Ours>::value
    && !std::is_convertible<boost::asio::io_context&, Ours>::value && made_alike<Ours, Plain>()
    && made_alike<Ours, Plain, std::string>() && made_alike<Ours, Plain, const char*>();
  if constexpr (Type::is_socket || Type::is_acceptor)
  {
    using protocol = typename Plain::protocol_type;
    using endpoint = typename Plain::endpoint_type;
    alike = alike && made_alike<Ours, Plain, protocol>() && made_alike<Ours, Plain, endpoint>()
      && made_alike<Ours, Plain, protocol, int>();
    // (A socket of Asio's takes the second for an argument that is there to constrain the first.)
    if constexpr (Type::is_acceptor)
      alike = alike && made_alike<Ours, Plain, endpoint, bool>();
  }
  else
    alike = alike && made_alike<Ours, Plain, int>();
  return alike;
}

/// Of a socket or an acceptor: Interlock's protocol is named where Asio's is, and one becomes the other.
template <class Ours, class Plain>
constexpr bool names_protocols_alike()
{
  using protocol = interlock::closable<typename Plain::protocol_type>;
  return std::is_same<typename Ours::protocol_type, protocol>::value
    && std::is_same<typename Ours::endpoint_type, typename Plain::endpoint_type>::value
    && std::is_base_of<boost::asio::socket_base, Ours>::value
    && std::is_constructible<Ours, boost::asio::io_context&, protocol>::value
    && std::is_constructible<Ours, boost::asio::io_context&, protocol, int,
      interlock::borrowed_t>::value
    && std::is_constructible<Ours, Plain&&>::value
    && std::is_same<decltype(std::declval<Ours&>().to_asio()), Plain>::value;
}

/// What can be made of an object with another executor type, of one of Asio's, and of a borrowed descriptor.
template <class Type, class Ours, class Plain>
constexpr bool taken_alike()
{
  bool alike = true;
  if constexpr (Type::is_acceptor || Type::has_flags || Type::has_records)
    alike = names_protocols_alike<Ours, Plain>();
  else if constexpr (Type::reads || Type::writes)
    alike =
      std::is_constructible<Ours, boost::asio::io_context&, int, interlock::borrowed_t>::value;
  if constexpr (has_default_token<Type> && std::is_destructible<Ours>::value)
  {
    using narrow = typename Ours::template rebind_executor<context_executor>::other;
    alike = alike && std::is_same<typename narrow::executor_type, context_executor>::value
      && std::is_constructible<Ours, narrow&&>::value && std::is_assignable<Ours&, narrow&&>::value;
  }
  return alike;
}

template <class Type>
constexpr bool types_alike()
{
  using ours = typename Type::template named<interlock_family>;
  using plain = typename Type::template named<asio_family>;
  using executor = typename plain::executor_type;
  bool alike = std::is_same<typename ours::executor_type, executor>::value
    && std::is_same<typename ours::native_handle_type, typename plain::native_handle_type>::value
    && std::is_same<typename ours::template rebind_executor<executor>::other, ours>::value
    && std::is_base_of<boost::asio::serial_port_base, ours>::value == Type::is_port
    && taken_alike<Type, ours, plain>()
    && live_alike<Type, typename Type::template object<interlock_family, executor>,
      typename Type::template object<asio_family, executor>>();
  if constexpr (Type::is_socket)
    alike = alike
      && std::is_same<typename ours::lowest_layer_type,
        boost::asio::basic_socket<typename ours::protocol_type, executor>>::value;
  if constexpr (has_default_token<Type>)
    alike = alike
      && live_alike<Type, typename Type::template object<interlock_family, context_executor>,
        typename Type::template object<asio_family, context_executor>>();
  return alike;
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_DROPIN_COMPILE_HPP
