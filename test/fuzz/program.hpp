// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What an input of the fuzzer means: how the program ends, and a bounded sequence of steps on a few objects. Every input
// decodes to a program; each step is two bytes of its own, so that a change of one byte changes one step.
//
//   byte 0         the ending
//   bytes 1, 2     the verb; object + 5 * argument
//   bytes 3, 4     ...

#ifndef INTERLOCK_TEST_FUZZ_PROGRAM_HPP
#define INTERLOCK_TEST_FUZZ_PROGRAM_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <vector>

namespace fuzz {

enum class verb : unsigned char
{
  open,
  read, // of an acceptor: accept
  write,
  wait,
  cancel,
  shutdown,
  close,
  async_close,
  emit,
  retire,
  release,
  async_release,
  move,
  assign,
  destroy,
  handle,
  lease,
  return_lease,
  poll,
  settle,
  peer_write, // of an acceptor: a client connects
  peer_read,
  peer_end,
  peer_close,
  peer_reset,
  stranger,
  group_add,
  group_close
};

constexpr std::array verb_names = {"open", "read", "write", "wait", "cancel", "shutdown", "close",
  "async_close", "emit", "retire", "release", "async_release", "move", "assign", "destroy",
  "handle", "lease", "return_lease", "poll", "settle", "peer_write", "peer_read", "peer_end",
  "peer_close", "peer_reset", "stranger", "group_add", "group_close"};

static_assert(verb_names.size() == static_cast<std::size_t>(verb::group_close) + 1);

/// Two sockets of AF_UNIX, so that one may be assigned to the other.
constexpr std::array object_names = {"local", "other", "tcp", "acceptor", "pipe"};
constexpr std::size_t objects = object_names.size();

/// What becomes of what is left.
enum class ending : unsigned char
{
  closed,      ///< Each object is closed, and the context is run to its end.
  destroyed,   ///< The same after the objects' destructors.
  cut_objects, ///< The context is destroyed with handlers outstanding, after the objects.
  cut_context  ///< The same before the objects.
};

constexpr std::array ending_names = {
  "closed", "destroyed", "objects, then context cut", "context cut, then objects"};

/// How a close is asked for.
enum class manner : unsigned char
{
  plain,
  immediate,
  abort,
  deliver,
  graceful
};

struct close_way
{
  manner how;
  int milliseconds; ///< Of a mode that waits.
  const char* name;
};

/// Longer than everything a program waits for.
constexpr int long_time = 120000;

constexpr std::array<close_way, 10> close_ways = {{
  {manner::plain, 0, "without a mode"},
  {manner::immediate, 0, "immediate"},
  {manner::abort, 0, "abort"},
  {manner::deliver, long_time, "deliver, long"},
  {manner::graceful, long_time, "graceful, long"},
  {manner::deliver, 0, "deliver, 0 ms"},
  {manner::graceful, 0, "graceful, 0 ms"},
  {manner::deliver, 2, "deliver, 2 ms"},
  {manner::graceful, 2, "graceful, 2 ms"},
  {manner::graceful, -1, "graceful, -1 ms"},
}};

struct step
{
  verb what;
  std::size_t object;
  unsigned argument; ///< 0 to 51

  const close_way& way() const
  {
    return close_ways[argument % close_ways.size()];
  }

  /// The higher part of the argument of a close: through the handle, and not through the object.
  bool by_handle() const
  {
    return argument / close_ways.size() % 2 == 1;
  }
};

constexpr std::size_t most_steps = 48;

struct program
{
  ending end = ending::closed;
  std::vector<step> steps;
};

inline program decode(const std::uint8_t* data, std::size_t size)
{
  program p;
  if (size != 0)
    p.end = static_cast<ending>(data[0] % ending_names.size());
  const std::size_t steps = size < 2 ? 0 : std::min((size - 1) / 2, most_steps);
  for (std::size_t i = 0; i != steps; ++i)
  {
    const std::uint8_t what = data[1 + 2 * i], of = data[2 + 2 * i];
    p.steps.push_back({static_cast<verb>(what % verb_names.size()), of % objects,
      unsigned(of) / unsigned(objects)});
  }
  return p;
}

/// The exact input: decoding reads every byte of it as it is, so that it means the same when a verb is added.
inline std::vector<std::uint8_t> encode(const program& p)
{
  std::vector<std::uint8_t> bytes{static_cast<std::uint8_t>(p.end)};
  for (const step& s : p.steps)
  {
    bytes.push_back(static_cast<std::uint8_t>(s.what));
    bytes.push_back(static_cast<std::uint8_t>(s.object + objects * s.argument));
  }
  return bytes;
}

inline std::ostream& operator<<(std::ostream& out, const step& s)
{
  out << verb_names[static_cast<std::size_t>(s.what)] << ' ' << object_names[s.object] << ' '
      << s.argument;
  const bool closes = s.what == verb::async_close || s.what == verb::group_close;
  if (closes || s.what == verb::close || s.what == verb::retire)
    out << (s.by_handle() ? " by handle" : "");
  if (closes)
    out << ": " << s.way().name;
  return out;
}

} // namespace fuzz

#endif // INTERLOCK_TEST_FUZZ_PROGRAM_HPP
