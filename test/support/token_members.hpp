// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Every asynchronous member, in a form that takes any completion token, or none: how it is started on a
// subject, what it tells when it succeeds, what it leaves behind where it tells nothing, and what it
// tells when it is refused. The subjects, each with the list of its members, are in
// token_subjects.hpp.
//
// A member of a subject completes at once in a setting that is `ready`, and only when something
// happens to it in one that is `waiting`.

#ifndef INTERLOCK_TEST_SUPPORT_TOKEN_MEMBERS_HPP
#define INTERLOCK_TEST_SUPPORT_TOKEN_MEMBERS_HPP

#include <cstddef>
#include <string>
#include <tuple>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/system/error_code.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/error.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/wait_until.hpp"

namespace support {

enum class setting
{
  ready,
  waiting
};

/// What is sent and received.
inline const std::string& travelling_text()
{
  static const std::string text = "a packet";
  return text;
}

/// The values that come with an error.
inline bool is_nothing(std::size_t transferred)
{
  return transferred == 0;
}

inline bool is_nothing(int released)
{
  return released == -1;
}

template <class Peer>
bool is_nothing(const Peer& accepted)
{
  return !accepted.is_open();
}

// Functions that are no templates: there are hundreds of operations in each program.

inline void check(bool holds)
{
  BOOST_TEST(holds);
}

inline void check_equal(std::size_t a, std::size_t b)
{
  BOOST_TEST(a == b);
}

/// What comes out of `n`, after that many bytes, is the text.
inline void check_sent(const fd& n, std::size_t header)
{
  char got[64] = {};
  const ::ssize_t size = ::read(n.get(), got, sizeof(got));
  BOOST_TEST_REQUIRE(size > 0);
  BOOST_TEST(std::string(got, static_cast<std::size_t>(size)).substr(header) == travelling_text());
}

inline void check_received(const char* in)
{
  BOOST_TEST(std::string(in, travelling_text().size()) == travelling_text());
}

inline void check_open(int n, bool open)
{
  BOOST_TEST(is_fd_open(n) == open);
}

namespace member {

using boost::system::error_code;
using message_flags = boost::asio::socket_base::message_flags;

// Starts `call(args..., token)`, whether there is a token or not.
#define INTERLOCK_TEST_STARTS(expression) \
  template <class Subject, class... Token> \
  static decltype(auto) start(Subject& s, Token&&... token) \
  { \
    return s.expression; \
  }

#define INTERLOCK_TEST_TOKEN std::forward<Token>(token)...

/// What most members have in common.
struct plain
{
  template <class>
  using values = std::tuple<>;

  /// Whether it waits in a setting that is `waiting`.
  template <class Subject>
  static constexpr bool waits = true;

  /// Whether a close of the object ends it, and a cancellation.
  static constexpr bool ends_by_close = true;
  static constexpr bool ends_by_cancellation = true;

  template <class Subject>
  static void refuse(Subject& s)
  {
    s.object.close();
  }

  static error_code refusal()
  {
    return boost::asio::error::bad_descriptor;
  }

  template <class Subject>
  static void close(Subject& s)
  {
    s.object.close();
  }

  /// What keeps it waiting besides the setting.
  template <class Subject>
  static void hold(Subject&)
  {
  }

  template <class Subject>
  static void let_go(Subject&)
  {
  }
};

struct transfer : plain
{
  template <class>
  using values = std::tuple<std::size_t>;
};

struct transfer_in : transfer
{
  template <class Subject>
  static void told(Subject& s, std::size_t size)
  {
    check_equal(size, Subject::header + travelling_text().size());
    untold(s);
  }

  template <class Subject>
  static void untold(Subject& s)
  {
    check_received(s.in + Subject::header);
  }
};

struct transfer_out : transfer
{
  template <class Subject>
  static constexpr bool waits = Subject::output_fills;

  template <class Subject>
  static void told(Subject& s, std::size_t size)
  {
    check_equal(size, travelling_text().size());
    untold(s);
  }

