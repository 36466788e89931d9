// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A program that brings an object of a type through the states of its life and calls every member in
// each: closed, open with input, without its peer, shut down, moved, moved from, released, opened again.
// What the members report in both families is compared.

#ifndef INTERLOCK_TEST_SUPPORT_DROPIN_STATES_HPP
#define INTERLOCK_TEST_SUPPORT_DROPIN_STATES_HPP

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>

#include "support/dropin_compile.hpp"
#include "support/sigpipe_ignored.hpp"

namespace support {

/// Notes what each member reports. Every line begins with the state.
template <class Object>
class state_visitor
{
public:
  using error_code = boost::system::error_code;

  state_visitor(notes& n, const std::string& state, const loopback_barrier& barrier,
    boost::asio::io_context& context, Object& o)
    : note_(n),
      barrier_(barrier),
      state_(state + ": "),
      context_(context),
      object_(o)
  {
  }

  template <class Call>
  void both(const std::string& name, Call call)
  {
    error_code ec;
    if constexpr (std::is_arithmetic<decltype(call(ec))>::value)
      note_(state_ + name, call(ec));
    else
      call(ec);
    note_(state_ + name, ec);
    barrier_.pass();
    note_.thrown(state_ + name, [&] { call(); });
    barrier_.pass();
  }

  template <class Call>
  void only(const std::string& name, Call call)
  {
    note_.thrown(state_ + name, [&] { note_(state_ + name, call()); });
    barrier_.pass();
  }

  template <class Start>
  void async(const std::string& name, Start start)
  {
    start(noting_handler(note_, state_ + name));
    note_(state_ + name, "started");
    settle(barrier_, context_, object_);
    barrier_.pass();
  }

private:
  notes& note_;
  const loopback_barrier& barrier_;
  std::string state_;
  boost::asio::io_context& context_;
  Object& object_;
};

/// Input for what reads, connections for what accepts.
template <class Type>
std::vector<fd> supply(int near, const fd& far)
{
  std::vector<fd> clients;
  if constexpr (Type::is_acceptor)
    while (clients.size() != 24)
      clients.push_back(client_of(near));
  else if constexpr (Type::is_stream && (Type::reads || Type::has_flags))
    send_text(far, std::string(64, 'x'));
  else if constexpr (Type::is_socket)
    for (int i = 0; i != 6; ++i)
      send_text(far, "abcdefgh");
  return clients;
}

template <class Type, class Family>
class life_of_object
{
public:
  using object = typename Type::template object<Family, compile_executor<Type>>;

  explicit life_of_object(notes& n)
    : note_(n)
  {
  }

  void run()
  {
    const sigpipe_ignored ignored;
    ask("closed", object_);
    ends e = Type::make();
    Type::put(object_, e.near);
    const std::vector<fd> clients = supply<Type>(object_.native_handle(), e.far);
    to_ = destination<Type>(object_);
    ask("open", object_);
    if (e.far.get() >= 0)
      drain(e.far);
    e.far.reset();
    ask("without a peer", object_);
    shut_down();
    object moved(std::move(object_));
    ask("moved", moved);
    ask("moved from", object_);
    release(moved);
    open_again(moved);
    moved.close();
    ask("closed again", moved);
  }

private:
  void ask(const std::string& state, object& o)
  {
    barrier_.pass();
    state_visitor<object> v(note_, state, barrier_, context_, o);
    note_(state, o.is_open());
    visit_members<Type>(context_, o, v, to_);
  }

  void shut_down()
  {
    if constexpr (Type::is_socket)
      for (const auto what :
        {object::shutdown_receive, object::shutdown_send, object::shutdown_both})
      {
        boost::system::error_code ec;
        object_.shutdown(what, ec);
        note_("shutdown", ec);
        ask("shut down", object_);
      }
  }

  // Asio's serial ports have no release.
  void release(object& o)
  {
    if constexpr (Type::is_port)
      o.close();
    else
      note_("released", fd(o.release()).get() >= 0);
    ask("released", o);
  }

  void open_again(object& o)
  {
    if constexpr (Type::is_socket || Type::is_acceptor)
    {
      boost::system::error_code ec;
      o.open(Type::protocol(), ec);
      note_("open", ec);
      ask("opened again", o);
    }
  }

  notes& note_;
  loopback_barrier barrier_;
  boost::asio::io_context context_;
  object object_{context_};
  decltype(destination<Type>(std::declval<object&>())) to_{};
};

template <class Type, class Family>
lines notes_of_states()
{
  notes taken;
  life_of_object<Type, Family>(taken).run();
  return taken.taken();
}

template <class Type>
void same_in_every_state()
{
  same(notes_of_states<Type, asio_family>(), notes_of_states<Type, interlock_family>());
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_DROPIN_STATES_HPP
