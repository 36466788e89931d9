// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Every member of an object that is not open, because it never was, has been closed, has been
// moved from or has had its descriptor released: bad_descriptor, under the function's name where it
// is thrown; by a posted completion, once, where the member is asynchronous. Asio's own types,
// asked in the same way, answer the same. A release without a descriptor is no error where it is none with Asio.

#include <cstddef>
#include <string>
#include <utility>

#include <fcntl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/ip/tcp.hpp>
#include <interlock/posix/stream_descriptor.hpp>
#include <interlock/readable_pipe.hpp>
#include <interlock/serial_port.hpp>
#include <interlock/writable_pipe.hpp>

#if defined(INTERLOCK_HAS_PIPES)
#include <boost/asio/readable_pipe.hpp>
#include <boost/asio/writable_pipe.hpp>
#endif

#include "support/census.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/handler_tally.hpp"
#include "support/member_calls.hpp"
#include "support/pty.hpp"
#include "support/sync_support.hpp"

namespace asio = boost::asio;
using namespace support;

namespace {

template <class Object>
void fails(const sync_member<Object>& member, Object& object)
{
  BOOST_TEST_CONTEXT(member.name)
  {
    error_code ec;
    member.reporting(object, ec);
    BOOST_TEST(ec == bad_descriptor);
    BOOST_CHECK_EXCEPTION(member.throwing(object), boost::system::system_error,
      [&](const boost::system::system_error& e) {
        return e.code() == bad_descriptor
          && std::string(e.what()).rfind(member.name + ": ", 0) == 0;
      });
  }
}

// Not from inside the initiating function, and once.
template <class Object>
void completes_with_bad_descriptor(
  const async_member<Object>& member, Object& object, asio::io_context& context)
{
  BOOST_TEST_CONTEXT(member.name)
  {
    int called = 0;
    error_code result;
    std::size_t bytes = 99;
    member.start(object,
      [&](error_code ec, std::size_t n)
      {
        ++called;
        result = ec;
        bytes = n;
      });
    BOOST_TEST(called == 0);
    context.restart();
    context.run();
    BOOST_TEST(called == 1);
    BOOST_TEST(result == bad_descriptor);
    BOOST_TEST(bytes == 0u);
  }
}

template <class Object>
void is_closed(Object& object)
{
  BOOST_TEST(!object.is_open());
  BOOST_TEST(object.native_handle() == -1);
  BOOST_TEST(!object.non_blocking());
  BOOST_TEST(!object.native_non_blocking());
  // Closing what is not open is no error.
  error_code ec = bad_descriptor;
  object.close(ec);
  BOOST_TEST(ec == success);
  object.close();
}

template <class Object>
void check(Object& object, asio::io_context& context, const sync_members<Object>& members,
  const async_members<Object>& operations)
{
  is_closed(object);
  for (const auto& member : members)
    fails(member, object);
  for (const auto& operation : operations)
    completes_with_bad_descriptor(operation, object, context);
}

/// `open(object)` opens it; each way in which it ceases to be open is tried.
template <class Object, class Open>
void every_closed_object_fails(asio::io_context& context, Open open,
  const sync_members<Object>& members, const async_members<Object>& operations)
{
  Object never_opened(context);
  check(never_opened, context, members, operations);

  Object closed(context);
  open(closed);
  closed.close();
  check(closed, context, members, operations);

  Object released(context);
  open(released);
  const fd of_released(released.release());
  BOOST_TEST(is_fd_open(of_released.get()));
  check(released, context, members, operations);

  Object from(context);
  open(from);
  Object to(std::move(from));
  check(from, context, members, operations);
  BOOST_TEST(to.is_open());

  // What was moved from is as good as new.
  open(from);
  BOOST_TEST(from.is_open());
}

template <class Tcp>
void closed_sockets_fail()
{
  using socket = typename Tcp::socket;
  const census descriptors;
  {
    asio::io_context context;
    every_closed_object_fails<socket>(
      context, [](socket& s) { s.open(Tcp::v4()); }, socket_members<socket>(),
      async_socket_members<socket>());
  }
  BOOST_TEST(descriptors.restored());
}

template <class Tcp>
void closed_acceptors_fail()
{
  using acceptor = typename Tcp::acceptor;
  const census descriptors;
  {
    asio::io_context context;
    every_closed_object_fails<acceptor>(
      context, [](acceptor& a) { a.open(Tcp::v4()); }, acceptor_members<acceptor>(context),
      async_acceptor_members<acceptor>(context));
  }
  BOOST_TEST(descriptors.restored());
}

template <class Descriptor>
void closed_descriptors_fail()
{
  const census descriptors;
  {
    asio::io_context context;
    every_closed_object_fails<Descriptor>(
      context, [](Descriptor& d) { d.assign(pipe_ends().near.release()); },
      descriptor_members<Descriptor>(), async_descriptor_members<Descriptor>());
  }
  BOOST_TEST(descriptors.restored());
}

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

} // namespace

