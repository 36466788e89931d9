// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// `use_future` on every asynchronous member of every type: the values come out of the future, an error
// is thrown by it.

#include <future>
#include <tuple>
#include <utility>

#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include "support/token_trial.hpp"

namespace asio = boost::asio;
using support::every_subject;

namespace {

template <class... Values>
struct by_future : support::way<Values...>
{
  template <class Subject, class Start>
  void begin(Subject&, Start start)
  {
    future_ = start(asio::use_future);
  }

  void end()
  {
    try
    {
      if constexpr (sizeof...(Values) == 0)
      {
        future_.get();
        this->record()(boost::system::error_code());
      }
      else
        this->record()(boost::system::error_code(), future_.get());
    }
    catch (const boost::system::system_error& e)
    {
      this->outcome.take_error(e.code());
    }
  }

  /// Of the one value, or of none.
  std::future<std::tuple_element_t<0, std::tuple<Values..., void>>> future_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_tokens_future)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_future_has_the_values_or_throws_the_error, Subject, every_subject)
{
  support::try_token<by_future, Subject>();
}

BOOST_AUTO_TEST_SUITE_END()