  template <class Subject>
  static void untold(Subject& s)
  {
    check_sent(s.far, Subject::header);
  }
};

struct async_read_some : transfer_in
{
  INTERLOCK_TEST_STARTS(object.async_read_some(s.into(), INTERLOCK_TEST_TOKEN))
};

struct async_write_some : transfer_out
{
  INTERLOCK_TEST_STARTS(object.async_write_some(s.from(), INTERLOCK_TEST_TOKEN))
};

struct async_send : transfer_out
{
  INTERLOCK_TEST_STARTS(object.async_send(s.from(), INTERLOCK_TEST_TOKEN))
};

struct async_send_with_flags : transfer_out
{
  INTERLOCK_TEST_STARTS(object.async_send(s.from(), message_flags(0), INTERLOCK_TEST_TOKEN))
};

struct async_receive : transfer_in
{
  INTERLOCK_TEST_STARTS(object.async_receive(s.into(), INTERLOCK_TEST_TOKEN))
};

struct async_receive_with_flags : transfer_in
{
  INTERLOCK_TEST_STARTS(object.async_receive(s.into(), message_flags(0), INTERLOCK_TEST_TOKEN))
};

struct async_send_to : transfer_out
{
  INTERLOCK_TEST_STARTS(object.async_send_to(s.from(), s.where, INTERLOCK_TEST_TOKEN))
};

struct async_send_to_with_flags : transfer_out
{
  INTERLOCK_TEST_STARTS(
    object.async_send_to(s.from(), s.where, message_flags(0), INTERLOCK_TEST_TOKEN))
};

/// Tells the sender as well.
struct from_somebody : transfer_in
{
  template <class Subject>
  static void told(Subject& s, std::size_t size)
  {
    transfer_in::told(s, size);
    check(s.sender == s.where);
  }

  template <class Subject>
  static void untold(Subject& s)
  {
    transfer_in::untold(s);
    check(s.sender == s.where);
  }
};

struct async_receive_from : from_somebody
{
  INTERLOCK_TEST_STARTS(object.async_receive_from(s.into(), s.sender, INTERLOCK_TEST_TOKEN))
};

struct async_receive_from_with_flags : from_somebody
{
  INTERLOCK_TEST_STARTS(
    object.async_receive_from(s.into(), s.sender, message_flags(0), INTERLOCK_TEST_TOKEN))
};

/// Tells what has become of the record as well. (AF_UNIX does not mark its end.)
struct record : transfer_in
{
  template <class Subject>
  static void told(Subject& s, std::size_t size)
  {
    transfer_in::told(s, size);
    // Neither truncated, nor as it was before.
    check(s.out_flags == 0);
  }
};

struct async_receive_record : record
{
  INTERLOCK_TEST_STARTS(object.async_receive(s.into(), s.out_flags, INTERLOCK_TEST_TOKEN))
};

struct async_receive_record_with_flags : record
{
  INTERLOCK_TEST_STARTS(
    object.async_receive(s.into(), message_flags(0), s.out_flags, INTERLOCK_TEST_TOKEN))
};

struct async_wait : plain
{
  INTERLOCK_TEST_STARTS(object.async_wait(s.object.wait_read, INTERLOCK_TEST_TOKEN))

  template <class Subject>
  static void told(Subject& s)
  {
    untold(s);
  }

  template <class Subject>
  static void untold(Subject& s)
  {
    error_code ec;
    s.object.non_blocking(true);
    s.object.wait(s.object.wait_read, ec);
    check(!ec);
  }
};

struct async_connect : plain
{
  INTERLOCK_TEST_STARTS(unconnected.async_connect(s.listening, INTERLOCK_TEST_TOKEN))

  template <class Subject>
  static constexpr bool waits = Subject::connects_wait;

  template <class Subject>
  static void refuse(Subject& s)
  {
    s.unconnected.retire();
  }

  static error_code refusal()
  {
    return interlock::error::retired;
  }

  template <class Subject>
  static void close(Subject& s)
  {
    s.unconnected.close();
  }

  template <class Subject>
  static void told(Subject& s)
  {
    untold(s);
  }

  template <class Subject>
  static void untold(Subject& s)
  {
    check(s.is_connected());
  }
};

/// Both wait for the holders of leases.
struct ending : plain
{
  static constexpr bool ends_by_close = false;

  template <class Subject>
  static void hold(Subject& s)
  {
    s.lease = s.object.lease();
  }

