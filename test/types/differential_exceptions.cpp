// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12, by comparison: what a program sees in an exception is the same over Asio's types and over
// Interlock's. Compared are the types that catch it, what it says, its code, and the function of the library that threw
// it, which boost::get_throw_location returns. The file and the line are those of the library's own header.

#include <exception>
#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/exception/exception.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>
#include <boost/throw_exception.hpp>
#include <boost/version.hpp>

#include <interlock/close_handle.hpp>
#include <interlock/close_service.hpp>
#include <interlock/detail/core/asio_features.hpp>

#include "support/differential.hpp"

namespace asio = boost::asio;
using namespace support;

namespace {

const asio::ip::tcp::endpoint loopback(asio::ip::address_v4::loopback(), 0);

// Up to where Asio's codes tell their own place in the source, "[system:9 at ...]".
std::string without_place(const std::string& text)
{
  return text.substr(0, text.find_first_of(" ]", text.find('[')));
}

#if defined(INTERLOCK_HAS_SOURCE_LOCATION) && BOOST_VERSION >= 108100

/// Whether it is a place of a library's header, and the name of the function there. What the compiler tells of it may
/// be the whole signature.
std::string place(const boost::system::system_error& e)
{
  const boost::source_location where = boost::get_throw_location(e);
  const std::string file = where.file_name();
  const std::string function = where.function_name();
  const bool in_header = file.find("/boost/asio/") != std::string::npos
    || file.find("interlock/") != std::string::npos;
  const std::string qualified = function.substr(0, function.find('('));
  const std::string name = qualified.substr(qualified.find_last_of(" :") + 1);
  return std::string(in_header && where.line() != 0 ? "a header, " : "elsewhere, ")
    + name.substr(0, name.find('<'));
}

#else

std::string place(const boost::system::system_error&)
{
  return "none";
}

#endif

template <class Call>
void note_exception(notes& note, const std::string& what, Call call)
{
  try
  {
    call();
    note(what, "no exception");
  }
  catch (const std::exception& e)
  {
    note(what + " says", without_place(e.what()));
    note(what + " is of Boost", dynamic_cast<const boost::exception*>(&e) != nullptr);
    if (const auto* error = dynamic_cast<const boost::system::system_error*>(&e))
    {
      note(what, error->code());
      note(what + " comes from", place(*error));
    }
  }
}

/// Members of the socket, its base and the bases' bases, of a descriptor and of an acceptor.
template <class Family>
lines exceptions()
{
  using tcp = typename Family::tcp;
  notes note;
  asio::io_context context;
  char byte = 0;
  const auto buffer = asio::buffer(&byte, 1);
  typename tcp::socket closed(context);
  typename tcp::socket opened(context, tcp::v4());
  typename tcp::acceptor unbound(context, tcp::v4());
  typename Family::stream_descriptor descriptor(context);

  note_exception(
    note, "connect", [&] { opened.connect(asio::ip::tcp::endpoint(loopback.address(), 1)); });
  note_exception(note, "open", [&] { opened.open(tcp::v4()); });
  note_exception(note, "bind", [&] { closed.bind(loopback); });
  note_exception(note, "set_option", [&] { closed.set_option(asio::socket_base::keep_alive()); });
  note_exception(note, "local_endpoint", [&] { closed.local_endpoint(); });
  note_exception(note, "remote_endpoint", [&] { opened.remote_endpoint(); });
  note_exception(note, "shutdown", [&] { closed.shutdown(asio::socket_base::shutdown_both); });
  note_exception(note, "non_blocking", [&] { closed.non_blocking(true); });
  note_exception(note, "read_some", [&] { closed.read_some(buffer); });
  note_exception(note, "write_some", [&] { closed.write_some(buffer); });
  note_exception(note, "send", [&] { closed.send(buffer, 0); });
  note_exception(note, "receive", [&] { closed.receive(buffer, 0); });
  note_exception(note, "wait", [&] { closed.wait(asio::socket_base::wait_read); });
  note_exception(note, "cancel", [&] { closed.cancel(); });
  note_exception(note, "accept", [&] { unbound.accept(closed); });
  note_exception(note, "assign", [&] { descriptor.assign(-1); });
  note_exception(note, "read of a descriptor", [&] { descriptor.read_some(buffer); });
  return note.taken();
}

template <class Family>
lines exceptions_of_constructors()
{
  using acceptor = typename Family::tcp::acceptor;
  notes note;
  asio::io_context context;
  const acceptor first(context, loopback);
  try
  {
    const acceptor second(context, first.local_endpoint(), false);
    note("second", "no exception");
  }
  catch (const boost::system::system_error& e)
  {
    note("second says", without_place(e.what()));
    note("second", e.code());
    note("second comes from", place(e).substr(0, place(e).find(',')));
  }
  return note.taken();
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_differential_exceptions)

BOOST_AUTO_TEST_CASE(an_exception_of_a_member_tells_what_asios_tells)
{
  const lines asios = exceptions<asio_family>();
  BOOST_TEST(asios.size() > 60u);
  BOOST_TEST(exceptions<interlock_family>() == asios, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_exception_of_a_constructor_tells_what_asios_tells)
{
  const lines asios = exceptions_of_constructors<asio_family>();
  BOOST_TEST(asios.size() == 3u);
  BOOST_TEST(
    exceptions_of_constructors<interlock_family>() == asios, boost::test_tools::per_element());
}

// Asio has no such function: compared with what Asio throws for an executor that is empty.
BOOST_AUTO_TEST_CASE(a_close_through_an_empty_handle_throws_as_an_empty_executor)
{
  const interlock::close_handle handle;
  BOOST_CHECK_THROW(
    handle.async_close([](boost::system::error_code) {}), asio::execution::bad_executor);
}

BOOST_AUTO_TEST_CASE(a_service_with_impossible_options_throws_a_system_error_of_boost)
{
  notes note;
  asio::io_context context;
  interlock::close_service::options impossible;
  impossible.max_elastic_threads = 0;
  note_exception(
    note, "make_close_service", [&] { interlock::make_close_service(context, impossible); });
  BOOST_TEST_REQUIRE(note.taken().size() >= 2u);
  BOOST_TEST(note.taken()[0].find("make_close_service: ") != std::string::npos);
  BOOST_TEST(note.taken()[1] == "make_close_service is of Boost: true");
}

BOOST_AUTO_TEST_SUITE_END()
