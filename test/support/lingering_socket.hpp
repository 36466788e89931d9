// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Sockets that linger: one with a second name, which keeps the socket, and its option, when the first is closed, and
// shows what became of the option; and what the close of an object with one does.

#ifndef INTERLOCK_TEST_SUPPORT_LINGERING_SOCKET_HPP
#define INTERLOCK_TEST_SUPPORT_LINGERING_SOCKET_HPP

#include <cstddef>

#include <sys/socket.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "close_probe.hpp"
#include "descriptor_pairs.hpp"
#include "tcp_facts.hpp"

namespace support {

/// As other code sets it, or a socket inherits it from its listener: no object is told.
inline void set_linger(int n, int seconds)
{
  const ::linger on = {1, seconds};
  checked(::setsockopt(n, SOL_SOCKET, SO_LINGER, &on, sizeof(on)), "setsockopt");
}

inline void set_linger(const fd& n, int seconds)
{
  set_linger(n.get(), seconds);
}

inline ::linger linger_of(int n)
{
  ::linger value = {};
  ::socklen_t size = sizeof(value);
  checked(::getsockopt(n, SOL_SOCKET, SO_LINGER, &value, &size), "getsockopt");
  return value;
}

/// Closes the object of a socket that lingers, and whose peer has read nothing: close(2) is the worker's, and comes
/// when all has been delivered.
template <class Object>
void check_lingering_close(Object& object, int descriptor, const fd& peer)
{
  BOOST_TEST_REQUIRE(linger_of(descriptor).l_onoff != 0);
  const std::size_t sent = fill(descriptor);
  const close_watch watch(descriptor);
  object.close();
  taken got;
  BOOST_TEST(got.take_all(peer));
  BOOST_TEST(got.bytes == sent);
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(watch.by_worker());
  BOOST_TEST(!watch.lingered());
}

class lingering_socket
{
public:
  lingering_socket()
  {
    set_linger(tcp_.near, 60);
    kept_.reset(checked(::dup(tcp_.near.get()), "dup"));
  }

  /// The descriptor to close. It is the caller's from here on.
  int release() noexcept
  {
    return tcp_.near.release();
  }

  bool lingers() const
  {
    return linger_of(kept_.get()).l_onoff != 0;
  }

private:
  ends tcp_ = tcp_ends();
  fd kept_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_LINGERING_SOCKET_HPP
