// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a tenure's word does not say: what each holder holds, and what has happened in this life of the
// tenure. The descriptors are plain, none of them ever near its limit.

#ifndef INTERLOCK_TEST_TENURE_WORD_GHOST_HPP
#define INTERLOCK_TEST_TENURE_WORD_GHOST_HPP

#include <cstdint>

#include <interlock/detail/tenure/word.hpp>

namespace support {

struct word_ghost
{
  // Inside: synchronous calls and initiations; closers that have entered or joined, looks at the outcome,
  // holds, initiations in a flush; the closer that leads; the thread that finishes.
  unsigned calls = 0, lookers = 0, close_waiter = 0, finisher = 0;

  // Handlers: of writes; of other operations; the closer's own and the strand step's; a
  // predecessor's.
  unsigned writes = 0, operations = 0, handler_counts = 0, predecessors = 0;

  // Other holders: the object, the thread that opens it, the owner of the descriptor after the detach, the
  // leases on it.
  unsigned object = 1, opener = 1, claimant = 0, leases = 0;

  // What has happened in this life.
  unsigned published = 0, flushing = 0, closing = 0, demanded = 0, detached = 0, reported = 0,
           finished = 0;
  unsigned disposed = 0, waiting = 0;

  // The claimant leaves the descriptor to its leases, or to no owner.
  unsigned lent = 0, parted = 0;

  unsigned inside() const
  {
    return calls + lookers + close_waiter + finisher;
  }

  unsigned handlers() const
  {
    return writes + operations + handler_counts + predecessors;
  }

  bool admits() const
  {
    return published && !flushing && !closing && !demanded && !detached;
  }

  bool in_flush() const
  {
    return flushing && !demanded && !detached;
  }

  bool detachable() const
  {
    return published && !demanded && !detached;
  }

  bool held() const
  {
    return inside() || handlers() || object || opener || claimant || leases;
  }

  /// Nothing more will happen in this life: it has not begun, or is over.
  bool at_rest() const
  {
    return !published || finished;
  }

  interlock::detail::phase phase() const
  {
    using p = interlock::detail::phase;
    return !published ? p::vacant
      : finished      ? p::ended
      : reported      ? p::closed
      : lent          ? p::leased
      : detached      ? p::detached
      : demanded      ? p::due
      : closing       ? p::closing
      : flushing      ? p::flushing
                      : p::open;
  }

  /// Falls with every event that brings the end nearer.
  unsigned distance_from_end() const
  {
    const unsigned stages_left = published
      ? static_cast<unsigned>(interlock::detail::phase::ended) - unsigned(phase())
      : 0;
    return inside() + 4 * handlers() + 128 * stages_left + 64 * !parted + 256 * leases
      + 4096 * object + 8192 * opener;
  }

  std::uint64_t key() const
  {
    std::uint64_t k = 0;
    for (unsigned count : {calls, lookers, writes, operations, predecessors, leases})
      k = k << 4 | count;
    for (unsigned few :
      {close_waiter, finisher, handler_counts, object, opener, claimant, published, flushing,
        closing, demanded, detached, reported, finished, disposed, waiting, lent, parted})
      k = k << 2 | few;
    return k;
  }
};

} // namespace support

#endif // INTERLOCK_TEST_TENURE_WORD_GHOST_HPP
