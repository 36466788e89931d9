// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A borrowed descriptor is taken out of the reactor when its object is closed, and never closed, whatever
// ends the object and wherever that has been moved. Until the first operation it keeps its blocking
// mode.

#include "support/prelude.hpp"

#include <interlock/borrowed.hpp>

#include <cstdlib>
#include <tuple>

#include <poll.h>
#include <sys/epoll.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "support/dropin_members.hpp"
#include "support/refusals.hpp"
#include "support/subject.hpp"
#include "support/system_errors.hpp"

using interlock::borrowed;
using namespace support;

namespace {

const error_code already_open = asio::error::already_open;

using every_kind = std::tuple<local_stream_socket, local_datagram_socket,
  support::stream_descriptor, readable_pipe, tcp_acceptor>;

#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
template <class>
using made_narrow = over_the_context;
#else
// There is one type of descriptors only: a conversion is a move.
template <class Row>
using made_narrow =
  std::conditional_t<Row::is_socket || Row::is_acceptor, over_the_context, as_they_are>;
#endif

/// Assigns `fd` to the object, which borrows it.
template <class Row, class Object, class... Ec>
void lend(Object& o, int fd, Ec&... ec)
{
  if constexpr (Row::is_socket || Row::is_acceptor)
    o.assign(Row::protocol(), fd, borrowed, ec...);
  else
    o.assign(fd, borrowed, ec...);
}

/// An object that borrows. In the end the owner has the descriptor as it was, and closes it itself.
template <class Row>
struct scene
{
  using row = Row;
  using wide = plain_object<Row>;
  using narrow = typename made_narrow<Row>::template type<wide>;

  census fds;
  std::optional<ends> lent{Row::make()};
  const int fd = lent->near.get();
  const std::string file = referred_to(fd);
  close_watch watch{fd};
  std::optional<asio::io_context> context{std::in_place};
  std::optional<narrow> object{std::in_place, *context};
  handler_tally tally;
  error_code ec = not_called;
  error_code read = not_called;
  error_code closed = not_called;
  char buffer[8] = {};

  scene()
  {
    lend<Row>(*object, fd, ec);
    BOOST_TEST_REQUIRE(ec == success);
    BOOST_TEST(object->native_handle() == fd);
  }

  ~scene()
  {
    object.reset();
    if (context)
      run();
    context.reset();
    BOOST_TEST(tally.all_ended());
    check_lent();
    lent.reset();
    BOOST_TEST(watch.closed() == 1u);
    BOOST_TEST(fds.restored());
  }

  void run()
  {
    context->restart();
    context->run();
  }

  /// An operation that waits for input.
  template <class Handler>
  void start(Handler h)
  {
    if constexpr (Row::is_acceptor)
      object->async_accept(std::move(h));
    else if constexpr (Row::reads)
      object->async_read_some(asio::buffer(buffer), std::move(h));
    else
      object->async_receive(asio::buffer(buffer), std::move(h));
  }

  void start()
  {
    start(tally(into(read)));
  }

  /// The client, if the object accepts.
  support::fd feed()
  {
    if constexpr (Row::is_acceptor)
      return client_of(fd);
    send_text(lent->far, "x");
    return support::fd();
  }

  /// The owner goes on using it.
  bool is_usable()
  {
    const support::fd client = feed();
    ::pollfd p = {fd, POLLIN, 0};
    ::poll(&p, 1, -1);
    if constexpr (Row::is_acceptor)
      return support::fd(::accept(fd, nullptr, nullptr)).get() >= 0;
    char got = 0;
    return ::read(fd, &got, 1) == 1 && got == 'x';
  }

  /// Open, what it was, and as good as ever.
  void check_lent()
  {
    BOOST_TEST(referred_to(fd) == file);
    BOOST_TEST(watch.arrived() == 0u);
    BOOST_TEST(is_usable());
  }

  /// The reactor has forgotten it: other code may give it to the same.
  void check_unregistered()
  {
    asio::posix::stream_descriptor other(*context);
    error_code failed;
    other.assign(fd, failed);
    BOOST_TEST(failed == success);
    other.release();
  }

