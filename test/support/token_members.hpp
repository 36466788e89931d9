// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Every asynchronous member, in a form that takes any completion token, or none: how it is started on a
// subject, which values it tells when it succeeds, what it leaves behind, and what it tells when it is refused.
//
// A member of a subject completes at once in a setting that is `ready`, and only when something
// happens to it in one that is `waiting`.

#ifndef INTERLOCK_TEST_SUPPORT_TOKEN_MEMBERS_HPP
#define INTERLOCK_TEST_SUPPORT_TOKEN_MEMBERS_HPP

#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
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
#include "support/subject.hpp"
#include "support/wait_until.hpp"

namespace support {

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

#define INTERLOCK_TEST_TOKEN std::forward<Token>(token)...

// The member `name` is a `kind`, and is started on a subject by `call`, whether there is a token or not.
#define INTERLOCK_TEST_STARTED(name, kind, call) \
  struct name : kind \
  { \
    template <class Subject, class... Token> \
    static decltype(auto) start(Subject& s, Token&&... token) \
    { \
      return s.call; \
    } \
  };

#define INTERLOCK_TEST_MEMBER(name, kind, function, ...) \
  INTERLOCK_TEST_STARTED(name, kind, object.function(__VA_ARGS__, INTERLOCK_TEST_TOKEN))

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

  /// Checks the values that it tells when it succeeds.
  template <class Subject>
  static void values_are(Subject&)
  {
  }

  // And each has left(s, told), which checks what a success leaves behind, whether its values were told or not.
};

struct transfer : plain
{
  template <class>
  using values = std::tuple<std::size_t>;
};

struct transfer_in : transfer
{
  template <class Subject>
  static void values_are(Subject&, std::size_t size)
  {
    check_equal(size, Subject::row::header + travelling_text().size());
  }

  template <class Subject>
  static void left(Subject& s, bool)
  {
    check_received(s.in + Subject::row::header);
  }
};

struct transfer_out : transfer
{
  template <class Subject>
  static constexpr bool waits = Subject::row::output_fills;

  template <class Subject>
  static void values_are(Subject&, std::size_t size)
  {
    check_equal(size, travelling_text().size());
  }

  template <class Subject>
  static void left(Subject& s, bool)
  {
    check_sent(s.pair.far, Subject::row::header);
  }
};

/// Leaves the address of the sender as well.
struct transfer_from : transfer_in
{
  template <class Subject>
  static void left(Subject& s, bool told)
  {
    transfer_in::left(s, told);
    check(s.sender == s.where);
  }
};

/// Tells what has become of the record as well. (AF_UNIX does not mark its end.)
struct record : transfer_in
{
  template <class Subject>
  static void values_are(Subject& s, std::size_t size)
  {
    transfer_in::values_are(s, size);
    // Neither truncated, nor as it was before.
    check(s.out_flags == 0);
  }
};

struct wait_for_input : plain
{
  template <class Subject>
  static void left(Subject& s, bool)
  {
    error_code ec;
    s.object.non_blocking(true);
    s.object.wait(s.object.wait_read, ec);
    check(!ec);
  }
};

struct connect : plain
{
  template <class Subject>
  static constexpr bool waits = Subject::row::is_tcp;

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
  static void left(Subject& s, bool)
  {
    check(s.is_connected());
  }
};

/// Waits for the holders of leases.
struct ending : plain
{
  static constexpr bool ends_by_close = false;

  template <class Subject>
  static void hold(Subject& s)
  {
    s.lease = s.object.lease();
  }
};

struct closing : ending
{
  static error_code refusal()
  {
    return {};
  }

  template <class Subject>
  static void left(Subject& s, bool)
  {
    check(!s.object.is_open());
    check_open(s.fd, false);
  }
};

struct releasing : ending
{
  template <class>
  using values = std::tuple<int>;

  static constexpr bool ends_by_cancellation = false;

  template <class Subject>
  static void values_are(Subject& s, int released)
  {
    check(released == s.fd);
  }

  /// The descriptor is the caller's, whether the caller has looked at it or not.
  template <class Subject>
  static void left(Subject& s, bool)
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
  static void left(Subject& s, bool)
  {
    check(s.is_client(s.peer));
  }
};

