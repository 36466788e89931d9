// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Names of a program keep their meaning. A class that derives from an object of the library means the names of its own
// namespace, except those that Asio's class has too. An unqualified call with an object, an initiation or a handler of
// the library calls the program's function. The library never calls a function of the program by accident. The same
// program compiles over Asio's own objects.

#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/basic_socket.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/system/error_code.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/close_mode.hpp>

#include "support/differential.hpp"

namespace asio = boost::asio;

namespace {

/// One type of each kind of object.
template <class Family>
struct kinds : Family
{
  using any_socket = asio::basic_socket<typename Family::tcp, asio::any_io_executor>;
  using stream_socket = typename Family::tcp::socket;
  using datagram_socket = typename Family::udp::socket;
  using raw_socket = typename Family::icmp::socket;
  using packet_socket = typename Family::user::socket;
  using acceptor = typename Family::tcp::acceptor;
};

#define INTERLOCK_TEST_KINDS(X, family) \
  X(family, any_socket) \
  X(family, stream_socket) \
  X(family, datagram_socket) \
  X(family, raw_socket) \
  X(family, packet_socket) \
  X(family, acceptor) \
  X(family, descriptor) \
  X(family, stream_descriptor) \
  X(family, readable_pipe) \
  X(family, writable_pipe) \
  X(family, serial_port)

using ours = kinds<support::interlock_family>;
using asios = kinds<support::asio_family>;

} // namespace

// --- Names that a derived class means.

namespace words {

// No class of Asio's has one of them.
#define INTERLOCK_TEST_WORDS(X) \
  X(accept_result) \
  X(access) \
  X(addressed_result) \
  X(asio_socket) \
  X(asio_type) \
  X(assign_descriptor) \
  X(base) \
  X(bases) \
  X(buffers) \
  X(calls) \
  X(closing) \
  X(connection) \
  X(context) \
  X(core) \
  X(core_) \
  X(core_of) \
  X(core_type) \
  X(default_token) \
  X(detail) \
  X(endpoint) \
  X(error_code) \
  X(executor) \
  X(fd) \
  X(fd_type) \
  X(flags) \
  X(functions) \
  X(handler) \
  X(if_context) \
  X(if_convertible) \
  X(if_executor) \
  X(if_own) \
  X(if_peer) \
  X(if_token) \
  X(initiate_async_close) \
  X(initiate_async_release) \
  X(initiation) \
  X(inner_type) \
  X(listener) \
  X(members) \
  X(mode) \
  X(move_accept_result) \
  X(mutex) \
  X(open_listening) \
  X(options) \
  X(owner) \
  X(peer) \
  X(read_result) \
  X(result) \
  X(session) \
  X(start) \
  X(start_accept) \
  X(state) \
  X(stream) \
  X(take) \
  X(take_asio) \
  X(tenure) \
  X(tenure_type) \
  X(timeout) \
  X(token) \
  X(transfer_result) \
  X(write_result)

#define INTERLOCK_TEST_DECLARE(word) \
  struct word \
  { \
  };

INTERLOCK_TEST_WORDS(INTERLOCK_TEST_DECLARE)

#define INTERLOCK_TEST_ONE(word) +1
#define INTERLOCK_TEST_OWN(word) +(std::is_same<word, words::word>::value ? 1 : 0)

constexpr int number = 0 INTERLOCK_TEST_WORDS(INTERLOCK_TEST_ONE);

// A class, not a template: names are looked up in its base first.
#define INTERLOCK_TEST_DERIVED(family, kind) \
  struct family##_##kind : family::kind \
  { \
    using family::kind::kind; \
\
    int own_words() const \
    { \
      return 0 INTERLOCK_TEST_WORDS(INTERLOCK_TEST_OWN); \
    } \
  };

INTERLOCK_TEST_KINDS(INTERLOCK_TEST_DERIVED, ours)
INTERLOCK_TEST_KINDS(INTERLOCK_TEST_DERIVED, asios)

/// A protocol of the program's.
struct protocol : support::interlock_family::tcp
{
  static_assert(std::is_same<base, words::base>::value, "");
};

} // namespace words

// --- Functions that an unqualified call finds.

