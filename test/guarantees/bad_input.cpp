// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Input that a call cannot serve: descriptors that cannot be assigned, objects that are open already or not
// open, a release while the descriptor is in use, contexts that have been shut down. Each gets its exact error,
// leaves the object as it was, and costs no descriptor.

#include "support/prelude.hpp"

#include <tuple>

#include <boost/asio/posix/stream_descriptor.hpp>

#include <interlock/local/connect_pair.hpp>
#include <interlock/readable_pipe.hpp>
#include <interlock/serial_port.hpp>
#include <interlock/writable_pipe.hpp>

#if defined(INTERLOCK_HAS_PIPES)
#include <boost/asio/readable_pipe.hpp>
#include <boost/asio/writable_pipe.hpp>
#endif

#include "support/blocking_subjects.hpp"
#include "support/counted.hpp"
#include "support/pty.hpp"
#include "support/refusals.hpp"
#include "support/system_errors.hpp"

using namespace support;

namespace {

const error_code already_open = asio::error::already_open;

/// What each form of `release` answers without a descriptor.
struct nothing_released
{
  error_code thrown;
  error_code reported;
};

template <class Object>
error_code thrown_by_release(Object& object)
{
  try
  {
    BOOST_TEST(object.release() == -1);
  }
  catch (const boost::system::system_error& e)
  {
    return e.code();
  }
  return success;
}

/// Of an object that was never opened, and of one that has been closed.
template <class Object>
void releases_nothing(int open_fd, const nothing_released& expected)
{
  asio::io_context context;
  Object object(context);
  for (int i = 0; i != 2; ++i)
  {
    error_code ec = aborted;
    BOOST_TEST(object.release(ec) == -1);
    BOOST_TEST(ec == expected.reported);
    BOOST_TEST(thrown_by_release(object) == expected.thrown);
    if (i == 0)
      object.assign(open_fd);
    object.close();
  }
}

/// A context that can be shut down while its objects live. (Its services are shut down once more
/// with the context itself, as they are by every context from Boost 1.82 on.)
struct mortal_context : counted
{
  struct : asio::io_context
  {
    using asio::io_context::execution_context::shutdown;
  } context;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_bad_input, counted_in_context)

// --- Descriptors that are given.

#if defined(BOOST_ASIO_HAS_EPOLL)

BOOST_AUTO_TEST_CASE(a_descriptor_that_is_not_open_cannot_be_assigned)
{
  for (const int invalid : {-1, bad_fd})
  {
    stream_descriptor descriptor(context);
    tcp::socket socket(context);
    tcp::acceptor acceptor(context);
    refused("assign", bad_descriptor, [&](auto&... ec) { descriptor.assign(invalid, ec...); });
    refused(
      "assign", bad_descriptor, [&](auto&... ec) { socket.assign(tcp::v4(), invalid, ec...); });
    refused(
      "assign", bad_descriptor, [&](auto&... ec) { acceptor.assign(tcp::v4(), invalid, ec...); });
    throws("assign", bad_descriptor, [&] { stream_descriptor made(context, invalid); });
    throws("assign", bad_descriptor, [&] { tcp::socket made(context, tcp::v4(), invalid); });
    throws("assign", bad_descriptor, [&] { tcp::acceptor made(context, tcp::v4(), invalid); });
    BOOST_TEST(!descriptor.is_open());
    BOOST_TEST(!socket.is_open());
    BOOST_TEST(!acceptor.is_open());

    // And may be tried again.
    BOOST_CHECK_NO_THROW(descriptor.assign(pipe_ends().near.release()));
    BOOST_CHECK_NO_THROW(socket.open(tcp::v4()));
  }
}

// The second is refused; the first goes on, and its descriptor is closed once.
BOOST_AUTO_TEST_CASE(a_descriptor_that_is_watched_already_cannot_be_assigned)
{
  ends pipe = pipe_ends();
  stream_descriptor first(context, pipe.near.release());
  stream_descriptor second(context);
  tcp::socket third(context);
  const int watched = first.native_handle();
  refused("assign", system_error(EEXIST), [&](auto&... ec) { second.assign(watched, ec...); });
  refused(
    "assign", system_error(EEXIST), [&](auto&... ec) { third.assign(tcp::v4(), watched, ec...); });
  BOOST_TEST(!second.is_open());

  char data[8];
  error_code ec = not_called;
  first.async_read_some(asio::buffer(data), tally(into(ec)));
  send_text(pipe.far, "x");
  run();
  BOOST_TEST(ec == success);
}

#endif

BOOST_AUTO_TEST_CASE(an_open_object_takes_no_other_descriptor)
{
  fd offered = pipe_ends().near;
  stream_descriptor descriptor(context, pipe_ends().near.release());
  const int own = descriptor.native_handle();
  // Not even its own.
  for (const int n : {offered.get(), own})
    refused("assign", already_open, [&](auto&... ec) { descriptor.assign(n, ec...); });
  BOOST_TEST(descriptor.native_handle() == own);
  BOOST_TEST(is_fd_open(own));

  tcp::socket socket(context, tcp::v4());
  const int own_socket = socket.native_handle();
  refused(
    "assign", already_open, [&](auto&... ec) { socket.assign(tcp::v4(), offered.get(), ec...); });
  refused("open", already_open, [&](auto&... ec) { socket.open(tcp::v6(), ec...); });
  BOOST_TEST(socket.native_handle() == own_socket);

  tcp::acceptor acceptor(context, any_local_port());
  refused("open", already_open, [&](auto&... ec) { acceptor.open(tcp::v4(), ec...); });
  BOOST_TEST(acceptor.local_endpoint().port() != 0);

  descriptor.close();
  BOOST_CHECK_NO_THROW(descriptor.assign(offered.release()));
}

// --- Descriptors that are taken.

using reading_subjects = std::tuple<tcp_subject, pipe_subject>;

BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_blocked_call_uses_is_not_released, Subject, reading_subjects)
{
  Subject s;
  const int own = s.object.native_handle();
  char data[8];
  call_in_thread blocked([&] { return outcome{success, s.object.read_some(asio::buffer(data))}; });
  BOOST_TEST_REQUIRE(blocked.blocks());
  refused("release", in_use, [&](auto&... ec) { BOOST_TEST(s.object.release(ec...) == -1); });
  throws("move", in_use, [&] { s.object.to_asio(); });
  BOOST_TEST(s.object.native_handle() == own);

  // The call has not been disturbed, and once it has returned the descriptor is to be had.
  s.feed();
  BOOST_TEST(blocked.get().bytes == 1u);
  const fd released(s.object.release());
  BOOST_TEST(released.get() == own);
  BOOST_TEST(is_fd_open(own));
  BOOST_TEST(!s.object.is_open());
}

