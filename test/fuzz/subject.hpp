// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The objects under test, and what their types do not have in common.

#ifndef INTERLOCK_TEST_FUZZ_SUBJECT_HPP
#define INTERLOCK_TEST_FUZZ_SUBJECT_HPP

#include <type_traits>
#include <variant>

#include <interlock/borrowed.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include "fuzz/handler.hpp"

namespace fuzz {

using local = interlock::local::stream_protocol;
using interlock::posix::stream_descriptor;

using subject = std::variant<local::socket, tcp::socket, tcp::acceptor, stream_descriptor>;

template <class T>
constexpr bool is_acceptor = std::is_same<std::decay_t<T>, tcp::acceptor>::value;

template <class T>
constexpr bool is_descriptor = std::is_same<std::decay_t<T>, stream_descriptor>::value;

template <class T>
constexpr bool is_local = std::is_same<std::decay_t<T>, local::socket>::value;

template <class T>
constexpr bool is_stream = !is_acceptor<T> && !is_descriptor<T>;

inline bool is_open(subject& s)
{
  return std::visit([](auto& object) { return object.is_open(); }, s);
}

/// A new object of the same type.
inline subject fresh(subject& s)
{
  return std::visit([](auto& object) -> subject
    { return std::decay_t<decltype(object)>(object.get_executor()); },
    s);
}

inline error_code open(subject& s, int fd, bool borrowed)
{
  error_code ec;
  const auto assign = [&](auto& object, auto... protocol)
  {
    if (borrowed)
      object.assign(protocol..., fd, interlock::borrowed, ec);
    else
      object.assign(protocol..., fd, ec);
  };
  std::visit(
    [&](auto& object)
    {
      if constexpr (is_descriptor<decltype(object)>)
        assign(object);
      else if constexpr (is_local<decltype(object)>)
        assign(object, local());
      else
        assign(object, tcp::v4());
    },
    s);
  return ec;
}

} // namespace fuzz

#endif // INTERLOCK_TEST_FUZZ_SUBJECT_HPP
