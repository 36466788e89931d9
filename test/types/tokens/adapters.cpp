// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// `append`, `prepend` and `consign`, one around the other, on every asynchronous member of every type, and
// `any_completion_handler`. Boost 1.81 or later.

#include <boost/asio/version.hpp>

#if BOOST_ASIO_VERSION >= 102600

#include <memory>
#include <string>
#include <utility>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/consign.hpp>
#include <boost/asio/prepend.hpp>
#include <boost/test/unit_test.hpp>

#include "support/token_trial.hpp"

namespace asio = boost::asio;
using support::every_subject;

namespace {

/// Takes down what comes between a descriptor and a text, while what was consigned lives.
template <class... Values>
struct between
{
  void operator()(
    int front, boost::system::error_code ec, Values... values, const std::string& back)
  {
    support::check(front == 7);
    support::check(back == "back");
    support::check(!consigned.expired());
    record(ec, std::move(values)...);
  }

  std::weak_ptr<int> consigned;
  support::recorder<support::told<Values...>> record;
};

template <class... Values>
struct by_adapters : support::way<Values...>
{
  template <class Subject, class Start>
  void begin(Subject&, Start start)
  {
    auto kept = std::make_shared<int>();
    consigned_ = kept;
    start(
      asio::consign(asio::append(asio::prepend(between<Values...>{consigned_, this->record()}, 7),
                      std::string("back")),
        std::move(kept)));
    support::check(!consigned_.expired());
  }

  void end()
  {
    support::check(consigned_.expired());
  }

  std::weak_ptr<int> consigned_;
};

template <class... Values>
struct by_any_handler : support::counted_way<Values...>
{
  template <class Subject, class Start>
  void begin(Subject&, Start start)
  {
    asio::any_completion_handler<void(boost::system::error_code, Values...)> handler(
      this->counted());
    start(std::move(handler));
    support::check(this->tally.called() == 0);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_tokens_adapters)

BOOST_AUTO_TEST_CASE_TEMPLATE(
  values_are_put_before_and_after_and_things_are_kept, Subject, every_subject)
{
  support::try_token<by_adapters, Subject>();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_type_erased_handler_is_told, Subject, every_subject)
{
  support::try_token<by_any_handler, Subject>();
}

BOOST_AUTO_TEST_SUITE_END()

#endif
