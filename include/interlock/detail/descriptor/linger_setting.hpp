// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What SO_LINGER means for the close of one descriptor: a time, off, or not known.
//
// As small as an int, and trivially copyable: it is kept in an atomic.

#ifndef INTERLOCK_DETAIL_DESCRIPTOR_LINGER_SETTING_HPP
#define INTERLOCK_DETAIL_DESCRIPTOR_LINGER_SETTING_HPP

#include <type_traits>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class linger_setting
{
public:
  /// As the option on the descriptor says: other code may have set it there.
  static constexpr linger_setting unknown() noexcept
  {
    return linger_setting(-1);
  }

  /// There is no such option, and close(2) waits for nothing.
  static constexpr linger_setting unsupported() noexcept
  {
    return linger_setting(-2);
  }

  /// The option on the descriptor is off.
  static constexpr linger_setting off() noexcept
  {
    return linger_setting(-3);
  }

  /// The close waits up to so many seconds; with none it is abortive.
  static constexpr linger_setting on(int seconds) noexcept
  {
    return linger_setting(seconds);
  }

  constexpr bool is_unknown() const noexcept
  {
    return *this == unknown();
  }

  constexpr bool is_supported() const noexcept
  {
    return *this != unsupported();
  }

  constexpr bool is_on() const noexcept
  {
    return value_ >= 0;
  }

  /// Whether it is on with a time, so that the close waits for the peer.
  constexpr bool waits() const noexcept
  {
    return value_ > 0;
  }

  /// If it is on.
  constexpr int seconds() const noexcept
  {
    return value_;
  }

  friend constexpr bool operator==(linger_setting a, linger_setting b) noexcept
  {
    return a.value_ == b.value_;
  }

  friend constexpr bool operator!=(linger_setting a, linger_setting b) noexcept
  {
    return a.value_ != b.value_;
  }

private:
  explicit constexpr linger_setting(int value) noexcept
    : value_(value)
  {
  }

  int value_; // seconds; negative: one of the others
};

static_assert(sizeof(linger_setting) == sizeof(int), "kept in every tenure");
static_assert(std::is_trivially_copyable<linger_setting>::value, "kept in an atomic");

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_DESCRIPTOR_LINGER_SETTING_HPP
