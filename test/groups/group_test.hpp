// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A close_group, its close, and members with peers.

#ifndef INTERLOCK_TEST_GROUPS_GROUP_TEST_HPP
#define INTERLOCK_TEST_GROUPS_GROUP_TEST_HPP

#include <interlock/close_group.hpp>

#include "support/local_port.hpp"
#include "support/prelude.hpp"

namespace groups {

using interlock::close_group;
using interlock::close_mode;
using interlock::close_outcome;
using interlock::close_tally;
using std::chrono::milliseconds;
using support::aborted;
using support::any_local_port;
using support::not_called;
using support::success;

inline const error_code invalid = asio::error::invalid_argument;

constexpr std::chrono::seconds long_enough(60);

/// How the connection of a client ends that nothing is sent to.
template <class Socket>
error_code end_of(Socket& client)
{
  char byte = 0;
  error_code end;
  client.read_some(asio::buffer(&byte, 1), end);
  return end;
}

/// A group and its close.
struct scene
{
  asio::io_context context;
  close_group group{context};
  error_code ec = not_called;
  close_tally tally;

  void start(const close_mode& mode)
  {
    group.async_close(mode,
      [this](error_code closed, const close_tally& t)
      {
        ec = closed;
        tally = t;
      });
  }

  void close(const close_mode& mode)
  {
    start(mode);
    context.restart();
    context.run();
    BOOST_TEST(ec == error_code());
  }

  template <class Condition>
  void turn_until(Condition is_met)
  {
    BOOST_TEST(support::run_until(context, is_met));
    context.restart();
  }

  std::size_t operator[](close_outcome outcome) const
  {
    return tally[outcome];
  }
};

/// With connections over AF_UNIX, of which the group has the near ends.
struct connections : scene
{
  std::vector<local::socket> members;
  std::vector<support::fd> peers;

  explicit connections(std::size_t n = 3)
  {
    while (n-- != 0)
      add();
  }

  void fill_all()
  {
    for (local::socket& s : members)
      support::fill(s.native_handle());
  }

  void drain_all()
  {
    for (const support::fd& peer : peers)
      support::drain(peer);
  }

  /// The group has been closed before, which closes what is added: so it is opened after it has been added.
  local::socket& add_open()
  {
    support::ends pair = support::unix_ends();
    members.emplace_back(context);
    peers.push_back(std::move(pair.far));
    group.add(members.back());
    members.back().assign(local(), pair.near.release());
    return members.back();
  }

  local::socket& add()
  {
    support::ends pair = support::unix_ends();
    members.emplace_back(context, local(), pair.near.release());
    peers.push_back(std::move(pair.far));
    group.add(members.back());
    return members.back();
  }
};

/// The handler of a close that another one ends.
inline constexpr auto ignored = [](const error_code&, const close_tally&) {};

/// An object of a context that does not run.
struct stuck
{
  asio::io_context context;
  local::socket socket{context, local(), support::unix_ends().near.release()};
};

} // namespace groups

#endif // INTERLOCK_TEST_GROUPS_GROUP_TEST_HPP