// Each as Asio's own, where that has the form: its descriptors only have the one that throws, its serial ports none.
BOOST_AUTO_TEST_CASE(a_release_without_a_descriptor_answers_as_asios)
{
  releases_nothing<stream_descriptor>(pipe_ends().near.release(), {success, bad_descriptor});
  const pty terminal;
  const int port = checked(::open(terminal.name().c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC), "open");
  releases_nothing<interlock::serial_port>(port, {bad_descriptor, bad_descriptor});
  releases_nothing<interlock::readable_pipe>(pipe_ends().near.release(), {success, success});
  releases_nothing<interlock::writable_pipe>(pipe_ends().far.release(), {success, success});
  asio::posix::stream_descriptor of_asio(context);
  BOOST_TEST(thrown_by_release(of_asio) == success);
#if defined(INTERLOCK_HAS_PIPES)
  releases_nothing<asio::readable_pipe>(pipe_ends().near.release(), {success, success});
  releases_nothing<asio::writable_pipe>(pipe_ends().far.release(), {success, success});
#endif
}

BOOST_AUTO_TEST_CASE(a_closed_object_cannot_be_given_to_asio)
{
  tcp::socket socket(context);
  stream_descriptor descriptor(context);
  throws("move", bad_descriptor, [&] { socket.to_asio(); });
  throws("move", bad_descriptor, [&] { descriptor.to_asio(); });
}

// --- Contexts that have been shut down.

BOOST_FIXTURE_TEST_CASE(a_context_that_has_been_shut_down_opens_nothing, mortal_context)
{
  tcp::socket socket(context, tcp::v4());
  tcp::acceptor acceptor(context, any_local_port());
  stream_descriptor descriptor(context, pipe_ends().near.release());
  local::socket first(context);
  local::socket second(context);
  const fd offered = pipe_ends().near;
  close_watch watch(socket.native_handle());
  const auto where = acceptor.local_endpoint();
  context.shutdown();
  BOOST_TEST(watch.closed() == 1u);

  refused("open", not_supported, [&](auto&... ec) { socket.open(tcp::v4(), ec...); });
  refused("connect", not_supported, [&](auto&... ec) { socket.connect(where, ec...); });
  refused("open", not_supported, [&](auto&... ec) { acceptor.open(tcp::v4(), ec...); });
  refused("assign", not_supported, [&](auto&... ec) { descriptor.assign(offered.get(), ec...); });
  refused("connect_pair", not_supported,
    [&](auto&... ec) { interlock::local::connect_pair(first, second, ec...); });
  throws("assign", not_supported, [&] { stream_descriptor(context, offered.get()); });
  throws("open", not_supported, [&] { tcp::socket(context, tcp::v4()); });
  BOOST_TEST(!socket.is_open());
  BOOST_TEST(!acceptor.is_open());
  BOOST_TEST(!descriptor.is_open());
  BOOST_TEST(!first.is_open());
  BOOST_TEST(!second.is_open());
  socket.close();
}

// There is nowhere to complete: the handlers are destroyed, not called.
BOOST_FIXTURE_TEST_CASE(
  operations_started_after_the_shutdown_are_destroyed_uncalled, mortal_context)
{
  tcp::socket object(context, tcp::v4());
  context.shutdown();
  const auto never = [](auto&&...) { BOOST_TEST(false); };
  char data[8];
  object.async_read_some(asio::buffer(data), tally(never));
  object.async_connect(any_local_port(), tally(never));
  object.async_close(tally(never));
  object.async_wait(object.wait_read, tally(never));
}

BOOST_AUTO_TEST_SUITE_END()
