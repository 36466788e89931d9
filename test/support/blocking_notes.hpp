// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Synchronous transfers of both families, and what is noted of them.

#ifndef INTERLOCK_TEST_SUPPORT_BLOCKING_NOTES_HPP
#define INTERLOCK_TEST_SUPPORT_BLOCKING_NOTES_HPP

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>

#include "support/differential.hpp"
#include "support/sync_support.hpp"
#include "support/wait_until.hpp"

namespace support {

namespace asio = boost::asio;

constexpr std::size_t much = std::size_t(8) << 20; // more than any buffer of the kernel's holds

inline void note_outcome(notes& note, const std::string& what, const outcome& o)
{
  note(what, o.ec);
  note(what + " has", o.bytes);
}

/// A read that sleeps, and each of `pieces` when what came before has been taken.
template <class Socket>
void feed(
  Socket& writer, Socket& reader, const call_in_thread& call, std::vector<std::string> pieces)
{
  for (const std::string& piece : pieces)
  {
    call.sleeps();
    asio::write(writer, asio::buffer(piece));
    wait_until([&] { return call.returned() || reader.available() == 0; });
  }
}

/// The result of `write` while the other end reads all that comes.
template <class Reader>
outcome drained(Reader& reader, std::function<outcome()> write)
{
  call_in_thread call(std::move(write));
  call.sleeps();
  std::vector<char> sink(1 << 16);
  std::size_t got = 0;
  error_code ec;
  while (got < much && !ec)
    got += reader.read_some(asio::buffer(sink), ec);
  return call.get();
}

template <class Object>
outcome write_much(Object& object)
{
  const std::vector<char> data(much, 'x');
  outcome o;
  o.bytes = object.write_some(asio::buffer(data), o.ec);
  return o;
}

template <class Socket>
outcome receive(Socket& s, std::size_t size, int flags)
{
  char buffer[64];
  outcome o;
  o.bytes = s.receive(asio::buffer(buffer, size), flags, o.ec);
  return o;
}

/// Two connected AF_UNIX sockets.
template <class Family>
struct local_pair
{
  typename Family::local::socket first;
  typename Family::local::socket second;

  explicit local_pair(asio::io_context& context)
    : first(context),
      second(context)
  {
    Family::connect_pair(first, second);
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_BLOCKING_NOTES_HPP
