// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Every way to close an object. Each is a type, so that a table of cases may run over them.

#ifndef INTERLOCK_TEST_SUPPORT_CLOSERS_HPP
#define INTERLOCK_TEST_SUPPORT_CLOSERS_HPP

#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/close_handle.hpp>
#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>

namespace support {

/// A close(2) that cannot block has been made when the call returns, by its thread.
struct at_once_way
{
  static constexpr bool is_asynchronous = false;
};

/// The library makes close(2), and calls the handler, a function of an error, afterwards.
struct asynchronous_way
{
  static constexpr bool is_asynchronous = true;
};

struct by_close : at_once_way
{
  static constexpr auto close = [](auto& o, auto&&) { o.close(); };
};

struct by_close_without_exceptions : at_once_way
{
  static constexpr auto close = [](auto& o, auto&&)
  {
    boost::system::error_code ec;
    o.close(ec);
  };
};

struct by_retirement : at_once_way
{
  static constexpr auto close = [](auto& o, auto&&) { o.retire(); };
};

struct by_handle : at_once_way
{
  static constexpr auto close = [](auto& o, auto&&) { o.get_close_handle().close(); };
};

struct by_retirement_by_handle : at_once_way
{
  static constexpr auto close = [](auto& o, auto&&) { o.get_close_handle().retire(); };
};

struct by_async_close : asynchronous_way
{
  static constexpr auto close = [](auto& o, auto&& h) { o.async_close(std::move(h)); };
};

struct by_async_close_in_a_mode : asynchronous_way
{
  static constexpr auto close = [](auto& o, auto&& h)
  {
    o.async_close(interlock::close_mode::immediate(),
      [own = std::move(h)](boost::system::error_code ec, const interlock::close_report&) mutable
      { own(ec); });
  };
};

struct by_async_close_by_handle : asynchronous_way
{
  static constexpr auto close = [](auto& o, auto&& h)
  { o.get_close_handle().async_close(std::move(h)); };
};

/// Any thread may choose these at any time.
using ways_of_any_thread =
  std::tuple<by_close, by_close_without_exceptions, by_retirement, by_handle,
    by_retirement_by_handle, by_async_close, by_async_close_in_a_mode, by_async_close_by_handle>;

struct by_destructor : at_once_way
{
  static constexpr auto close = [](auto& o, auto&&) { const auto dying(std::move(o)); };
};

struct by_assignment : at_once_way
{
  static constexpr auto close = [](auto& o, auto&&)
  { o = std::decay_t<decltype(o)>(o.get_executor()); };
};

/// The assigned object has another executor type.
struct by_converting_assignment : at_once_way
{
  static constexpr auto close = [](auto& o, auto&&)
  {
    using executor = boost::asio::io_context::executor_type;
    using narrow = typename std::decay_t<decltype(o)>::template rebind_executor<executor>::other;
    o = narrow(*o.get_executor().template target<executor>());
  };
};

using ways_of_the_owner = std::tuple<by_destructor, by_assignment, by_converting_assignment>;

using every_way = decltype(std::tuple_cat(ways_of_any_thread(), ways_of_the_owner()));

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_CLOSERS_HPP