namespace helpers {

#define INTERLOCK_TEST_HELPERS(X) \
  X(accept_descriptor) \
  X(accept_peer) \
  X(adapt) \
  X(adopt) \
  X(adopt_from_asio) \
  X(adopt_pipe) \
  X(adopt_socket) \
  X(assign_descriptor) \
  X(assign_socket) \
  X(bind_socket) \
  X(cancel_all) \
  X(complete_immediately) \
  X(connect_socket) \
  X(context_of) \
  X(context_state_for) \
  X(control) \
  X(convert) \
  X(convert_descriptor) \
  X(convert_socket) \
  X(demand_of) \
  X(descriptors_may_have_come) \
  X(endpoint_from) \
  X(events_of) \
  X(flags_of) \
  X(gather) \
  X(get_flag) \
  X(get_from_descriptor) \
  X(get_socket_option) \
  X(give_connection) \
  X(give_descriptor) \
  X(give_pipe) \
  X(give_to_asio) \
  X(has_failed) \
  X(is_connection_aborted) \
  X(is_linger) \
  X(is_stream) \
  X(make_ends) \
  X(make_fds) \
  X(open_connected) \
  X(open_listening) \
  X(open_made) \
  X(open_socket) \
  X(or_throw) \
  X(read_blocking) \
  X(read_inside) \
  X(receive) \
  X(receive_from) \
  X(receive_message) \
  X(release_if_open) \
  X(send) \
  X(send_to) \
  X(set_flags) \
  X(set_linger) \
  X(set_native_non_blocking) \
  X(set_non_blocking) \
  X(set_on_descriptor) \
  X(set_socket_option) \
  X(shut_down) \
  X(start) \
  X(start_accept) \
  X(throw_if) \
  X(transfers_all) \
  X(wait_ready) \
  X(write_blocking) \
  X(write_late)

/// The result of a function of this namespace.
struct own
{
};

#define INTERLOCK_TEST_HELPER(name) \
  template <class First, class... More> \
  own name(First&, const More&...) \
  { \
    return {}; \
  }

INTERLOCK_TEST_HELPERS(INTERLOCK_TEST_HELPER)

#define INTERLOCK_TEST_CALLS(name) \
  made = {name(o), name(o, ec), name(o, o), name(text, o), name(o, 0, ec), name(o, buffers, ec), \
    name(o, buffers, 0, ec), name(o, o, place, ec), name(o, buffers, o, 0, ec)};

/// Calls all of them, as a program's generic code does. Does not compile if a call finds another function.
template <class Object>
void call_all(Object& o)
{
  struct
  {
    own of_shapes[9];
  } made;
  boost::system::error_code ec;
  const char* text = "text";
  char* place = nullptr;
  const asio::const_buffer buffers(text, 1);
  INTERLOCK_TEST_HELPERS(INTERLOCK_TEST_CALLS)
  static_cast<void>(made);
}

/// A token that starts nothing.
struct token
{
};

/// An executor that looks at what it executes.
struct executor
{
  asio::io_context::executor_type inner;
  int* executed;

  template <class Function>
  void execute(Function&& f) const
  {
    ++*executed;
    std::decay_t<Function> function(std::forward<Function>(f));
    helpers::call_all(function);
    inner.execute(std::move(function));
  }

  template <class Property>
  auto query(const Property& p) const noexcept
    -> decltype(asio::query(std::declval<const asio::io_context::executor_type&>(), p))
  {
    return asio::query(inner, p);
  }

  friend bool operator==(const executor& a, const executor& b) noexcept
  {
    return a.inner == b.inner;
  }

  friend bool operator!=(const executor& a, const executor& b) noexcept
  {
    return !(a == b);
  }
};

/// A handler of anything.
struct handler
{
  using executor_type = executor;

  executor where;
  int* called;

  executor_type get_executor() const noexcept
  {
    return where;
  }

  template <class... Args>
  void operator()(Args&&...)
  {
    ++*called;
  }
};

} // namespace helpers

namespace boost {
namespace asio {

template <class Signature>
class async_result<helpers::token, Signature>
{
public:
  using return_type = void;

  template <class Initiation, class... Args>
  static void initiate(Initiation&& i, helpers::token, Args&&...)
  {
    helpers::call_all(i);
  }
};

} // namespace asio
} // namespace boost

// --- Functions that the library never calls.

namespace greedy {

#define INTERLOCK_TEST_GREEDY(name) \
  template <class A> \
  void name(A&&) = delete; \
  template <class A, class B> \
  void name(A&&, B&&) = delete; \
  template <class A, class B, class C> \
  void name(A&&, B&&, C&&) = delete; \
  template <class A, class B, class C, class D> \
  void name(A&&, B&&, C&&, D&&) = delete; \
  template <class A, class B, class C, class D, class E> \
  void name(A&&, B&&, C&&, D&&, E&&) = delete;

INTERLOCK_TEST_HELPERS(INTERLOCK_TEST_GREEDY)

/// With it, all that the library makes of an object belongs to this namespace too.
struct executor : asio::io_context::executor_type
{
  executor(const asio::io_context::executor_type& ex) noexcept
    : asio::io_context::executor_type(ex)
  {
  }
};

struct handler
{
  std::string* text;

