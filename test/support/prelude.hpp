// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What nearly every test of the public types includes and names: for test files only, not for headers of support,
// which stay complete in themselves. That each public header is complete in itself is proven elsewhere (header.cpp).

#ifndef INTERLOCK_TEST_SUPPORT_PRELUDE_HPP
#define INTERLOCK_TEST_SUPPORT_PRELUDE_HPP

#include <interlock/close_handle.hpp>
#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/close_service.hpp>
#include <interlock/error.hpp>
#include <interlock/fd_lease.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include "support/at_once.hpp"
#include "support/census.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/no_trace.hpp"
#include "support/sync_support.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::ip::tcp;
using interlock::posix::stream_descriptor;
using local = interlock::local::stream_protocol;

namespace support {

// Beside success, aborted and bad_descriptor of sync_support.hpp.
inline const error_code in_use = interlock::error::in_use;
inline const error_code io_error(EIO, boost::system::system_category());
inline const error_code not_called =
  boost::asio::error::fault; // until a handler is told something else
inline const error_code not_supported = boost::asio::error::operation_not_supported;
inline const error_code retired = interlock::error::retired;

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_PRELUDE_HPP
