// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/error.hpp>

#include <string>

namespace interlock {
inline namespace abi_0 {
namespace error {

namespace {

class category final : public boost::system::error_category
{
public:
  // The id makes the category equal to itself in another shared library of the process.
  constexpr category() noexcept
    : boost::system::error_category(0x1f3a9c5e7b2d4860)
  {
  }

  const char* name() const noexcept override
  {
    return "interlock";
  }

  std::string message(int value) const override
  {
    switch (value)
    {
    case in_use:
      return "The descriptor is in use";
    case retired:
      return "The object has been retired";
    default:
      return "Unknown error of interlock";
    }
  }
};

} // namespace

const boost::system::error_category& get_category() noexcept
{
  static const category instance;
  return instance;
}

} // namespace error
} // namespace abi_0
} // namespace interlock
