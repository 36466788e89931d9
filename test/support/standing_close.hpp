// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A close(2) that stands still on a thread of the elastic lane, until the gate is opened.

#ifndef INTERLOCK_TEST_SUPPORT_STANDING_CLOSE_HPP
#define INTERLOCK_TEST_SUPPORT_STANDING_CLOSE_HPP

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/local/stream_protocol.hpp>

#include "close_probe.hpp"
#include "descriptor_pairs.hpp"

namespace support {

struct standing_close
{
  ends pair = unread_ends();
  const int descriptor = pair.near.get(); // being closed
  close_watch watch{descriptor};

  explicit standing_close(boost::asio::io_context& context)
  {
    using local = interlock::local::stream_protocol;
    local::socket s(context, local(), pair.near.release());
    watch.shut_gate();
    s.close();
    BOOST_TEST(watch.wait_arrived());
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_STANDING_CLOSE_HPP
