// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What tests of refused input have in common: the census around each, both forms of a call, and the
// shape of an exception that is named after its function.

#ifndef INTERLOCK_TEST_SUPPORT_REFUSALS_HPP
#define INTERLOCK_TEST_SUPPORT_REFUSALS_HPP

#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include "support/census.hpp"

namespace support {

/// Runs `body(context)`; when the context is gone, as many descriptors are open as before.
template <class Body>
void losing_nothing(Body body)
{
  const census descriptors;
  {
    boost::asio::io_context context;
    body(context);
  }
  BOOST_TEST(descriptors.restored());
}

/// `call()` throws `ec`, and says that `function` failed.
template <class Call>
void throws(const char* function, const boost::system::error_code& ec, Call call)
{
  const std::string beginning = std::string(function) + ": ";
  BOOST_CHECK_EXCEPTION(call(), boost::system::system_error,
    [&](const boost::system::system_error& e)
    { return e.code() == ec && std::string(e.what()).rfind(beginning, 0) == 0; });
}

/// Both forms of `call`, the one that reports and the one that throws, fail with `ec`.
template <class Call>
void refused(const char* function, const boost::system::error_code& ec, Call call)
{
  boost::system::error_code reported;
  call(reported);
  BOOST_TEST(reported == ec);
  throws(function, ec, [&] { call(); });
}

/// A port on which certainly no socket listens: it is bound, and does not listen.
struct refusing_port
{
  boost::asio::ip::tcp::socket holder;

  explicit refusing_port(boost::asio::io_context& context)
    : holder(context, boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0))
  {
  }

  boost::asio::ip::tcp::endpoint endpoint() const
  {
    return holder.local_endpoint();
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_REFUSALS_HPP
