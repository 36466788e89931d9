// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// An open socket of a context, whatever a test does to both. In the end the descriptor has been closed once, every
// handler has been called, or has ended with the context that the test has destroyed, and no trace is left.

#ifndef INTERLOCK_TEST_SUPPORT_SCENE_HPP
#define INTERLOCK_TEST_SUPPORT_SCENE_HPP

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/local/stream_protocol.hpp>

#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/no_trace.hpp"
#include "support/sync_support.hpp"

namespace support {

/// A context and its handlers, without a socket yet.
struct in_context : no_trace
{
  std::optional<boost::asio::io_context> context{std::in_place};
  handler_tally tally;
  error_code read =
    boost::asio::error::fault; // until a handler is told something else, as the others
  error_code closed = boost::asio::error::fault;
  std::size_t size = 0;
  char buffer[8] = {};

  /// A derived class that has handlers refer to its own members calls it first, in its own destructor.
  void finish()
  {
    if (context)
    {
      run();
      BOOST_TEST(tally.all_called());
    }
    context.reset();
    BOOST_TEST(tally.all_ended());
  }

  ~in_context()
  {
    finish();
  }

  void run()
  {
    context->restart();
    context->run();
  }

  void turn()
  {
    support::turn(*context);
  }

  template <class Condition>
  bool run_until(Condition condition)
  {
    return support::run_until(*context, condition);
  }

  template <class Object>
  void start_read(Object& o)
  {
    o.async_read_some(boost::asio::buffer(buffer),
      tally(
        [this](error_code ec, std::size_t n)
        {
          read = ec;
          size = n;
        }));
  }

  /// What a closer is told by an object, or by a handle of it.
  template <class Closable>
  error_code ask(Closable& c)
  {
    closed = boost::asio::error::fault;
    c.async_close(tally(into(closed)));
    run();
    return closed;
  }
};

/// Reads with a synchronous call.
template <class Object>
outcome read_some(Object& o)
{
  char buffer[8];
  outcome told;
  told.bytes = o.read_some(boost::asio::buffer(buffer), told.ec);
  return told;
}

template <class Socket>
struct scene_of : in_context
{
  ends pair = unix_ends();
  const int opened = pair.near.get();
  const std::string file = referred_to(opened);
  close_watch watch{opened};
  std::optional<Socket> object{
    std::in_place, *context, interlock::local::stream_protocol(), pair.near.release()};

  ~scene_of()
  {
    object.reset();
    finish();
    BOOST_TEST(watch.wait_closed());
    BOOST_TEST(watch.arrived() == 1u);
  }

  using in_context::start_read;

  void start_read()
  {
    start_read(*object);
  }

  void close()
  {
    object->async_close(tally(into(closed)));
  }

  /// Opens the object again. What is returned is at its other end.
  fd reopen()
  {
    ends again = unix_ends();
    object->assign(interlock::local::stream_protocol(), again.near.release());
    return std::move(again.far);
  }

  /// Whether the descriptor is still what has been opened, and not on its way to be closed.
  bool is_kept() const
  {
    return referred_to(opened) == file && watch.arrived() == 0;
  }

  /// Whether no reactor entry of the descriptor is left: another object of the context can have it.
  bool is_unregistered()
  {
    boost::asio::posix::stream_descriptor other(*context);
    error_code ec;
    other.assign(opened, ec);
    other.release();
    return !ec;
  }
};

using scene = scene_of<interlock::local::stream_protocol::socket>;

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_SCENE_HPP
