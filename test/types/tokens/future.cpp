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

/// The future of an operation that tells `Outcome`.
template <class>
struct future_of;

template <>
struct future_of<support::told<>>
{
  using type = std::future<void>;

  static std::tuple<> get(type& f)
  {
    f.get();
    return {};
  }
};

template <class Value>
struct future_of<support::told<Value>>
{
  using type = std::future<Value>;

  static std::tuple<Value> get(type& f)
  {
    return std::tuple<Value>(f.get());
  }
};

struct by_future : support::way
{
  template <class Outcome>
  class attempt : public support::attempt_base<Outcome>
  {
  public:
    using support::attempt_base<Outcome>::attempt_base;

    template <class Subject, class Start>
    void begin(Subject&, Start start)
    {
      future_ = start(asio::use_future);
    }

    void end()
    {
      try
      {
        std::apply([this](auto&&... values)
          { this->record()(boost::system::error_code(), std::move(values)...); },
          future_of<Outcome>::get(future_));
      }
      catch (const boost::system::system_error& e)
      {
        this->outcome().take_error(e.code());
      }
    }

  private:
    typename future_of<Outcome>::type future_;
  };
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_tokens_future)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_future_has_the_values_or_throws_the_error, Subject, every_subject)
{
  support::try_token<by_future, Subject>();
}

BOOST_AUTO_TEST_SUITE_END()
