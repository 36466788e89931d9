// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A borrowed descriptor is taken out of the reactor when its object is closed, and never closed, whatever
// ends the object and wherever that has been moved. Until the first operation it keeps its blocking
// mode.

#include <interlock/borrowed.hpp>

#include <interlock/close_handle.hpp>
#include <interlock/error.hpp>
#include <interlock/fd_lease.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/test/unit_test.hpp>

#include "support/blocking_subjects.hpp"
#include "support/census.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/refusals.hpp"
#include "support/sync_support.hpp"
#include "support/system_errors.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::borrowed;
using interlock::ip::tcp;
using interlock::posix::stream_descriptor;
using local = interlock::local::stream_protocol;
using support::aborted;
using support::bad_descriptor;
using support::losing_nothing;
using support::success;
using support::throws;

namespace {

const error_code not_called = asio::error::fault;
const error_code already_open = asio::error::already_open;

using io_executor = asio::io_context::executor_type;

// --- What is lent: a descriptor with its owner, how an object borrows it, and an operation on that.

struct lent_socket
{
  template <class Executor>
  using object = typename local::socket::rebind_executor<Executor>::other;

  support::ends pair = support::unix_ends();
  char buffer[8] = {};

  int get() const
  {
    return pair.near.get();
  }

  template <class Object>
  void assign(Object& o, error_code& ec)
  {
    o.assign(local(), get(), borrowed, ec);
  }

  template <class Object>
  void assign_own(Object& o, int fd)
  {
    o.assign(local(), fd);
  }

  template <class Object, class Handler>
  void start(Object& o, Handler h)
  {
    o.async_read_some(asio::buffer(buffer), std::move(h));
  }

  /// The owner goes on using it.
  bool is_usable()
  {
    char got = 0;
    support::send_text(pair.far, "x");
    return ::read(get(), &got, 1) == 1 && got == 'x';
  }

  static int another()
  {
    return support::unix_ends().near.release();
  }
};

struct lent_descriptor
{
#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
  template <class Executor>
  using object = interlock::posix::basic_stream_descriptor<Executor>;
#else
  // There is one type of them only: a conversion is a move.
  template <class>
  using object = stream_descriptor;
#endif

  support::ends pair = support::pipe_ends();
  char buffer[8] = {};

  int get() const
  {
    return pair.near.get();
  }

  template <class Object>
  void assign(Object& o, error_code& ec)
  {
    o.assign(get(), borrowed, ec);
  }

  template <class Object>
  void assign_own(Object& o, int fd)
  {
    o.assign(fd);
  }

  template <class Object, class Handler>
  void start(Object& o, Handler h)
  {
    o.async_read_some(asio::buffer(buffer), std::move(h));
  }

  bool is_usable()
  {
    char got = 0;
    support::send_text(pair.far, "x");
    return ::read(get(), &got, 1) == 1 && got == 'x';
  }

  static int another()
  {
    return support::pipe_ends().near.release();
  }
};

struct lent_acceptor
{
  template <class Executor>
  using object = typename tcp::acceptor::rebind_executor<Executor>::other;

  support::fd listener = support::tcp_listener();

  int get() const
  {
    return listener.get();
  }

  template <class Object>
  void assign(Object& o, error_code& ec)
  {
    o.assign(tcp::v4(), get(), borrowed, ec);
  }

  template <class Object>
  void assign_own(Object& o, int fd)
  {
    o.assign(tcp::v4(), fd);
  }

  template <class Object, class Handler>
  void start(Object& o, Handler h)
  {
    o.async_accept(std::move(h));
  }

  bool is_usable()
  {
    const support::fd client = support::tcp_connected_to(listener);
    ::pollfd p = {get(), POLLIN, 0};
    ::poll(&p, 1, -1);
    const support::fd accepted(::accept(get(), nullptr, nullptr));
    return accepted.get() >= 0;
  }

  static int another()
  {
    return support::tcp_listener().release();
  }
};

using every_kind = std::tuple<lent_socket, lent_descriptor, lent_acceptor>;

/// An object that borrows. In the end the owner has the descriptor as it was, and closes it itself.
template <class Lent>
struct scene
{
  using narrow = typename Lent::template object<io_executor>;
  using wide = typename Lent::template object<asio::any_io_executor>;

