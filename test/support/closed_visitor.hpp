// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A visitor of members (see dropin_members.hpp) that checks each call on an object that is not open: it fails with
// bad_descriptor, under the name of the function where it throws, and by one posted completion where it is asynchronous.

#ifndef INTERLOCK_TEST_SUPPORT_CLOSED_VISITOR_HPP
#define INTERLOCK_TEST_SUPPORT_CLOSED_VISITOR_HPP

#include <string>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include "support/differential.hpp"
#include "support/dropin_members.hpp"

namespace support {

class closed_visitor
{
public:
  explicit closed_visitor(boost::asio::io_context& context)
    : context_(context)
  {
  }

  template <class Call>
  void both(const char* name, Call call)
  {
    BOOST_TEST_CONTEXT(name)
    {
      boost::system::error_code ec;
      call(ec);
      BOOST_TEST(ec == refused());
      BOOST_CHECK_EXCEPTION(call(), boost::system::system_error,
        [&](const boost::system::system_error& e)
        {
          const std::string beginning = std::string(name) + ": ";
          return e.code() == refused() && std::string(e.what()).rfind(beginning, 0) == 0;
        });
    }
  }

  /// A question is answered with no; everything else throws.
  template <class Call>
  void only(const char* name, Call call)
  {
    BOOST_TEST_CONTEXT(name)
    {
      boost::system::error_code ec = refused();
      try
      {
        BOOST_TEST(is_no(call()));
      }
      catch (const boost::system::system_error& e)
      {
        ec = e.code();
      }
      BOOST_TEST(ec == refused());
    }
  }

  template <class Start>
  void async(const char* name, Start start)
  {
    BOOST_TEST_CONTEXT(name)
    {
      transfer_result t;
      start(t.handler());
      BOOST_TEST(t.times == 0);
      support::run(context_);
      BOOST_TEST(t.is(refused()));
      BOOST_TEST(t.times == 1);
    }
  }

private:
  static bool is_no(bool answer)
  {
    return !answer;
  }

  template <class Value>
  static bool is_no(const Value&)
  {
    return false;
  }

  static boost::system::error_code refused()
  {
    return boost::asio::error::bad_descriptor;
  }

  boost::asio::io_context& context_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_CLOSED_VISITOR_HPP