struct accept_into_from : accept_into
{
  template <class Subject>
  static void left(Subject& s, bool told)
  {
    accept_into::left(s, told);
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
  static void values_are(Subject& s, const Peer& peer)
  {
    check(s.is_client(peer));
  }

  /// Where no caller has taken it, it is closed.
  template <class Subject>
  static void left(Subject& s, bool told)
  {
    check(told || wait_until([&s] { return hung_up(s.client); }));
  }
};

/// Tells the endpoint of the client as well.
template <class Executor>
struct accept_new_from : accept_new<Executor>
{
  template <class Subject, class Peer>
  static void values_are(Subject& s, const Peer& peer)
  {
    accept_new<Executor>::values_are(s, peer);
    check(s.sender == s.client_name());
  }
};

using of_context = boost::asio::io_context::executor_type;
using of_any = boost::asio::any_io_executor;

INTERLOCK_TEST_MEMBER(async_read_some, transfer_in, async_read_some, s.into())
INTERLOCK_TEST_MEMBER(async_write_some, transfer_out, async_write_some, s.from())
INTERLOCK_TEST_MEMBER(async_send, transfer_out, async_send, s.from())
INTERLOCK_TEST_MEMBER(async_send_with_flags, transfer_out, async_send, s.from(), 0)
INTERLOCK_TEST_MEMBER(async_receive, transfer_in, async_receive, s.into())
INTERLOCK_TEST_MEMBER(async_receive_with_flags, transfer_in, async_receive, s.into(), 0)
INTERLOCK_TEST_MEMBER(async_send_to, transfer_out, async_send_to, s.from(), s.where)
INTERLOCK_TEST_MEMBER(async_send_to_with_flags, transfer_out, async_send_to, s.from(), s.where, 0)
INTERLOCK_TEST_MEMBER(async_receive_from, transfer_from, async_receive_from, s.into(), s.sender)
INTERLOCK_TEST_MEMBER(
  async_receive_from_with_flags, transfer_from, async_receive_from, s.into(), s.sender, 0)
INTERLOCK_TEST_MEMBER(async_receive_record, record, async_receive, s.into(), s.out_flags)
INTERLOCK_TEST_MEMBER(
  async_receive_record_with_flags, record, async_receive, s.into(), 0, s.out_flags)
INTERLOCK_TEST_MEMBER(async_wait, wait_for_input, async_wait, s.object.wait_read)
INTERLOCK_TEST_STARTED(
  async_connect, connect, unconnected.async_connect(s.listening, INTERLOCK_TEST_TOKEN))
INTERLOCK_TEST_STARTED(async_close, closing, object.async_close(INTERLOCK_TEST_TOKEN))
INTERLOCK_TEST_STARTED(
  async_close_by_handle, closing, object.get_close_handle().async_close(INTERLOCK_TEST_TOKEN))
INTERLOCK_TEST_STARTED(async_release, releasing, object.async_release(INTERLOCK_TEST_TOKEN))
INTERLOCK_TEST_MEMBER(async_accept_into, accept_into, async_accept, s.peer)
INTERLOCK_TEST_MEMBER(async_accept_into_from, accept_into_from, async_accept, s.peer, s.sender)
INTERLOCK_TEST_STARTED(async_accept, accept_new<void>, object.async_accept(INTERLOCK_TEST_TOKEN))
INTERLOCK_TEST_MEMBER(async_accept_from, accept_new_from<void>, async_accept, s.sender)
INTERLOCK_TEST_MEMBER(async_accept_on_context, accept_new<of_context>, async_accept, s.context)
INTERLOCK_TEST_MEMBER(
  async_accept_on_context_from, accept_new_from<of_context>, async_accept, s.context, s.sender)
INTERLOCK_TEST_MEMBER(
  async_accept_on_executor, accept_new<of_any>, async_accept, of_any(s.context.get_executor()))
INTERLOCK_TEST_MEMBER(async_accept_on_executor_from, accept_new_from<of_any>, async_accept,
  of_any(s.context.get_executor()), s.sender)

#undef INTERLOCK_TEST_MEMBER
#undef INTERLOCK_TEST_STARTED
#undef INTERLOCK_TEST_TOKEN

// --- Which of them a type has.

template <bool Has, class... Members>
using members_if = std::conditional_t<Has, std::tuple<Members...>, std::tuple<>>;

template <class Row>
using all_of =
  joined<members_if<Row::reads, async_read_some>, members_if<Row::writes, async_write_some>,
    members_if<Row::has_flags, async_send, async_send_with_flags, async_receive,
      async_receive_with_flags>,
    members_if<Row::has_addresses, async_send_to, async_send_to_with_flags, async_receive_from,
      async_receive_from_with_flags>,
    members_if<Row::has_records, async_send_with_flags, async_receive_record,
      async_receive_record_with_flags>,
    members_if<Row::is_acceptor, async_accept, async_accept_on_context, async_accept_on_executor,
      async_accept_from, async_accept_on_context_from, async_accept_on_executor_from,
      async_accept_into, async_accept_into_from>,
    members_if<Row::has_blocking_state, async_wait>, members_if<Row::is_socket, async_connect>,
    std::tuple<async_close, async_release>>;

} // namespace member
} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_TOKEN_MEMBERS_HPP
