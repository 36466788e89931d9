// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Watches close(2), which the program replaces for itself by linking close_probe.cpp.
//
// A watch is kept on one open file, by its identity, not on a descriptor: a close of the same descriptor
// after it has been reused is another owner's and is not counted. A watch can hold the thread that
// closes at a gate, before anything has happened, and can choose the errno that close(2) is to
// report; the file is closed all the same, as Linux does.

#ifndef INTERLOCK_TEST_SUPPORT_CLOSE_PROBE_HPP
#define INTERLOCK_TEST_SUPPORT_CLOSE_PROBE_HPP

#include <cstddef>
#include <thread>

#include <sys/types.h>

namespace support {

class close_watch
{
public:
  /// Watches what `descriptor` is now.
  explicit close_watch(int fd);

  close_watch(const close_watch&) = delete;
  close_watch& operator=(const close_watch&) = delete;

  /// Opens the gate, and waits for the threads that are closing. A close that has not begun is not seen any
  /// more.
  ~close_watch();

  /// What close(2) reports from now on: 0, or an errno with -1.
  void report(int error);

  /// A thread that closes from now on waits until the gate is opened.
  void shut_gate();
  void open_gate();

  /// How many threads have come to close, and how many times it has been closed.
  std::size_t arrived() const;
  std::size_t closed() const;

  bool wait_arrived() const;
  bool wait_closed() const;

  /// The thread that came first to close it.
  std::thread::id close_waiter() const;

  /// Whether that was a thread of the library, by its name: see on_worker.
  bool by_worker() const;

  /// Whether SO_LINGER was on, with a time to wait, when the first came to close it.
  bool lingered() const;

private:
  friend struct close_probe;

  void unlink() noexcept;

  const int fd_;
  ::dev_t device_;
  ::ino_t inode_;
  close_watch* next_;

  // Guarded by the probe's mutex.
  int error_ = 0;
  bool gate_shut_ = false;
  std::size_t arrived_ = 0;
  std::size_t closed_ = 0;
  std::thread::id close_waiter_;
  bool by_worker_ = false;
  bool lingered_ = false;
};

/// How many times close(2) has been called for a descriptor that was not open: each of them could have
/// closed a descriptor of other code.
std::size_t stray_closes() noexcept;

/// Whether the calling thread is one of the library's, by its name.
bool on_worker() noexcept;

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_CLOSE_PROBE_HPP