  support::census fds;
  std::optional<Lent> lent{std::in_place};
  const int fd = lent->get();
  const std::string file = support::referred_to(fd);
  support::close_watch watch{fd};
  std::optional<asio::io_context> context{std::in_place};
  std::optional<narrow> object{std::in_place, *context};
  support::handler_tally tally;
  error_code ec = not_called;
  error_code read = not_called;
  error_code closed = not_called;

  scene()
  {
    lent->assign(*object, ec);
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

  void start()
  {
    lent->start(*object, tally(support::into(read)));
  }

  bool is_lent() const
  {
    return support::referred_to(fd) == file && watch.arrived() == 0;
  }

  /// Open, what it was, and as good as ever.
  void check_lent()
  {
    BOOST_TEST(is_lent());
    BOOST_TEST(lent->is_usable());
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
};

/// Without an object: for what is particular to one kind.
struct lending
{
  asio::io_context context;
  support::ends pair = support::unix_ends();
  support::close_watch watch{pair.near.get()};
  support::handler_tally tally;
  error_code ec = not_called;
  char buffer[8] = {};

  int fd() const
  {
    return pair.near.get();
  }

  ~lending()
  {
    BOOST_TEST(watch.arrived() == 0u);
    BOOST_TEST(support::is_fd_open(fd()));
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_borrowed)

// --- What ends the object.

BOOST_AUTO_TEST_CASE_TEMPLATE(close_leaves_the_descriptor_open, Lent, every_kind)
{
  scene<Lent> s;
  s.start();
  s.object->close();
  BOOST_TEST(!s.object->is_open());
  s.check_unregistered();
  s.run();
  BOOST_TEST(s.read == aborted);
  s.object->close();
  s.check_lent();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_destructor_leaves_the_descriptor_open, Lent, every_kind)
{
  scene<Lent> s;
  s.start();
  s.object.reset();
  s.check_unregistered();
  s.run();
  BOOST_TEST(s.read == aborted);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(async_close_leaves_the_descriptor_open, Lent, every_kind)
{
  scene<Lent> s;
  s.start();
  s.object->async_close(s.tally(support::into(s.closed)));
  s.run();
  BOOST_TEST(s.read == aborted);
  BOOST_TEST(s.closed == success);
  BOOST_TEST(s.tally.all_called());
  s.check_unregistered();
}

// By then the owner may close it.
BOOST_AUTO_TEST_CASE_TEMPLATE(async_close_waits_for_the_handlers, Lent, every_kind)
{
  scene<Lent> s;
  asio::io_context idle;
  s.lent->start(
    *s.object, asio::bind_executor(idle.get_executor(), s.tally(support::into(s.read))));
  s.object->async_close(s.tally(support::into(s.closed)));
  BOOST_TEST(support::wait_until([&] { return support::turn(*s.context), idle.poll_one() == 1; }));
  s.run();
  BOOST_TEST(s.read == aborted);
  BOOST_TEST(s.closed == success);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(
  a_shutdown_of_the_context_leaves_the_descriptor_open, Lent, every_kind)
{
  scene<Lent> s;
  s.start();
  s.object->async_close(s.tally(support::into(s.closed)));
  s.context.reset();
  BOOST_TEST(!s.object->is_open());
  BOOST_TEST(s.tally.called() == 0);
  s.check_lent();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_object_that_outlives_its_context_leaves_it_open, Lent, every_kind)
{
  scene<Lent> s;
  s.start();
  s.context.reset();
  BOOST_TEST(!s.object->is_open());
  s.object.reset();
  s.check_lent();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_close_handle_leaves_the_descriptor_open, Lent, every_kind)
{
  scene<Lent> s;
  const interlock::close_handle h = s.object->get_close_handle();
  h.async_close(s.tally(support::into(s.closed)));
  h.close();
  s.run();
  BOOST_TEST(s.closed == success);
  s.check_unregistered();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_retirement_leaves_the_descriptor_open, Lent, every_kind)
{
  scene<Lent> s;
  s.object->retire();
  s.check_unregistered();
  s.lent->assign(*s.object, s.ec);
  BOOST_TEST(s.ec == error_code(interlock::error::retired));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(after_a_lease_too_the_descriptor_stays_open, Lent, every_kind)
{
  scene<Lent> s;
  interlock::fd_lease lease = s.object->lease();
  s.object->async_close(s.tally(support::into(s.closed)));
  support::turn(*s.context);
  BOOST_TEST(s.closed == not_called);
  lease.reset();
  s.run();
  BOOST_TEST(s.closed == success);
}

// --- Releasing.

BOOST_AUTO_TEST_CASE_TEMPLATE(release_returns_the_descriptor, Lent, every_kind)
{
  scene<Lent> s;
  s.start();
  BOOST_TEST(s.object->release() == s.fd);
  BOOST_TEST(!s.object->is_open());
  s.run();
  BOOST_TEST(s.read == aborted);
  s.check_unregistered();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(async_release_delivers_the_descriptor, Lent, every_kind)
{
  scene<Lent> s;
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

BOOST_AUTO_TEST_CASE_TEMPLATE(with_the_objects_context_it_is_not_closed, Lent, every_kind)
{
  scene<Lent> s;
  s.start();
  s.object->async_release(s.tally([](error_code, int) {}));
  s.context.reset();
  BOOST_TEST(s.tally.called() == 0);
  s.check_lent();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(with_the_context_of_the_handler_it_is_not_closed, Lent, every_kind)
{
  scene<Lent> s;
  std::optional<asio::io_context> other(std::in_place);
  s.object->async_release(
    asio::bind_executor(other->get_executor(), s.tally([](error_code, int) {})));
  s.run();
  other.reset();
  BOOST_TEST(s.tally.called() == 0);
  BOOST_TEST(s.tally.all_ended());
  s.check_lent();
}

// --- Moves.

BOOST_AUTO_TEST_CASE_TEMPLATE(moved_it_is_borrowed_still, Lent, every_kind)
{
  scene<Lent> s;
  s.start();
  typename scene<Lent>::narrow to(std::move(*s.object));
  BOOST_TEST(to.native_handle() == s.fd);
  BOOST_TEST(!s.object->is_open());
  to.close();
  s.check_unregistered();
  s.run();
  BOOST_TEST(s.read == aborted);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(converted_it_is_borrowed_still, Lent, every_kind)
{
  scene<Lent> s;
  s.start();
  typename scene<Lent>::wide to(std::move(*s.object));
  BOOST_TEST(to.native_handle() == s.fd);
  BOOST_TEST(!s.object->is_open());
  to.async_close(s.tally(support::into(s.closed)));
  s.run();
  BOOST_TEST(s.read == aborted);
  BOOST_TEST(s.closed == success);
  s.check_unregistered();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(converted_and_destroyed_it_is_left_open, Lent, every_kind)
{
  scene<Lent> s;
  {
    typename scene<Lent>::wide to(*s.context);
    to = std::move(*s.object);
    BOOST_TEST(to.native_handle() == s.fd);
  }
  s.check_unregistered();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_move_assignment_leaves_what_was_borrowed_open, Lent, every_kind)
{
  scene<Lent> s;
  typename scene<Lent>::narrow other(*s.context);
  s.lent->assign_own(other, Lent::another());
  s.start();
  *s.object = std::move(other);
  BOOST_TEST(s.object->is_open());
  s.check_unregistered();
  s.object->close();
  s.run();
  BOOST_TEST(s.read == aborted);
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

BOOST_AUTO_TEST_CASE_TEMPLATE(a_descriptor_assigned_later_is_owned_again, Lent, every_kind)
{
  scene<Lent> s;
  for (int i = 0; i != 3; ++i)
  {
    s.object->async_close(s.tally(support::into(s.closed)));
    s.run();
    BOOST_TEST(s.closed == success);
    const int owned = Lent::another();
    support::close_watch of_owned(owned);
    s.lent->assign_own(*s.object, owned);
    s.object->async_close(s.tally(support::into(s.closed)));
    s.run();
    BOOST_TEST(of_owned.closed() == 1u);
    s.lent->assign(*s.object, s.ec);
    BOOST_TEST(s.ec == success);
  }
  s.object->close();
  s.check_unregistered();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(it_can_be_borrowed_again_at_once, Lent, every_kind)
{
  scene<Lent> s;
  typename scene<Lent>::wide other(*s.context);
  for (int i = 0; i != 50; ++i)
  {
    s.object->close();
    s.lent->assign(other, s.ec);
    BOOST_TEST(s.ec == success);
    other.close();
    s.lent->assign(*s.object, s.ec);
    BOOST_TEST(s.ec == success);
  }
}

// Opened several times, it comes to use the memory of the time when it borrowed.
BOOST_FIXTURE_TEST_CASE(what_the_object_opens_itself_is_its_own, lending)
{
  local::socket s(context, local(), fd(), borrowed);
  const auto close_and_wait = [&]
  {
    s.async_close(tally(support::into(ec)));
    context.restart();
    context.run();
    BOOST_TEST(ec == success);
  };
  close_and_wait();
  for (int i = 0; i != 4; ++i)
  {
    s.open(local());
    support::close_watch own(s.native_handle());
    close_and_wait();
    BOOST_TEST(own.closed() == 1u);
  }
}

// --- Other users of the descriptor.

// A set of the owner's own reports as before: only the object's registration is gone.
BOOST_AUTO_TEST_CASE_TEMPLATE(the_owners_epoll_set_keeps_the_descriptor, Lent, every_kind)
{
  scene<Lent> s;
  const support::fd set(support::checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
  ::epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = s.fd;
  support::checked(::epoll_ctl(set.get(), EPOLL_CTL_ADD, s.fd, &event), "epoll_ctl");
  s.start();
  s.object->close();
  s.run();
  BOOST_TEST(::epoll_ctl(set.get(), EPOLL_CTL_MOD, s.fd, &event) == 0);
  BOOST_TEST(::epoll_wait(set.get(), &event, 1, 0) == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(objects_of_two_contexts_may_borrow_one_descriptor, Lent, every_kind)
{
  scene<Lent> s;
  asio::io_context other;
  typename scene<Lent>::wide second(other);
  s.lent->assign(second, s.ec);
  BOOST_TEST(s.ec == success);
  s.object->close();
  BOOST_TEST(second.is_open());
  BOOST_TEST(second.native_handle() == s.fd);
  second.close();
}

// --- The blocking mode.

BOOST_AUTO_TEST_CASE_TEMPLATE(assign_and_close_leave_the_blocking_mode_alone, Lent, every_kind)
{
  scene<Lent> s;
  BOOST_TEST(!support::is_non_blocking(s.fd));
  BOOST_TEST(!s.object->native_non_blocking());
  BOOST_TEST(!s.object->non_blocking());
  BOOST_TEST(s.object->lease().get() == s.fd);
  s.object->cancel();
  BOOST_TEST(!support::is_non_blocking(s.fd));
  s.object->close();
  BOOST_TEST(!support::is_non_blocking(s.fd));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(moves_leave_the_blocking_mode_alone, Lent, every_kind)
{
  scene<Lent> s;
  typename scene<Lent>::narrow moved(std::move(*s.object));
  typename scene<Lent>::wide converted(std::move(moved));
  BOOST_TEST(converted.is_open());
  BOOST_TEST(!support::is_non_blocking(s.fd));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(release_leaves_the_blocking_mode_alone, Lent, every_kind)
{
  scene<Lent> s;
  s.object->release();
  BOOST_TEST(!support::is_non_blocking(s.fd));
}

// It is not taken back.
BOOST_AUTO_TEST_CASE_TEMPLATE(the_first_operation_makes_it_non_blocking, Lent, every_kind)
{
  scene<Lent> s;
  s.start();
  BOOST_TEST(support::is_non_blocking(s.fd));
  s.object->close();
  s.run();
  BOOST_TEST(support::is_non_blocking(s.fd));
}

BOOST_FIXTURE_TEST_CASE(a_socket_is_set_up_without_changing_the_blocking_mode, lending)
{
  local::socket s(context, local(), fd(), borrowed);
  s.set_option(local::socket::send_buffer_size(10000));
  local::socket::send_buffer_size size;
  s.get_option(size);
  BOOST_TEST(s.available() == 0u);
  BOOST_TEST(s.local_endpoint().protocol().family() == AF_UNIX);
  BOOST_TEST(!support::is_non_blocking(fd()));
}

BOOST_FIXTURE_TEST_CASE(a_socket_that_is_read_and_written_synchronously_stays_blocking, lending)
{
  local::socket s(context, local(), fd(), borrowed);
  support::send_text(pair.far, "hello");
  BOOST_TEST(s.read_some(asio::buffer(buffer)) == 5u);
  BOOST_TEST(s.write_some(asio::buffer("hello", 5)) == 5u);
  BOOST_TEST(!support::is_non_blocking(fd()));
  BOOST_TEST(support::drain(pair.far) == 5u);
}

// It has no flag of a call that keeps a read(2) or a write(2) from blocking.
BOOST_FIXTURE_TEST_CASE(a_synchronous_read_makes_a_descriptor_non_blocking, lending)
{
  interlock::posix::stream_descriptor d(context, fd(), borrowed);
  support::send_text(pair.far, "hello");
  BOOST_TEST(d.read_some(asio::buffer(buffer)) == 5u);
  BOOST_TEST(support::is_non_blocking(fd()));
}

BOOST_FIXTURE_TEST_CASE(a_synchronous_write_makes_a_descriptor_non_blocking, lending)
{
  interlock::posix::stream_descriptor d(context, fd(), borrowed);
  BOOST_TEST(d.write_some(asio::buffer("hello", 5)) == 5u);
  BOOST_TEST(support::is_non_blocking(fd()));
  BOOST_TEST(support::drain(pair.far) == 5u);
}

BOOST_AUTO_TEST_CASE(a_synchronous_accept_makes_it_non_blocking)
{
  asio::io_context context;
  const support::fd listener = support::tcp_listener();
  tcp::acceptor acceptor(context, tcp::v4(), listener.get(), borrowed);
  const support::fd client = support::tcp_connected_to(listener);
  BOOST_TEST(!support::is_non_blocking(listener.get()));
  BOOST_TEST(acceptor.accept().is_open());
  BOOST_TEST(support::is_non_blocking(listener.get()));
}

// While it waits it is non-blocking: no close would wake it in connect(2).
BOOST_AUTO_TEST_CASE(a_synchronous_connect_leaves_it_blocking)
{
  asio::io_context context;
  const asio::ip::tcp::acceptor listener(context, support::any_local_port());
  const support::fd lent(
    support::checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  tcp::socket s(context, tcp::v4(), lent.get(), borrowed);
  s.connect(listener.local_endpoint());
  BOOST_TEST(!support::is_non_blocking(lent.get()));
}

BOOST_AUTO_TEST_CASE(a_synchronous_connect_leaves_it_non_blocking_if_it_was)
{
  asio::io_context context;
  const asio::ip::tcp::acceptor listener(context, support::any_local_port());
  const support::fd lent(
    support::checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
  tcp::socket s(context, tcp::v4(), lent.get(), borrowed);
  s.connect(listener.local_endpoint());
  BOOST_TEST(support::is_non_blocking(lent.get()));
}

BOOST_AUTO_TEST_CASE(an_asynchronous_connect_makes_it_non_blocking)
{
  asio::io_context context;
  const asio::ip::tcp::acceptor listener(context, support::any_local_port());
  const support::fd lent(
    support::checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  tcp::socket s(context, tcp::v4(), lent.get(), borrowed);
  error_code ec = not_called;
  s.async_connect(listener.local_endpoint(), support::into(ec));
  BOOST_TEST(support::is_non_blocking(lent.get()));
  context.run();
  BOOST_TEST(ec == success);
}

BOOST_FIXTURE_TEST_CASE(a_blocked_call_on_it_is_woken, lending)
{
  local::socket s(context, local(), fd(), borrowed);
  support::call_in_thread blocked(
    [&]
    {
      support::outcome o;
      o.bytes = s.read_some(asio::buffer(buffer), o.ec);
      return o;
    });
  BOOST_TEST_REQUIRE(blocked.blocks());
  s.close();
  BOOST_TEST(blocked.get().ec == aborted);
}

BOOST_FIXTURE_TEST_CASE(both_kinds_of_transfer_work_on_it, lending)
{
  local::socket s(context, local(), fd(), borrowed);
  error_code written = not_called;
  s.async_read_some(asio::buffer(buffer), tally(support::into(ec)));
  s.async_write_some(asio::buffer("hello", 5), tally(support::into(written)));
  support::send_text(pair.far, "x");
  context.run();
  BOOST_TEST(ec == success);
  BOOST_TEST(written == success);
  BOOST_TEST(support::drain(pair.far) == 5u);
}

// --- What cannot be borrowed.

#if defined(BOOST_ASIO_HAS_EPOLL)

BOOST_AUTO_TEST_CASE(a_descriptor_that_is_not_open_cannot_be_borrowed)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      for (const int invalid : {-1, support::bad_fd})
      {
        error_code ec;
        stream_descriptor d(context);
        d.assign(invalid, borrowed, ec);
        BOOST_TEST(ec == bad_descriptor);
        BOOST_TEST(!d.is_open());
        tcp::socket s(context);
        s.assign(tcp::v4(), invalid, borrowed, ec);
        BOOST_TEST(ec == bad_descriptor);
        tcp::acceptor acceptor(context);
        acceptor.assign(tcp::v4(), invalid, borrowed, ec);
        BOOST_TEST(ec == bad_descriptor);
        throws("assign", bad_descriptor, [&] { d.assign(invalid, borrowed); });
        throws("assign", bad_descriptor, [&] { s.assign(tcp::v4(), invalid, borrowed); });
        throws("assign", bad_descriptor, [&] { acceptor.assign(tcp::v4(), invalid, borrowed); });
        throws(
          "assign", bad_descriptor, [&] { stream_descriptor made(context, invalid, borrowed); });
        throws("assign", bad_descriptor,
          [&] { tcp::socket made(context, tcp::v4(), invalid, borrowed); });
        throws("assign", bad_descriptor,
          [&] { tcp::acceptor made(context, tcp::v4(), invalid, borrowed); });
      }
    });
}

BOOST_FIXTURE_TEST_CASE(a_descriptor_that_is_watched_already_cannot_be_borrowed, lending)
{
  local::socket first(context, local(), fd(), borrowed);
  local::socket second(context);
  second.assign(local(), fd(), borrowed, ec);
  BOOST_TEST(ec == support::system_error(EEXIST));
  BOOST_TEST(!second.is_open());
  stream_descriptor third(context);
  third.assign(fd(), borrowed, ec);
  BOOST_TEST(ec == support::system_error(EEXIST));
  third.assign(fd(), ec);
  BOOST_TEST(ec == support::system_error(EEXIST));
  BOOST_TEST(first.is_open());
  first.close();
  second.assign(local(), fd(), borrowed, ec);
  BOOST_TEST(ec == success);
}

// Asio takes it, although the reactor cannot.
BOOST_AUTO_TEST_CASE(a_regular_file_can_be_borrowed_as_it_can_be_assigned)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      char name[] = "/tmp/interlock_borrowed_XXXXXX";
      const support::fd file(support::checked(::mkstemp(name), "mkstemp"));
      ::unlink(name);
      support::close_watch watch(file.get());
      stream_descriptor d(context, file.get(), borrowed);
      BOOST_TEST(d.write_some(asio::buffer("hello", 5)) == 5u);
      d.close();
      char got[8];
      BOOST_TEST(::pread(file.get(), got, sizeof(got), 0) == 5);
      {
        const stream_descriptor other(context, file.get(), borrowed);
        BOOST_TEST(other.is_open());
      }
      BOOST_TEST(watch.arrived() == 0u);
    });
}

#endif

BOOST_FIXTURE_TEST_CASE(an_open_object_borrows_nothing, lending)
{
  local::socket s(context, local(), support::unix_ends().near.release());
  const int own = s.native_handle();
  s.assign(local(), fd(), borrowed, ec);
  BOOST_TEST(ec == already_open);
  throws("assign", already_open, [&] { s.assign(local(), fd(), borrowed); });
  BOOST_TEST(s.native_handle() == own);
  stream_descriptor d(context, support::pipe_ends().near.release());
  d.assign(fd(), borrowed, ec);
  BOOST_TEST(ec == already_open);
  throws("assign", already_open, [&] { d.assign(fd(), borrowed); });
  BOOST_TEST(!support::is_non_blocking(fd()));
}

// --- Threads.

BOOST_AUTO_TEST_CASE_TEMPLATE(it_stays_open_whatever_closes_the_object, Lent, every_kind)
{
  for (int i = 0; i != 50; ++i)
  {
    scene<Lent> s;
    s.start();
    std::atomic<int> ready{0};
    const auto meet = [&ready]
    {
      ++ready;
      while (ready != 3)
        std::this_thread::yield();
    };
    std::thread first(
      [&]
      {
        meet();
        s.object->close();
      });
    std::thread second(
      [&]
      {
        meet();
        s.object->async_close(s.tally(support::into(s.closed)));
      });
    meet();
    s.object->async_release(s.tally([](error_code, int) {}));
    first.join();
    second.join();
    s.run();
    BOOST_TEST(s.read == aborted);
    BOOST_TEST(s.closed == success);
    BOOST_TEST(s.tally.all_called());
  }
}

BOOST_AUTO_TEST_SUITE_END()
