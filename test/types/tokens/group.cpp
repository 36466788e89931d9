// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// `parallel_group`, with `wait_for_one`, on every asynchronous member of every type, together with the
// wait of a timer: whichever is over first cancels the other. Boost 1.81 or later.

#include <boost/asio/version.hpp>

#if BOOST_ASIO_VERSION >= 102600

#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include "support/token_trial.hpp"

namespace asio = boost::asio;
using support::every_subject;

namespace {

/// Takes down the first operation of a group, whose second is the wait of a timer.
template <class... Values>
struct first_of_two
{
  using error_code = boost::system::error_code;

  void operator()(std::array<std::size_t, 2>, error_code ec, Values... values, error_code)
  {
    record(ec, std::move(values)...);
  }

  support::recorder<support::told<Values...>> record;
};

template <class... Values>
struct in_a_group : support::way<Values...>
{
  static constexpr bool cancels = true;

  template <class Subject, class Start>
  void begin(Subject& s, Start start)
  {
    timer_.emplace(s.context, asio::steady_timer::time_point::max());
    asio::experimental::make_parallel_group(
      start(asio::deferred), timer_->async_wait(asio::deferred))
      .async_wait(asio::experimental::wait_for_one(asio::cancellation_type::total),
        first_of_two<Values...>{this->record()});
  }

  void cancel()
  {
    timer_->cancel();
  }

  /// Before the context.
  void end()
  {
    timer_.reset();
  }

  std::optional<asio::steady_timer> timer_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_tokens_group)

BOOST_AUTO_TEST_CASE_TEMPLATE(the_first_of_a_group_cancels_the_other, Subject, every_subject)
{
  support::try_token<in_a_group, Subject>();
}

BOOST_AUTO_TEST_SUITE_END()

#endif
