// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A close_group, its close, and members with peers.

#ifndef INTERLOCK_TEST_SUPPORT_GROUP_SCENE_HPP
#define INTERLOCK_TEST_SUPPORT_GROUP_SCENE_HPP

#include <cstddef>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/close_group.hpp>
#include <interlock/local/stream_protocol.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/loop.hpp"
#include "support/wait_until.hpp"

namespace support {

/// How the connection of a client ends that nothing is sent to.
template <class Socket>
boost::system::error_code end_of(Socket& client)
{
  char byte = 0;
  boost::system::error_code end;
  client.read_some(boost::asio::buffer(&byte, 1), end);
  return end;
}

/// A group and its close.
struct group_scene
{
  using error_code = boost::system::error_code;

  static inline const error_code not_called = boost::asio::error::fault;

  boost::asio::io_context context;
  interlock::close_group group{context};
  error_code ec = not_called;
  interlock::close_tally tally;

  void start(const interlock::close_mode& mode)
  {
    group.async_close(mode,
      [this](error_code closed, const interlock::close_tally& t)
      {
        ec = closed;
        tally = t;
      });
  }

  void close(const interlock::close_mode& mode)
  {
    start(mode);
    context.restart();
    context.run();
    BOOST_TEST(ec == error_code());
  }

  template <class Condition>
  void turn_until(Condition is_met)
  {
    BOOST_TEST(wait_until(
      [&]
      {
        turn(context);
        return is_met();
      }));
    context.restart();
  }

  std::size_t operator[](interlock::close_outcome outcome) const
  {
    return tally[outcome];
  }
};

/// With connections over AF_UNIX, of which the group has the near ends.
struct group_connections : group_scene
{
  std::vector<interlock::local::stream_protocol::socket> members;
  std::vector<fd> peers;

  explicit group_connections(std::size_t n = 3)
  {
    while (n-- != 0)
      add();
  }

  void fill_all()
  {
    for (interlock::local::stream_protocol::socket& s : members)
      fill(s.native_handle());
  }

  void drain_all()
  {
    for (const fd& peer : peers)
      drain(peer);
  }

  /// The group has been closed before, which closes what is added: so it is opened after it has been added.
  interlock::local::stream_protocol::socket& add_open()
  {
    ends pair = unix_ends();
    members.emplace_back(context);
    peers.push_back(std::move(pair.far));
    group.add(members.back());
    members.back().assign(interlock::local::stream_protocol(), pair.near.release());
    return members.back();
  }

  interlock::local::stream_protocol::socket& add()
  {
    ends pair = unix_ends();
    members.emplace_back(context, interlock::local::stream_protocol(), pair.near.release());
    peers.push_back(std::move(pair.far));
    group.add(members.back());
    return members.back();
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_GROUP_SCENE_HPP