BOOST_AUTO_TEST_SUITE(test_bad_input_closed)

// Each as Asio's own, where that has the form: its descriptors only have the one that throws, its serial ports none.
BOOST_AUTO_TEST_CASE(a_release_without_a_descriptor_answers_as_asios)
{
  const census descriptors;
  {
    using interlock::posix::stream_descriptor;
    releases_nothing<stream_descriptor>(pipe_ends().near.release(), {success, bad_descriptor});
    const pty terminal;
    const int port = checked(
      ::open(terminal.name().c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC), "open");
    releases_nothing<interlock::serial_port>(port, {bad_descriptor, bad_descriptor});
    releases_nothing<interlock::readable_pipe>(pipe_ends().near.release(), {success, success});
    releases_nothing<interlock::writable_pipe>(pipe_ends().far.release(), {success, success});
    asio::io_context context;
    asio::posix::stream_descriptor of_asio(context);
    BOOST_TEST(thrown_by_release(of_asio) == success);
#if defined(INTERLOCK_HAS_PIPES)
    releases_nothing<asio::readable_pipe>(pipe_ends().near.release(), {success, success});
    releases_nothing<asio::writable_pipe>(pipe_ends().far.release(), {success, success});
#endif
  }
  BOOST_TEST(descriptors.restored());
}

BOOST_AUTO_TEST_CASE(every_member_of_a_closed_socket_reports_bad_descriptor)
{
  closed_sockets_fail<interlock::ip::tcp>();
}

BOOST_AUTO_TEST_CASE(every_member_of_a_closed_acceptor_reports_bad_descriptor)
{
  closed_acceptors_fail<interlock::ip::tcp>();
}

BOOST_AUTO_TEST_CASE(every_member_of_a_closed_descriptor_reports_bad_descriptor)
{
  closed_descriptors_fail<interlock::posix::stream_descriptor>();
}

BOOST_AUTO_TEST_CASE(closed_objects_of_asio_answer_the_same)
{
  closed_sockets_fail<asio::ip::tcp>();
  closed_acceptors_fail<asio::ip::tcp>();
  closed_descriptors_fail<asio::posix::stream_descriptor>();
}

// As Asio's: -1 and no exception. The overload by error_code, which Asio's has not, says why.
BOOST_AUTO_TEST_CASE(a_closed_descriptor_releases_no_descriptor)
{
  asio::io_context context;
  interlock::posix::stream_descriptor object(context);
  BOOST_TEST(object.release() == -1);
  error_code ec;
  BOOST_TEST(object.release(ec) == -1);
  BOOST_TEST(ec == bad_descriptor);
}

BOOST_AUTO_TEST_CASE(a_closed_object_cannot_be_given_to_asio)
{
  asio::io_context context;
  interlock::ip::tcp::socket socket(context);
  interlock::posix::stream_descriptor descriptor(context);
  const auto is_bad_descriptor = [](const boost::system::system_error& e)
  { return e.code() == bad_descriptor; };
  BOOST_CHECK_EXCEPTION(socket.to_asio(), boost::system::system_error, is_bad_descriptor);
  BOOST_CHECK_EXCEPTION(descriptor.to_asio(), boost::system::system_error, is_bad_descriptor);
}

BOOST_AUTO_TEST_CASE(an_object_that_was_never_opened_closes_with_success)
{
  asio::io_context context;
  interlock::ip::tcp::socket object(context);
  handler_tally handlers;
  error_code result = bad_descriptor;
  object.async_close(handlers(into(result)));
  BOOST_TEST(handlers.called() == 0);
  context.run();
  BOOST_TEST(handlers.called() == 1);
  BOOST_TEST(handlers.all_called());
  BOOST_TEST(result == success);
}

BOOST_AUTO_TEST_SUITE_END()