  template <class Subject>
  static void let_go(Subject& s)
  {
    s.lease = interlock::fd_lease();
  }
};

struct async_close : ending
{
  INTERLOCK_TEST_STARTS(object.async_close(INTERLOCK_TEST_TOKEN))

  static error_code refusal()
  {
    return {};
  }

  template <class Subject>
  static void told(Subject& s)
  {
    check(!s.object.is_open());
    check_open(s.fd, false);
  }

  template <class Subject>
  static void untold(Subject& s)
  {
    told(s);
  }
};

struct async_close_by_handle : async_close
{
  INTERLOCK_TEST_STARTS(object.get_close_handle().async_close(INTERLOCK_TEST_TOKEN))
};

struct async_release : ending
{
  INTERLOCK_TEST_STARTS(object.async_release(INTERLOCK_TEST_TOKEN))

  template <class>
  using values = std::tuple<int>;

  static constexpr bool ends_by_cancellation = false;

  template <class Subject>
  static void told(Subject& s, int released)
  {
    check(released == s.fd);
    untold(s);
  }

  /// The descriptor is the caller's, whether the caller has looked at it or not.
  template <class Subject>
  static void untold(Subject& s)
  {
    check(!s.object.is_open());
    check_open(s.fd, true);
    support::fd(s.fd).reset();
  }
};

/// Into a peer that is there.
struct accept_into : plain
{
  template <class Subject>
  static void told(Subject& s)
  {
    untold(s);
  }

  template <class Subject>
  static void untold(Subject& s)
  {
    check(s.is_client(s.peer));
  }
};

struct async_accept_into : accept_into
{
  INTERLOCK_TEST_STARTS(object.async_accept(s.peer, INTERLOCK_TEST_TOKEN))
};

struct async_accept_into_from : accept_into
{
  INTERLOCK_TEST_STARTS(object.async_accept(s.peer, s.sender, INTERLOCK_TEST_TOKEN))

  template <class Subject>
  static void untold(Subject& s)
  {
    accept_into::untold(s);
    check(s.sender == s.client_name());
  }
};

/// Into a new one, of `Executor` or that of the acceptor.
template <class Executor>
struct accept_new : plain
{
  template <class Subject>
  using values = std::tuple<typename Subject::template accepted<Executor>>;

  template <class Subject, class Peer>
  static void told(Subject& s, const Peer& peer)
  {
    check(s.is_client(peer));
  }

  /// No caller has taken it: it is closed.
  template <class Subject>
  static void untold(Subject& s)
  {
    check(wait_until([&s] { return hung_up(s.client); }));
  }
};

/// Tells the endpoint of the client as well.
template <class Executor>
struct accept_new_from : accept_new<Executor>
{
  template <class Subject, class Peer>
  static void told(Subject& s, const Peer& peer)
  {
    accept_new<Executor>::told(s, peer);
    check(s.sender == s.client_name());
  }
};

using of_context = boost::asio::io_context::executor_type;
using of_any = boost::asio::any_io_executor;

struct async_accept : accept_new<void>
{
  INTERLOCK_TEST_STARTS(object.async_accept(INTERLOCK_TEST_TOKEN))
};

struct async_accept_on_context : accept_new<of_context>
{
  INTERLOCK_TEST_STARTS(object.async_accept(s.context, INTERLOCK_TEST_TOKEN))
};

struct async_accept_on_executor : accept_new<of_any>
{
  INTERLOCK_TEST_STARTS(object.async_accept(of_any(s.context.get_executor()), INTERLOCK_TEST_TOKEN))
};

struct async_accept_from : accept_new_from<void>
{
  INTERLOCK_TEST_STARTS(object.async_accept(s.sender, INTERLOCK_TEST_TOKEN))
};

struct async_accept_on_context_from : accept_new_from<of_context>
{
  INTERLOCK_TEST_STARTS(object.async_accept(s.context, s.sender, INTERLOCK_TEST_TOKEN))
};

struct async_accept_on_executor_from : accept_new_from<of_any>
{
  INTERLOCK_TEST_STARTS(
    object.async_accept(of_any(s.context.get_executor()), s.sender, INTERLOCK_TEST_TOKEN))
};

#undef INTERLOCK_TEST_STARTS
#undef INTERLOCK_TEST_TOKEN

} // namespace member
} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_TOKEN_MEMBERS_HPP
