// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The handler of one call: it reports what it receives, in the model's words, and its end.

#ifndef INTERLOCK_TEST_FUZZ_HANDLER_HPP
#define INTERLOCK_TEST_FUZZ_HANDLER_HPP

#include <cstddef>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/error.hpp>
#include <interlock/ip/tcp.hpp>

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#endif

#include "fuzz/model.hpp"

namespace fuzz {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = interlock::ip::tcp;

inline code code_of(const error_code& ec)
{
  namespace error = asio::error;
  static const std::pair<error_code, code> codes[] = {{{}, code::success},
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

inline void add_to(answer& a, std::size_t bytes)
{
  a.bytes = bytes;
}

inline void add_to(answer& a, const interlock::close_report& r)
{
  a.report = r;
}

inline void add_to(answer& a, const interlock::close_tally& t)
{
  a.tally = t;
}

inline void add_to(answer& a, int fd)
{
  a.fd = fd;
}

inline void add_to(answer& a, const tcp::socket& accepted)
{
  a.accepted = accepted.is_open();
}

/// What the handlers of a program report to.
class audience
{
public:
  virtual void told(std::size_t id, const answer& a) = 0;
  virtual void gone(std::size_t id) = 0;

protected:
  ~audience() = default;
};

class handler
{
public:
  handler(audience& a, std::size_t id)
    : audience_(&a),
      id_(id)
  {
  }

  handler(handler&& other) noexcept
    : audience_(std::exchange(other.audience_, nullptr)),
      id_(other.id_)
  {
  }

  handler& operator=(handler&&) = delete;

  ~handler()
  {
    if (audience_ != nullptr)
      audience_->gone(id_);
  }

  template <class... Results>
  void operator()(error_code ec, const Results&... results)
  {
    answer a;
    a.error = code_of(ec);
    (add_to(a, results), ...);
    audience_->told(id_, a);
  }

private:
  audience* audience_;
  std::size_t id_;
};

/// What cancels one close. Boost before 1.77 cannot cancel one operation.
class cancellation
{
public:
#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
  static constexpr bool exists = true;

  auto bind(handler h)
  {
    return asio::bind_cancellation_slot(signal_.slot(), std::move(h));
  }

  void emit(cancel_type type)
  {
    constexpr asio::cancellation_type types[] = {asio::cancellation_type::total,
      asio::cancellation_type::partial, asio::cancellation_type::terminal};
    signal_.emit(types[static_cast<std::size_t>(type)]);
  }

private:
  asio::cancellation_signal signal_;
#else
  static constexpr bool exists = false;

  handler bind(handler h)
  {
    return h;
  }

  void emit(cancel_type) {}
#endif
};

} // namespace fuzz

#endif // INTERLOCK_TEST_FUZZ_HANDLER_HPP
