// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The static probes (USDT) of the library: where bpftrace, perf, SystemTap and gdb can look at each descriptor of each
// process, without a change to the program.
//
// Compiled in where <sys/sdt.h> of SystemTap is found, unless INTERLOCK_NO_PROBES is defined. A probe that nothing is
// attached to is one nop and a note in the ELF file. Its arguments are what its caller has at hand. No probe is on the
// path of a read or a write. The provider is `interlock`; each function here is the probe of the same name. The names
// and the order of the arguments are part of the interface (see doc/operating.qbk). Only src/ includes this file, so that a
// program has its probes from the library alone, however it is compiled itself.
//
// `tenure` is the address of the tenure: the same from `open` to `outcome`, and different from that of every other open
// descriptor.

#ifndef INTERLOCK_DETAIL_PROBES_HPP
#define INTERLOCK_DETAIL_PROBES_HPP

#include <interlock/config.hpp>

#if !defined(INTERLOCK_NO_PROBES) && defined(__has_include)
#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#define INTERLOCK_HAS_PROBES 1
#endif
#endif

#if defined(INTERLOCK_HAS_PROBES)
#define INTERLOCK_PROBE(count, ...) STAP_PROBE##count(interlock, __VA_ARGS__)
#else
#define INTERLOCK_PROBE(count, ...) static_cast<void>(0)
#endif

// SystemTap's macros use an extension that clang 14 warns of in the file that uses them.
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#endif

namespace interlock {
inline namespace abi_0 {
namespace detail {
namespace probes {

/// An object has the descriptor now.
INTERLOCK_HOT void open([[maybe_unused]] const void* tenure, [[maybe_unused]] int fd) noexcept
{
  INTERLOCK_PROBE(2, open, tenure, fd);
}

/// No operation of the tenure can reach the descriptor any more: it has left the reactor, or goes on in another type.
INTERLOCK_HOT void detach([[maybe_unused]] const void* tenure, [[maybe_unused]] int fd) noexcept
{
  INTERLOCK_PROBE(2, detach, tenure, fd);
}

/// This thread calls close(2). `reset`: SO_LINGER with a time of zero has been set.
INTERLOCK_HOT void close([[maybe_unused]] const void* tenure, [[maybe_unused]] int fd,
  [[maybe_unused]] bool reset) noexcept
{
  INTERLOCK_PROBE(3, close, tenure, fd, reset);
}

/// close(2) has returned in this thread. `error`: its errno, or 0.
INTERLOCK_HOT void close_return(
  [[maybe_unused]] const void* tenure, [[maybe_unused]] int fd, [[maybe_unused]] int error) noexcept
{
  INTERLOCK_PROBE(3, close_return, tenure, fd, error);
}

/// The close is over. `fd`: -1 if the descriptor has another owner. `outcome`: of close_outcome. The time is counted
/// from the beginning of the close, and 0 for what was given away.
INTERLOCK_HOT void outcome([[maybe_unused]] const void* tenure, [[maybe_unused]] int fd,
  [[maybe_unused]] int outcome, [[maybe_unused]] int error,
  [[maybe_unused]] long long nanoseconds) noexcept
{
  INTERLOCK_PROBE(5, outcome, tenure, fd, outcome, error, nanoseconds);
}

} // namespace probes
} // namespace detail
} // namespace abi_0
} // namespace interlock

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

#undef INTERLOCK_PROBE

#endif // INTERLOCK_DETAIL_PROBES_HPP
