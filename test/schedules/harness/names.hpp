// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The names of the program's functions: for reports, and to know whose code lies at an address.

#ifndef INTERLOCK_TEST_SCHEDULES_HARNESS_NAMES_HPP
#define INTERLOCK_TEST_SCHEDULES_HARNESS_NAMES_HPP

#include <string>

namespace schedules {

/// The function of the program that an address of code lies in. Empty if there is none.
std::string function_at(const void* pc);

enum class origin
{
  library,
  template_of_others, ///< The standard library's or Boost's: it acts for its caller.
  other               ///< The harness, the scenario, and what stands in for the system.
};

origin origin_of(const std::string& function);

/// The name without the library's namespaces, arguments and result: "close_worker::run".
std::string short_name(const std::string& function);

/// The innermost function of the library among those that are being called.
std::string calling_function();

} // namespace schedules

#endif // INTERLOCK_TEST_SCHEDULES_HARNESS_NAMES_HPP
