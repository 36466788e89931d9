// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A pipe whose mutex a thread keeps, until the pipe is let go: the thread waits in splice(2), from the pipe to a full
// socket. close(2) of the other end, and F_GETPIPE_SZ, wait for as long.

#ifndef INTERLOCK_TEST_SUPPORT_HELD_PIPE_HPP
#define INTERLOCK_TEST_SUPPORT_HELD_PIPE_HPP

#include <optional>
#include <string>
#include <utility>

#include <fcntl.h>

#include <boost/test/unit_test.hpp>

#include "descriptor_pairs.hpp"
#include "watched_thread.hpp"

namespace support {

class held_pipe
{
public:
  explicit held_pipe(ends pipe = pipe_ends())
    : pipe_(std::move(pipe))
  {
    send_text(pipe_.far, std::string(size, 'x'));
    fill(sockets_.near.get());
    holder_.emplace([from = pipe_.near.get(), to = sockets_.near.get()]
      { ::splice(from, nullptr, to, nullptr, size, 0); });
    BOOST_TEST(holder_->comes_to_splice());
  }

  held_pipe(const held_pipe&) = delete;
  held_pipe& operator=(const held_pipe&) = delete;

  ~held_pipe()
  {
    let_go();
  }

  /// Returns when the thread has left splice(2).
  void let_go()
  {
    drain(sockets_.far);
    holder_->join();
  }

  bool is_held() const
  {
    return !holder_->done();
  }

  const ends& pipe() const
  {
    return pipe_;
  }

  /// The caller closes it.
  int release_writing_end()
  {
    return pipe_.far.release();
  }

private:
  static constexpr std::size_t size = 4096;

  ends pipe_;
  ends sockets_ = unix_ends();
  std::optional<watched_thread> holder_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_HELD_PIPE_HPP
