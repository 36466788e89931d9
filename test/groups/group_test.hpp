// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What each test of close_group uses.

#ifndef INTERLOCK_TEST_GROUPS_GROUP_TEST_HPP
#define INTERLOCK_TEST_GROUPS_GROUP_TEST_HPP

#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/close_group.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/group_scene.hpp"
#include "support/local_port.hpp"
#include "support/loop.hpp"

namespace groups {

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::close_group;
using interlock::close_mode;
using interlock::close_outcome;
using interlock::close_tally;
using interlock::ip::tcp;
using local = interlock::local::stream_protocol;
using std::chrono::milliseconds;
using support::any_local_port;
using scene = support::group_scene;
using connections = support::group_connections;

inline const error_code success;
inline const error_code aborted = asio::error::operation_aborted;
inline const error_code invalid = asio::error::invalid_argument;

constexpr std::chrono::seconds long_enough(60);

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
