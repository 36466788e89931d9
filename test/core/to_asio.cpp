// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Objects move to Asio's own type and back. Operations go along, but for those of pipes, which are released and assigned:
// these are aborted. What is not open gives nothing, and what uses the descriptor refuses the move. Every descriptor is
// owned by one object at any time, or closed.

#include "support/prelude.hpp"

#include <interlock/connect_pipe.hpp>
#include <interlock/readable_pipe.hpp>
#include <interlock/writable_pipe.hpp>

#include <tuple>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/socket_base.hpp>
#if defined(INTERLOCK_HAS_PIPES)
#include <boost/asio/readable_pipe.hpp>
#include <boost/asio/writable_pipe.hpp>
#endif

#include "support/blocking_subjects.hpp"
#include "support/lingering_socket.hpp"
#include "support/scene.hpp"
#include "support/tcp_facts.hpp"

using namespace support;
using acceptor = tcp::acceptor;
using plain_acceptor = asio::ip::tcp::acceptor;
using interlock::close_handle;

namespace {

/// A type of ours, and Asio's own. What is started waits until there is something to be had.
template <class Ours, class Plain>
struct kind
{
  using ours = Ours;
  using plain = Plain;

  static_assert(std::is_constructible<Ours, Plain&&>::value, "");
  static_assert(!std::is_convertible<Plain&&, Ours>::value, "explicit");
  static_assert(std::is_same<decltype(std::declval<Ours&>().to_asio()), Plain>::value, "");

  static constexpr bool keeps_operations = true;
  fd far;
  char buffer[8] = {};
};

template <class Ours, class Plain>
struct reading_kind : kind<Ours, Plain>
{
  template <class Object, class Handler>
  void start(Object& o, Handler handler)
  {
    o.async_read_some(asio::buffer(this->buffer), std::move(handler));
  }

  outcome wait(Ours& o)
  {
    return read_some(o);
  }

  template <class Object>
  void serve(Object&)
  {
    send_text(this->far, "x");
  }
};

struct of_socket : reading_kind<local::socket, asio::local::stream_protocol::socket>
{
  void open(ours& o)
  {
    ends pair = unix_ends();
    o.assign(local(), pair.near.release());
    far = std::move(pair.far);
  }
};

template <class Ours, class Plain>
struct reading_pipe : reading_kind<Ours, Plain>
{
  void open(Ours& o)
  {
    ends pipe = pipe_ends();
    o.assign(pipe.near.release());
    this->far = std::move(pipe.far);
  }
};

using of_descriptor = reading_pipe<stream_descriptor, asio::posix::stream_descriptor>;

struct of_acceptor : kind<acceptor, plain_acceptor>
{
  void open(ours& o)
  {
    o.open(tcp::v4());
    o.bind(any_local_port());
    o.listen();
  }

  template <class Object, class Handler>
  void start(Object& o, Handler handler)
  {
    o.async_accept(std::move(handler));
  }

  template <class Object>
  outcome wait(Object& o)
  {
    outcome told;
    o.accept(told.ec);
    return told;
  }

  template <class Object>
  void serve(Object& o)
  {
    far = tcp_connected_to(fd(checked(::dup(o.native_handle()), "dup")));
  }
};

#if defined(INTERLOCK_HAS_PIPES)

struct of_readable : reading_pipe<interlock::readable_pipe, asio::readable_pipe>
{
  static constexpr bool keeps_operations = false;
};

/// Full, whenever something is started.
struct of_writable : kind<interlock::writable_pipe, asio::writable_pipe>
{
  static constexpr bool keeps_operations = false;

  void open(ours& o)
  {
    ends pipe = pipe_ends();
    o.assign(pipe.far.release());
    far = std::move(pipe.near);
  }

  template <class Object, class Handler>
  void start(Object& o, Handler handler)
  {
    write_until_full(o.native_handle());
    o.async_write_some(asio::buffer(buffer), std::move(handler));
  }

