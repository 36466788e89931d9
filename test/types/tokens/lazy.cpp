// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A token of the user's own, which keeps what is needed to start the operation, on every asynchronous member
// of every type over the context's own executor: it is started later, from a copy, in another thread.

#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/test/unit_test.hpp>

#include "support/token_trial.hpp"

namespace asio = boost::asio;
using context_subjects = support::rebound_subjects<support::over_the_context>;

namespace {

/// The token.
struct later
{
};

/// Starts the operation with a handler.
template <class Initiation, class... Args>
class starting
{
public:
  starting(Initiation i, Args... args)
    : initiation_(std::move(i)),
      args_(std::move(args)...)
  {
  }

  template <class Handler>
  void operator()(Handler&& handler)
  {
    std::apply([&](auto&... args)
      { std::move(initiation_)(std::forward<Handler>(handler), std::move(args)...); },
      args_);
  }

private:
  Initiation initiation_;
  std::tuple<Args...> args_;
};

} // namespace

namespace boost {
namespace asio {

template <class Signature>
struct async_result<later, Signature>
{
  template <class Initiation, class... Args>
  static auto initiate(Initiation&& initiation, later, Args&&... args)
  {
    return starting<std::decay_t<Initiation>, std::decay_t<Args>...>(
      std::forward<Initiation>(initiation), std::forward<Args>(args)...);
  }
};

} // namespace asio
} // namespace boost

namespace {

template <class... Values>
struct by_lazy_token : support::counted_way<Values...>
{
  template <class Subject, class Start>
  void begin(Subject& s, Start start)
  {
    const auto kept = start(later());
    support::check(s.context.poll() == 0);
    s.context.restart();
    auto copy = kept;
    std::thread([&] { copy(this->counted()); }).join();
    support::check(this->tally.called() == 0);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_tokens_lazy)

BOOST_AUTO_TEST_CASE_TEMPLATE(
  a_lazy_token_starts_nothing_until_it_is_told, Subject, context_subjects)
{
  support::try_token<by_lazy_token, Subject>();
}

BOOST_AUTO_TEST_SUITE_END()
