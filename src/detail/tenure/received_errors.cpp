// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/tenure/received_errors.hpp>

#include <cerrno>

namespace interlock {
inline namespace abi_0 {
namespace detail {

namespace {

bool ends_connection(int error) noexcept
{
  return error == ECONNRESET || error == ECONNABORTED || error == ETIMEDOUT;
}

} // namespace

template <class Next>
void received_errors::change(Next next) noexcept
{
  bits b = bits_.load(std::memory_order_relaxed);
  while (!bits_.compare_exchange_weak(b, next(b), std::memory_order_relaxed))
  {
  }
}

void received_errors::add(bits flag) noexcept
{
  change([flag](bits b) { return b | flag; });
}

void received_errors::note(const boost::system::error_code& ec) noexcept
{
  const auto error = static_cast<bits>(ec.value());
  if (ec.category() != boost::system::system_category())
    return;
  if (ends_connection(ec.value()))
    change(
      [error](bits b)
      {
        const bits known = b & error_mask;
        return known == 0 || known == EPIPE ? (b & ~error_mask) | error : b;
      });
  else if (error == EPIPE)
    change(
      [](bits b) {
        return (b & writing_ended) != 0 ? b | own_broken_pipe
          : (b & error_mask) == 0       ? b | EPIPE
                                        : b;
      });
}

void received_errors::begin_connection() noexcept
{
  change([](bits b) { return b & ~(error_mask | own_broken_pipe); });
}

void received_errors::inherit(const received_errors& before) noexcept
{
  const bits theirs = before.bits_.load(std::memory_order_relaxed) & ~none_outstanding;
  change(
    [theirs](bits b) { return (b & error_mask) != 0 ? b | (theirs & ~error_mask) : b | theirs; });
}

known_errors received_errors::summarize(bool others) const noexcept
{
  const bits b = bits_.load(std::memory_order_relaxed);
  const int error = static_cast<int>(b & error_mask);
  known_errors known;
  known.error = static_cast<unsigned char>(others && error == EPIPE ? 0 : error);
  known.are_all = (b & (none_outstanding | result_lost)) == none_outstanding && !others;
  return known;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