  outcome wait(ours& o)
  {
    write_until_full(o.native_handle());
    outcome told;
    told.bytes = o.write_some(asio::buffer(buffer), told.ec);
    return told;
  }

  template <class Object>
  void serve(Object&)
  {
    char page[4096];
    checked(static_cast<int>(::read(far.get(), page, sizeof(page))), "read");
  }
};

static_assert(!std::is_constructible<asio::readable_pipe, interlock::readable_pipe&&>::value
    && !std::is_constructible<asio::writable_pipe, interlock::writable_pipe&&>::value,
  "by to_asio() only");
using narrow = asio::io_context::executor_type;
using narrow_pipe = interlock::basic_readable_pipe<narrow>;
static_assert(std::is_same<decltype(std::declval<narrow_pipe&>().to_asio()),
                asio::basic_readable_pipe<narrow>>::value,
  "");
static_assert(
  std::is_same<interlock::readable_pipe::rebind_executor<narrow>::other, narrow_pipe>::value
    && std::is_same<interlock::basic_writable_pipe<narrow>::executor_type, narrow>::value,
  "");

#endif

using kinds_with_a_mode = std::tuple<of_socket, of_descriptor, of_acceptor>;
#if defined(INTERLOCK_HAS_PIPES)
using every_kind = std::tuple<of_socket, of_descriptor, of_acceptor, of_readable, of_writable>;
#else
using every_kind = kinds_with_a_mode;
#endif

/// An open object. A kind's `buffer` outlives the handlers.
template <class Kind>
struct moving : in_context
{
  Kind kind;
  typename Kind::ours object{*context};

  moving()
  {
    kind.open(object);
  }

  ~moving()
  {
    object.close();
    finish();
  }

  template <class Object>
  void start(Object& o)
  {
    read = not_called;
    kind.start(o, tally(into(read)));
  }

  /// What has been started on the object that `o` was made of.
  template <class Object>
  void check_gone_along(Object& o)
  {
    turn();
    BOOST_TEST(read == (Kind::keeps_operations ? not_called : aborted));
    check_works(o, Kind::keeps_operations);
  }

