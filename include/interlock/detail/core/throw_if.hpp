// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The throwing overloads: the error of the other overload, as an exception named after the function. Thrown as
// Asio throws its own, by boost::throw_exception, which a program without exceptions defines.

#ifndef INTERLOCK_DETAIL_CORE_THROW_IF_HPP
#define INTERLOCK_DETAIL_CORE_THROW_IF_HPP

#include <type_traits>
#include <utility>

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <boost/throw_exception.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/asio_features.hpp>

#if defined(INTERLOCK_HAS_SOURCE_LOCATION)
#include <boost/assert/source_location.hpp>
#endif

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// A function of the library as its exceptions name it. The place is that of the conversion from the name: in the
/// member function that throws, as with Asio.
class called
{
public:
#if defined(INTERLOCK_HAS_SOURCE_LOCATION)

  called(
    const char* function, const boost::source_location& place = BOOST_CURRENT_LOCATION) noexcept
    : function_(function),
      place_(place)
  {
  }

  [[noreturn]] INTERLOCK_COLD void throw_error(const boost::system::error_code& ec) const
  {
    boost::throw_exception(boost::system::system_error(ec, function_), place_);
  }

private:
  const char* function_;
  boost::source_location place_;

#else

  called(const char* function) noexcept
    : function_(function)
  {
  }

  [[noreturn]] INTERLOCK_COLD void throw_error(const boost::system::error_code& ec) const
  {
    boost::throw_exception(boost::system::system_error(ec, function_));
  }

private:
  const char* function_;

#endif
};

inline void throw_if(const boost::system::error_code& ec, const called& function)
{
  if (ec)
    function.throw_error(ec);
}

// Every function template of detail is in this namespace. It has no class, so argument-dependent lookup never
// finds them. Calls are qualified, so that they never find a function of the program.
namespace functions {

/// `call(ec)`, throwing what it reports.
template <class Call>
auto or_throw(const called& function, Call call)
  -> decltype(call(std::declval<boost::system::error_code&>()))
{
  boost::system::error_code ec;
  if constexpr (std::is_void<decltype(call(ec))>::value)
  {
    call(ec);
    throw_if(ec, function);
  }
  else
  {
    auto result = call(ec);
    throw_if(ec, function);
    return result;
  }
}

} // namespace functions

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_THROW_IF_HPP