  /// The closer is told.
  template <class Closed>
  void close_asynchronously(Closed&& o)
  {
    o.async_close(tally(into(closed)));
    run();
    BOOST_TEST(closed == success);
  }
};

/// Without an object: for what is particular to one kind.
struct lending
{
  asio::io_context context;
  ends pair = unix_ends();
  close_watch watch{pair.near.get()};
  handler_tally tally;
  error_code ec = not_called;

  int fd() const
  {
    return pair.near.get();
  }

  ~lending()
  {
    BOOST_TEST(watch.arrived() == 0u);
    BOOST_TEST(is_fd_open(fd()));
  }
};

// --- What ends an object.

template <class Scene>
void move_and_close(Scene& s)
{
  typename Scene::narrow to(std::move(*s.object));
  BOOST_TEST(to.native_handle() == s.fd);
  BOOST_TEST(!s.object->is_open());
  to.close();
}

template <class Scene>
void convert_and_close(Scene& s)
{
  typename Scene::wide to(std::move(*s.object));
  BOOST_TEST(to.native_handle() == s.fd);
  BOOST_TEST(!s.object->is_open());
  s.close_asynchronously(to);
}

template <class Scene>
void convert_and_destroy(Scene& s)
{
  typename Scene::wide to(*s.context);
  to = std::move(*s.object);
  BOOST_TEST(to.native_handle() == s.fd);
}

template <class Scene>
void assign_another(Scene& s)
{
  typename Scene::narrow other(*s.context);
  *s.object = std::move(other);
}

template <class Scene>
void retire_for_ever(Scene& s)
{
  s.object->retire();
  lend<typename Scene::row>(*s.object, s.fd, s.ec);
  BOOST_TEST(s.ec == retired);
}

template <class Scene>
struct end
{
  const char* name;
  void (*run)(Scene&);
};

template <class Scene>
constexpr end<Scene> every_end[] = {{"close", [](Scene& s) { s.object->close(); }},
  {"destructor", [](Scene& s) { s.object.reset(); }},
  {"async_close", [](Scene& s) { s.close_asynchronously(*s.object); }},
  {"a handle's close", [](Scene& s) { s.object->get_close_handle().close(); }},
  {"a handle's async_close",
    [](Scene& s) { s.close_asynchronously(s.object->get_close_handle()); }},
  {"retire", retire_for_ever<Scene>},
  {"release", [](Scene& s) { BOOST_TEST(s.object->release() == s.fd); }},
  {"a move, and close", move_and_close<Scene>},
  {"a conversion, and async_close", convert_and_close<Scene>},
  {"an assignment that converts, and the destructor", convert_and_destroy<Scene>},
  {"an assignment of another object", assign_another<Scene>}};

} // namespace

BOOST_AUTO_TEST_SUITE(test_borrowed)

BOOST_AUTO_TEST_CASE_TEMPLATE(whatever_ends_the_object_leaves_the_descriptor_open, Row, every_kind)
{
  for (const auto& end : every_end<scene<Row>>)
    BOOST_TEST_CONTEXT(end.name)
    {
      scene<Row> s;
      s.start();
      end.run(s);
      s.check_unregistered();
      s.run();
      BOOST_TEST(s.read == aborted);
      BOOST_TEST((!s.object || !s.object->is_open()));
      BOOST_TEST(s.tally.all_called());
    }
}