  template <class Object>
  void check_works(Object& o, bool is_started = false)
  {
    if (!is_started)
      start(o);
    kind.serve(o);
    run();
    BOOST_TEST(read == success);
  }
};

/// What `from.to_asio()` throws. Success: Asio's object has been made, and is gone.
template <class Object>
error_code given(Object& from)
{
  try
  {
    from.to_asio();
  }
  catch (const boost::system::system_error& e)
  {
    BOOST_TEST(std::string(e.what()).rfind("move: ", 0) == 0);
    return e.code();
  }
  return success;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_to_asio, in_context)

BOOST_AUTO_TEST_CASE_TEMPLATE(an_object_becomes_asios_and_ours_again, Kind, every_kind)
{
  moving<Kind> s;
  const int number = s.object.native_handle();
  const close_watch watch(number);
  s.start(s.object);
  typename Kind::plain plain = s.object.to_asio();
  BOOST_TEST(!s.object.is_open());
  BOOST_TEST(plain.native_handle() == number);
  s.check_gone_along(plain);
  s.start(plain);
  typename Kind::ours again(std::move(plain));
  BOOST_TEST(!plain.is_open());
  BOOST_TEST(again.native_handle() == number);
  s.check_gone_along(again);
  s.check_works(again);
  BOOST_TEST(watch.arrived() == 0u);
  again.close();
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(watch.arrived() == 1u);
}

// Nothing of ours is open any more, but the handler of an operation is still outstanding.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_close_waits_for_what_went_along, Kind, every_kind)
{
  moving<Kind> s;
  s.start(s.object);
  typename Kind::plain plain = s.object.to_asio();
  s.object.async_close(s.tally(into(s.closed)));
  BOOST_TEST(s.tally.called() == 0);
  s.turn();
  if (Kind::keeps_operations)
    BOOST_TEST(s.closed == not_called);
  s.kind.serve(plain);
  s.run();
  BOOST_TEST(s.read == (Kind::keeps_operations ? success : aborted));
  BOOST_TEST(s.closed == success);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_close_aborts_what_came_along, Kind, every_kind)
{
  moving<Kind> s;
  typename Kind::plain plain = s.object.to_asio();
  s.start(plain);
  s.object = typename Kind::ours(std::move(plain));
  s.object.close();
  s.run();
  BOOST_TEST(s.read == aborted);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(
  what_is_not_open_gives_and_takes_nothing_and_can_be_opened, Kind, every_kind)
{
  moving<Kind> s;
  typename Kind::ours never_opened(*s.context);
  BOOST_TEST(given(never_opened) == bad_descriptor);
  typename Kind::ours moved(std::move(s.object));
  BOOST_TEST(given(s.object) == bad_descriptor);
  s.kind.open(s.object);
  s.object.close();
  BOOST_TEST(given(s.object) == bad_descriptor);
  s.kind.open(s.object);
  BOOST_TEST(given(s.object) == success);
  BOOST_TEST(given(s.object) == bad_descriptor);
  moved.retire();
  BOOST_TEST(given(moved) == bad_descriptor);
  typename Kind::plain plain(*s.context);
  s.object = typename Kind::ours(std::move(plain));
  BOOST_TEST(!s.object.is_open());
  s.kind.open(s.object);
  BOOST_TEST(s.object.is_open());
}

// A refusal changes nothing. A close handle does not refuse, and stays with the object.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_lease_refuses_and_a_handle_stays_behind, Kind, every_kind)
{
  moving<Kind> s;
  const int number = s.object.native_handle();
  const close_watch watch(number);
  {
    const interlock::fd_lease lease = s.object.lease();
    BOOST_TEST(given(s.object) == in_use);
    BOOST_TEST(s.object.native_handle() == number);
  }
  const close_handle handle = s.object.get_close_handle();
  typename Kind::plain plain = s.object.to_asio();
  handle.close();
  BOOST_TEST(s.ask(handle) == success);
  s.kind.open(s.object);
  handle.close();
  BOOST_TEST(!s.object.is_open());
  handle.retire();
  BOOST_TEST(plain.is_open());
  BOOST_TEST(plain.native_handle() == number);
  BOOST_TEST(watch.arrived() == 0u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_that_is_inside_refuses, Kind, every_kind)
{
  moving<Kind> s;
  call_in_thread blocked([&s] { return s.kind.wait(s.object); });
  BOOST_TEST_REQUIRE(blocked.blocks());
  BOOST_TEST(given(s.object) == in_use);
  BOOST_TEST(s.object.is_open());
  s.kind.serve(s.object);
  BOOST_TEST(blocked.get().ec == success);
  BOOST_TEST(given(s.object) == success);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_blocking_mode_moves_as_well, Kind, kinds_with_a_mode)
{
  moving<Kind> s;
  for (const bool mode : {false, true})
  {
    s.object.non_blocking(mode);
    typename Kind::plain plain = s.object.to_asio();
    BOOST_TEST(plain.non_blocking() == mode);
    s.object = typename Kind::ours(std::move(plain));
    BOOST_TEST(s.object.non_blocking() == mode);
  }
  BOOST_TEST(s.kind.wait(s.object).ec == error_code(asio::error::would_block));
}

// --- Sockets.

// Neither the program nor a move takes O_NONBLOCK back beside an operation.
BOOST_AUTO_TEST_CASE(a_socket_with_operations_does_not_become_blocking)
{
  for (const bool by_program : {false, true})
  {
    ends own = unix_ends();
    asio::local::stream_protocol::socket plain(
      *context, asio::local::stream_protocol(), own.near.release());
    plain.non_blocking(by_program);
    start_read(plain);
    local::socket s(std::move(plain));
    s.non_blocking(false);
    s.native_non_blocking(false);
    BOOST_TEST(is_non_blocking(s.native_handle()));
    plain = s.to_asio();
    BOOST_TEST(is_non_blocking(plain.native_handle()));
    plain.close();
    run();
    BOOST_TEST(read == aborted);
  }
}

BOOST_FIXTURE_TEST_CASE(the_mode_of_a_socket_is_not_taken_back_beside_an_operation, scene)
{
  asio::local::stream_protocol::socket plain = object->to_asio();
  plain.non_blocking(true);
  *object = local::socket(std::move(plain));
  object->non_blocking(false);
  start_read();
  plain = object->to_asio();
  BOOST_TEST(plain.non_blocking());
  send_text(pair.far, "hello");
  run();
  BOOST_TEST(read == success);
}

// --- Acceptors.

// The accept has left the descriptor O_NONBLOCK, which Asio has to know.
BOOST_AUTO_TEST_CASE(asios_acceptor_waits_for_a_connection)
{
  acceptor listener(*context, any_local_port());
  of_acceptor first;
  first.serve(listener);
  listener.accept();
  BOOST_TEST(is_non_blocking(listener.native_handle()));
  plain_acceptor plain = listener.to_asio();
  BOOST_TEST(!plain.non_blocking());
  of_acceptor second;
  call_in_thread blocked([&] { return second.wait(plain); });
  BOOST_TEST(blocked.blocks());
  second.serve(plain);
  BOOST_TEST(blocked.get().ec == success);
}

BOOST_AUTO_TEST_CASE(the_flags_of_an_acceptor_move_as_well)
{
  using aborts = asio::socket_base::enable_connection_aborted;
  const auto aborted_of = [](auto& a)
  {
    aborts option;
    a.get_option(option);
    return option.value();
  };
  acceptor listener(*context, any_local_port());
  for (const bool mode : {false, true})
  {
    listener.set_option(aborts(mode));
    plain_acceptor plain = listener.to_asio();
    BOOST_TEST(aborted_of(plain) == mode);
    listener = acceptor(std::move(plain));
    BOOST_TEST(aborted_of(listener) == mode);
  }
  plain_acceptor plain = listener.to_asio();
  plain.native_non_blocking(true);
  const acceptor ours(std::move(plain));
  BOOST_TEST(!ours.non_blocking());
  BOOST_TEST(ours.native_non_blocking());
}

BOOST_AUTO_TEST_CASE(a_listener_of_another_protocol_keeps_it)
{
  asio::local::stream_protocol::acceptor plain(*context, asio::local::stream_protocol());
  local::acceptor ours(std::move(plain));
  BOOST_TEST(ours.local_endpoint().protocol().family() == AF_UNIX);
  BOOST_TEST(ours.to_asio().is_open());
}

// The connections inherit the option from the listener, about which the library has not been asked.
BOOST_AUTO_TEST_CASE(what_a_lingering_listener_of_asio_accepts_is_taken_over_before_its_close)
{
  plain_acceptor plain(*context, any_local_port());
  plain.set_option(asio::socket_base::linger(true, 5));
  of_acceptor kind;
  kind.serve(plain);
  acceptor listener(std::move(plain));
  tcp::socket accepted = listener.accept();
  // No native_handle() of ours: that alone makes the library ask the system.
  check_lingering_close(accepted, descriptor_connected_to(kind.far), kind.far);
}

// An acceptor's own close(2) waits for nothing: the thread that closes makes it, and the address is free.
BOOST_AUTO_TEST_CASE(a_lingering_listener_of_asio_frees_its_address)
{
  plain_acceptor plain(*context, any_local_port());
  plain.set_option(asio::socket_base::linger(true, 5));
  const auto address = plain.local_endpoint();
  acceptor listener(std::move(plain));
  listener.close();
  acceptor next(*context, address, false);
  BOOST_TEST(next.is_open());
}

BOOST_AUTO_TEST_SUITE_END()
