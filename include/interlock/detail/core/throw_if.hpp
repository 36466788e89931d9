// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The throwing overloads: the error of the other overload, as an exception named after the
// function.

#ifndef INTERLOCK_DETAIL_CORE_THROW_IF_HPP
#define INTERLOCK_DETAIL_CORE_THROW_IF_HPP

#include <type_traits>
#include <utility>

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <boost/throw_exception.hpp>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

inline void throw_if(const boost::system::error_code& ec, const char* function)
{
  if (ec)
    boost::throw_exception(boost::system::system_error(ec, function));
}

// Every function template of detail is in this namespace. It has no class, so argument-dependent lookup never
// finds them. Calls are qualified, so that they never find a function of the program.
namespace functions {

/// `call(ec)`, throwing what it reports.
template <class Call>
auto or_throw(const char* function, Call call)
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