// By then the owner may close it.
BOOST_AUTO_TEST_CASE_TEMPLATE(async_close_waits_for_the_handlers, Row, every_kind)
{
  scene<Row> s;
  asio::io_context idle;
  s.start(asio::bind_executor(idle.get_executor(), s.tally(into(s.read))));
  s.object->async_close(s.tally(into(s.closed)));
  BOOST_TEST(wait_until([&] { return turn(*s.context), idle.poll_one() == 1; }));
  s.run();
  BOOST_TEST(s.read == aborted);
  BOOST_TEST(s.closed == success);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(after_a_lease_too_the_descriptor_stays_open, Row, every_kind)
{
  scene<Row> s;
  interlock::fd_lease lease = s.object->lease();
  s.object->async_close(s.tally(into(s.closed)));
  turn(*s.context);
  BOOST_TEST(s.closed == not_called);
  lease.reset();
  s.run();
  BOOST_TEST(s.closed == success);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(async_release_delivers_the_descriptor, Row, every_kind)
{
  scene<Row> s;
  s.start();
  int delivered = -2;
  s.object->async_release(s.tally(
    [&](error_code ec, int n)
    {
      s.ec = ec;
      delivered = n;
    }));
  s.run();
  BOOST_TEST(s.read == aborted);
  BOOST_TEST(s.ec == success);
  BOOST_TEST(delivered == s.fd);
  s.check_unregistered();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_end_of_the_context_leaves_the_descriptor_open, Row, every_kind)
{
  using scene_type = scene<Row>;
  const end<scene_type> before[] = {{"no close", [](scene_type&) {}},
    {"async_close", [](scene_type& s) { s.object->async_close(s.tally([](error_code) {})); }},
    {"async_release",
      [](scene_type& s) { s.object->async_release(s.tally([](error_code, int) {})); }}};
  for (const auto& each : before)
    BOOST_TEST_CONTEXT(each.name)
    {
      scene_type s;
      s.start();
      each.run(s);
      s.context.reset();
      BOOST_TEST(!s.object->is_open());
      BOOST_TEST(s.tally.called() == 0);
      s.check_lent();
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(with_the_context_of_the_handler_it_is_not_closed, Row, every_kind)
{
  scene<Row> s;
  std::optional<asio::io_context> other(std::in_place);
  s.object->async_release(
    asio::bind_executor(other->get_executor(), s.tally([](error_code, int) {})));
  s.run();
  other.reset();
  BOOST_TEST(s.tally.called() == 0);
  BOOST_TEST(s.tally.all_ended());
  s.check_lent();
}

BOOST_FIXTURE_TEST_CASE(converted_to_the_generic_protocol_it_is_borrowed_still, lending)
{
  using generic = interlock::closable<asio::generic::stream_protocol>;
  local::socket from(context, local(), fd(), borrowed);
  generic::socket to(std::move(from));
  BOOST_TEST(to.native_handle() == fd());
  to.close();
  BOOST_TEST(!to.is_open());
}

// --- Of what is opened next, only that is borrowed which is said to be.

BOOST_AUTO_TEST_CASE_TEMPLATE(a_descriptor_assigned_later_is_owned_again, Row, every_kind)
{
  scene<Row> s;
  for (int i = 0; i != 3; ++i)
  {
    s.close_asynchronously(*s.object);
    ends own = Row::make();
    const close_watch of_own(own.near.get());
    Row::put(*s.object, own.near);
    s.close_asynchronously(*s.object);
    BOOST_TEST(of_own.closed() == 1u);
    lend<Row>(*s.object, s.fd, s.ec);
    BOOST_TEST(s.ec == success);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(it_can_be_borrowed_again_at_once, Row, every_kind)
{
  scene<Row> s;
  typename scene<Row>::wide other(*s.context);
  for (int i = 0; i != 50; ++i)
  {
    s.object->close();
    lend<Row>(other, s.fd, s.ec);
    BOOST_TEST(s.ec == success);
    other.close();
    lend<Row>(*s.object, s.fd, s.ec);
    BOOST_TEST(s.ec == success);
  }
}

// Opened several times, it comes to use the memory of the time when it borrowed.
BOOST_FIXTURE_TEST_CASE(what_the_object_opens_itself_is_its_own, lending)
{
  local::socket s(context, local(), fd(), borrowed);
  const auto close_and_wait = [&]
  {
    s.async_close(tally(into(ec)));
    context.restart();
    context.run();
    BOOST_TEST(ec == success);
  };
  close_and_wait();
  for (int i = 0; i != 4; ++i)
  {
    s.open(local());
    close_watch own(s.native_handle());
    close_and_wait();
    BOOST_TEST(own.closed() == 1u);
  }
}

// --- Other users of the descriptor.

// A set of the owner's own reports as before: only the object's registration is gone.
BOOST_AUTO_TEST_CASE_TEMPLATE(the_owners_epoll_set_keeps_the_descriptor, Row, every_kind)
{
  scene<Row> s;
  const support::fd set(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
  ::epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = s.fd;
  checked(::epoll_ctl(set.get(), EPOLL_CTL_ADD, s.fd, &event), "epoll_ctl");
  s.start();
  s.object->close();
  s.run();
  BOOST_TEST(::epoll_ctl(set.get(), EPOLL_CTL_MOD, s.fd, &event) == 0);
  BOOST_TEST(::epoll_wait(set.get(), &event, 1, 0) == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(objects_of_two_contexts_may_borrow_one_descriptor, Row, every_kind)
{
  scene<Row> s;
  asio::io_context other;
  typename scene<Row>::wide second(other);
  lend<Row>(second, s.fd, s.ec);
  BOOST_TEST(s.ec == success);
  s.object->close();
  BOOST_TEST(second.native_handle() == s.fd);
  second.close();
}

// --- The blocking mode.

BOOST_AUTO_TEST_CASE_TEMPLATE(without_an_operation_the_blocking_mode_stays, Row, every_kind)
{
  scene<Row> s;
  if constexpr (Row::has_blocking_state)
  {
    BOOST_TEST(!s.object->native_non_blocking());
    BOOST_TEST(!s.object->non_blocking());
  }
  if constexpr (Row::is_socket)
  {
    s.object->set_option(asio::socket_base::send_buffer_size(10000));
    BOOST_TEST(s.object->available() == 0u);
    BOOST_TEST(s.object->local_endpoint().protocol().family() == AF_UNIX);
  }
  BOOST_TEST(s.object->lease().get() == s.fd);
  s.object->cancel();
  typename scene<Row>::narrow moved(std::move(*s.object));
  typename scene<Row>::wide converted(std::move(moved));
  converted.close();
  lend<Row>(converted, s.fd);
  converted.release();
  BOOST_TEST(!is_non_blocking(s.fd));
}

// It is not taken back.
BOOST_AUTO_TEST_CASE_TEMPLATE(the_first_operation_makes_it_non_blocking, Row, every_kind)
{
  scene<Row> s;
  s.start();
  BOOST_TEST(is_non_blocking(s.fd));
  s.object->close();
  s.run();
  BOOST_TEST(is_non_blocking(s.fd));
}

// Only a socket has a flag of a call that keeps it from blocking.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_synchronous_call_leaves_a_socket_blocking, Row, every_kind)
{
  {
    scene<Row> s;
    const support::fd client = s.feed();
    BOOST_TEST(!is_non_blocking(s.fd));
    if constexpr (Row::is_acceptor)
      BOOST_TEST(s.object->accept().is_open());
    else
      BOOST_TEST(read<Row>(*s.object, asio::buffer(s.buffer)).is(success, 1));
    BOOST_TEST(is_non_blocking(s.fd) == !Row::is_socket);
  }
  if constexpr (can_write<Row>)
  {
    scene<Row> s;
    BOOST_TEST(write<Row>(*s.object, asio::buffer("hello", 5)).is(success, 5));
    BOOST_TEST(is_non_blocking(s.fd) == !Row::is_socket);
    BOOST_TEST(drain(s.lent->far) == 5u);
  }
}

// While it waits it is non-blocking: no close would wake it in connect(2).
BOOST_AUTO_TEST_CASE(a_synchronous_connect_leaves_the_blocking_mode_as_it_was)
{
  asio::io_context context;
  const support::fd listener = tcp_listener();
  const asio::ip::tcp::endpoint to(
    asio::ip::address_v4::loopback(), ntohs(address_of(listener).sin_port));
  for (const int mode : {0, int(SOCK_NONBLOCK)})
    for (const bool is_asynchronous : {false, true})
    {
      const support::fd lent(
        checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | mode, 0), "socket"));
      tcp::socket s(context, tcp::v4(), lent.get(), borrowed);
      error_code ec = not_called;
      if (is_asynchronous)
        s.async_connect(to, into(ec));
      else
        s.connect(to, ec);
      BOOST_TEST(is_non_blocking(lent.get()) == (mode != 0 || is_asynchronous));
      turn(context);
      BOOST_TEST(wait_until([&] { return turn(context), ec != not_called; }));
      BOOST_TEST(ec == success);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_blocked_call_on_it_is_woken, Row, every_kind)
{
  scene<Row> s;
  call_in_thread blocked(
    [&]
    {
      outcome o;
      if constexpr (Row::is_acceptor)
        s.object->accept(o.ec);
      else
        o.ec = read<Row>(*s.object, asio::buffer(s.buffer)).ec;
      return o;
    });
  BOOST_TEST_REQUIRE(blocked.blocks());
  s.object->close();
  BOOST_TEST(blocked.get().ec == aborted);
}

BOOST_FIXTURE_TEST_CASE(both_kinds_of_transfer_work_on_it, lending)
{
  local::socket s(context, local(), fd(), borrowed);
  char buffer[8] = {};
  error_code written = not_called;
  s.async_read_some(asio::buffer(buffer), tally(into(ec)));
  s.async_write_some(asio::buffer("hello", 5), tally(into(written)));
  send_text(pair.far, "x");
  context.run();
  BOOST_TEST(ec == success);
  BOOST_TEST(written == success);
  BOOST_TEST(drain(pair.far) == 5u);
}

// --- What cannot be borrowed.

#if defined(BOOST_ASIO_HAS_EPOLL)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_descriptor_that_is_not_open_cannot_be_borrowed, Row, every_kind)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      for (const int invalid : {-1, bad_fd})
      {
        error_code ec;
        plain_object<Row> o(context);
        lend<Row>(o, invalid, ec);
        BOOST_TEST(ec == bad_descriptor);
        BOOST_TEST(!o.is_open());
        throws("assign", bad_descriptor, [&] { lend<Row>(o, invalid); });
        throws("assign", bad_descriptor,
          [&]
          {
            if constexpr (Row::is_socket || Row::is_acceptor)
              plain_object<Row> made(context, Row::protocol(), invalid, borrowed);
            else
              plain_object<Row> made(context, invalid, borrowed);
          });
      }
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(
  a_descriptor_that_is_watched_already_cannot_be_borrowed, Row, every_kind)
{
  scene<Row> s;
  typename scene<Row>::wide second(*s.context);
  lend<Row>(second, s.fd, s.ec);
  BOOST_TEST(s.ec == system_error(EEXIST));
  BOOST_TEST(!second.is_open());
  ::stream_descriptor third(*s.context);
  BOOST_TEST(third.assign(s.fd, borrowed, s.ec) == system_error(EEXIST));
  BOOST_TEST(third.assign(s.fd, s.ec) == system_error(EEXIST));
  BOOST_TEST(s.object->is_open());
  s.object->close();
  lend<Row>(second, s.fd, s.ec);
  BOOST_TEST(s.ec == success);
}

// Asio takes it, although the reactor cannot.
BOOST_AUTO_TEST_CASE(a_regular_file_can_be_borrowed_as_it_can_be_assigned)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      char name[] = "/tmp/interlock_borrowed_XXXXXX";
      const support::fd file(checked(::mkstemp(name), "mkstemp"));
      ::unlink(name);
      close_watch watch(file.get());
      ::stream_descriptor d(context, file.get(), borrowed);
      BOOST_TEST(d.write_some(asio::buffer("hello", 5)) == 5u);
      d.close();
      char got[8];
      BOOST_TEST(::pread(file.get(), got, sizeof(got), 0) == 5);
      {
        const ::stream_descriptor other(context, file.get(), borrowed);
        BOOST_TEST(other.is_open());
      }
      BOOST_TEST(watch.arrived() == 0u);
    });
}

#endif

BOOST_AUTO_TEST_CASE_TEMPLATE(an_open_object_borrows_nothing, Row, every_kind)
{
  scene<Row> s;
  plain_object<Row> o(*s.context);
  ends own = Row::make();
  const int before = own.near.get();
  Row::put(o, own.near);
  lend<Row>(o, s.fd, s.ec);
  BOOST_TEST(s.ec == already_open);
  throws("assign", already_open, [&] { lend<Row>(o, s.fd); });
  BOOST_TEST(o.native_handle() == before);
  BOOST_TEST(!is_non_blocking(s.fd));
}

// --- Threads.

BOOST_AUTO_TEST_CASE_TEMPLATE(it_stays_open_whatever_closes_the_object, Row, every_kind)
{
  for (int round = 0; round != 50; ++round)
  {
    scene<Row> s;
    s.start();
    at_once(3,
      [&s](int i)
      {
        if (i == 0)
          s.object->close();
        else if (i == 1)
          s.object->async_close(s.tally(into(s.closed)));
        else
          s.object->async_release(s.tally([](error_code, int) {}));
      });
    s.run();
    BOOST_TEST(s.read == aborted);
    BOOST_TEST(s.closed == success);
    BOOST_TEST(s.tally.all_called());
  }
}

BOOST_AUTO_TEST_SUITE_END()