  template <class... Args>
  void operator()(Args&&...)
  {
    *text += '.';
  }
};

struct option : asio::socket_base::keep_alive
{
  using asio::socket_base::keep_alive::keep_alive;
};

template <class Protocol>
using socket = asio::basic_stream_socket<Protocol, executor>;

template <class Protocol>
using acceptor = asio::basic_socket_acceptor<Protocol, executor>;

/// Returns what has come over a connection, and a point for each handler.
template <class Protocol>
std::string connect_and_talk()
{
  asio::io_context context;
  const executor ex(context.get_executor());
  const asio::ip::tcp::endpoint loopback(asio::ip::address_v4::loopback(), 0);
  acceptor<Protocol> listener(ex, loopback);
  socket<Protocol> near(ex);
  socket<Protocol> far(ex);
  near.connect(listener.local_endpoint());
  listener.accept(far);
  option keeps_alive(true);
  near.set_option(keeps_alive);
  near.get_option(keeps_alive);
  near.write_some(asio::buffer("text", 4));
  std::string text(4, '-');
  far.read_some(asio::buffer(&text[0], 2));
  far.receive(asio::buffer(&text[2], 2), MSG_WAITALL);
  far.wait(far.wait_write);
  near.async_write_some(asio::buffer("more", 4), handler{&text});
  near.async_wait(near.wait_write, handler{&text});
  listener.async_accept(handler{&text});
  context.poll();
  near.shutdown(near.shutdown_send);
  listener.close();
  context.restart();
  context.run();
  return text;
}

} // namespace greedy

namespace {

using our_tcp = support::interlock_family::tcp;

template <class Kinds>
void call_all_with_each(asio::io_context& context)
{
#define INTERLOCK_TEST_CALL_ALL(family, kind) \
  { \
    struct object : family::kind \
    { \
      using family::kind::kind; \
    } derived(context); \
    typename family::kind& o = derived; \
    helpers::call_all(o); \
  }

  INTERLOCK_TEST_KINDS(INTERLOCK_TEST_CALL_ALL, Kinds)
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_names_of_bases)

BOOST_AUTO_TEST_CASE(a_derived_class_means_the_names_of_its_namespace)
{
  asio::io_context context;
#define INTERLOCK_TEST_OWN_WORDS(family, kind) \
  { \
    const words::family##_##kind o(context); \
    BOOST_TEST(o.own_words() == words::number); \
  }

  INTERLOCK_TEST_KINDS(INTERLOCK_TEST_OWN_WORDS, ours)
  INTERLOCK_TEST_KINDS(INTERLOCK_TEST_OWN_WORDS, asios)
}

BOOST_AUTO_TEST_CASE(a_derived_class_inherits_the_constructors)
{
  asio::io_context context;
  const asio::ip::tcp::endpoint loopback(asio::ip::address_v4::loopback(), 0);
  BOOST_TEST(words::ours_acceptor(context, loopback).is_open());
  BOOST_TEST(words::ours_stream_socket(context.get_executor(), loopback).is_open());
  BOOST_TEST(words::ours_datagram_socket(context, asio::ip::udp::v4()).is_open());
}

BOOST_AUTO_TEST_CASE(a_call_with_an_object_finds_the_functions_of_the_program)
{
  asio::io_context context;
  call_all_with_each<ours>(context);
  call_all_with_each<asios>(context);
  BOOST_TEST(context.poll() == 0u);
}

BOOST_AUTO_TEST_CASE(a_call_with_an_initiation_finds_the_functions_of_the_program)
{
  asio::io_context context;
  ours::stream_socket s(context);
  ours::acceptor a(context);
  ours::datagram_socket d(context);
  ours::stream_descriptor f(context);
  char byte = 0;
  const auto buffer = asio::buffer(&byte, 1);
  asio::ip::udp::endpoint address;
  s.async_connect(asio::ip::tcp::endpoint(), helpers::token());
  s.async_send(buffer, helpers::token());
  s.async_receive(buffer, helpers::token());
  s.async_wait(s.wait_read, helpers::token());
  s.async_close(helpers::token());
  s.async_close(interlock::close_mode::immediate(), helpers::token());
  s.async_release(helpers::token());
  s.get_close_handle().async_close(helpers::token());
  a.async_accept(helpers::token());
  a.async_accept(s, helpers::token());
  d.async_send_to(buffer, address, helpers::token());
  d.async_receive_from(buffer, address, helpers::token());
  f.async_read_some(buffer, helpers::token());
  f.async_write_some(buffer, helpers::token());
  BOOST_TEST(context.poll() == 0u);
}

BOOST_AUTO_TEST_CASE(a_call_with_a_handler_finds_the_functions_of_the_program)
{
  asio::io_context context;
  int executed = 0;
  int called = 0;
  helpers::handler h{{context.get_executor(), &executed}, &called};
  ours::acceptor a(context, {asio::ip::address_v4::loopback(), 0});
  ours::stream_socket s(context);
  a.async_accept(h);
  a.async_wait(a.wait_read, h);
  s.async_read_some(asio::mutable_buffer(), h);
  s.async_connect(a.local_endpoint(), h);
  context.poll();
  a.async_close(h);
  s.async_close(interlock::close_mode::immediate(), h);
  context.restart();
  context.run();
  BOOST_TEST(called == 6);
  BOOST_TEST(executed >= called);
}

BOOST_AUTO_TEST_CASE(the_library_calls_no_function_of_the_program)
{
  BOOST_TEST(greedy::connect_and_talk<asio::ip::tcp>() == "text...");
  BOOST_TEST(greedy::connect_and_talk<our_tcp>() == "text...");
}

BOOST_AUTO_TEST_SUITE_END()
