// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The model's words for the errors of Asio and of the library.

#ifndef INTERLOCK_TEST_FUZZ_CODES_HPP
#define INTERLOCK_TEST_FUZZ_CODES_HPP

#include <utility>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/error.hpp>

#include "fuzz/model.hpp"

namespace fuzz {

inline code code_of(const boost::system::error_code& ec)
{
  namespace error = boost::asio::error;
  static const std::pair<boost::system::error_code, code> codes[] = {{{}, code::success},
    {error::operation_aborted, code::aborted}, {error::bad_descriptor, code::bad_descriptor},
    {error::eof, code::end_of_file}, {error::connection_reset, code::broken},
    {error::broken_pipe, code::broken}, {error::operation_not_supported, code::not_supported},
    {error::invalid_argument, code::invalid}, {interlock::error::in_use, code::in_use},
    {interlock::error::retired, code::retired}, {error::already_open, code::already_open}};
  for (const auto& each : codes)
    if (each.first == ec)
      return each.second;
  return code::other;
}

} // namespace fuzz

#endif // INTERLOCK_TEST_FUZZ_CODES_HPP
