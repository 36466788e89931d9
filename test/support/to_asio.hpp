// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What moves to Asio's own type and back must show, whatever the type is.

#ifndef INTERLOCK_TEST_SUPPORT_TO_ASIO_HPP
#define INTERLOCK_TEST_SUPPORT_TO_ASIO_HPP

#include <string>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/close_handle.hpp>
#include <interlock/error.hpp>
#include <interlock/fd_lease.hpp>

#include "support/handler_tally.hpp"
#include "support/no_trace.hpp"
#include "support/sync_support.hpp"

namespace support {

inline const error_code not_called = boost::asio::error::fault;
inline const error_code in_use = interlock::error::in_use;

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

/// `open(object)` opens it. Whatever it is that is not open, it gives nothing, and can be opened as before.
template <class Object, class Open>
void check_gives_nothing_when_not_open(boost::asio::io_context& context, Open open)
{
  Object object(context);
  BOOST_TEST(given(object) == bad_descriptor);
  open(object);
  object.close();
  BOOST_TEST(given(object) == bad_descriptor);
  open(object);
  Object moved(std::move(object));
  BOOST_TEST(given(object) == bad_descriptor);
  open(object);
  BOOST_TEST(object.is_open());
  BOOST_TEST(given(object) == success);
  BOOST_TEST(!object.is_open());
  BOOST_TEST(given(object) == bad_descriptor);
  moved.retire();
  BOOST_TEST(given(moved) == bad_descriptor);
}

/// A lease refuses the move, which changes nothing then. A close handle does not, and stays with the object.
template <class Object>
void check_leases_and_handles(Object& object)
{
  const int fd = object.native_handle();
  {
    const interlock::fd_lease lease = object.lease();
    BOOST_TEST(given(object) == in_use);
    BOOST_TEST(object.native_handle() == fd);
  }
  const interlock::close_handle handle = object.get_close_handle();
  auto plain = object.to_asio();
  handle.close();
  BOOST_TEST(plain.is_open());
  BOOST_TEST(plain.native_handle() == fd);
}

/// An object of Asio's that is not open makes one that is not open, which can be opened.
template <class Object, class Plain, class Open>
void check_takes_nothing_when_not_open(boost::asio::io_context& context, Open open)
{
  Plain plain(context);
  Object object(std::move(plain));
  BOOST_TEST(!object.is_open());
  open(object);
  BOOST_TEST(object.is_open());
}

struct in_context : no_trace
{
  boost::asio::io_context context;
  handler_tally tally;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_TO_ASIO_HPP
