// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A close of an object of each kind: calls that are blocked return, operations that are outstanding are aborted before
// the closer is told, what came before the close is no abort, and close(2) is called by the thread that the type allows.
// No descriptor is lost.

#include "support/prelude.hpp"

#include <tuple>

#include <poll.h>

#include "support/dropin_members.hpp"
#include "support/subject.hpp"
#include "support/token_members.hpp"

using namespace support;

namespace {

/// One type of each class template, and of each kind of file.
using every_kind = std::tuple<tcp_socket, local_stream_socket, udp_socket, local_datagram_socket,
  icmp_socket, user_socket, tcp_acceptor, local_stream_acceptor, descriptor,
  support::stream_descriptor, readable_pipe, writable_pipe, serial_port>;

// --- Calls that block.

template <class Subject>
struct way_to_close
{
  const char* name;
  void (*close)(Subject&);
};

template <class Subject>
void close_asynchronously(Subject& s)
{
  error_code ec = not_called;
  s.object.async_close(into(ec));
  s.context.run();
  BOOST_TEST(ec == success);
}

template <class Subject>
constexpr way_to_close<Subject> ways_to_close[] = {{"close", [](Subject& s) { s.object.close(); }},
  {"retire", [](Subject& s) { s.object.retire(); }},
  {"a handle's close", [](Subject& s) { s.object.get_close_handle().close(); }},
  {"async_close", close_asynchronously<Subject>}};

/// Makes one of the calls that block, in a thread of its own, and closes the object meanwhile.
template <class Subject>
class waking_visitor
{
public:
  /// `index` is that of the call. The ways to close take turns.
  waking_visitor(Subject& s, int index)
    : subject_(s),
      index_(index)
  {
  }

  template <class Call>
  void both(const std::string& name, Call call)
  {
    only(name, call);
    visit(name, [&](error_code& ec) { return call(ec); });
  }

  template <class Call>
  void only(const std::string& name, Call call)
  {
    visit(name, [&](error_code&) { return call(); });
  }

  template <class Start>
  void async(const char*, Start)
  {
  }

  int calls() const noexcept
  {
    return calls_;
  }

private:
  static bool blocks(const std::string& name)
  {
    for (const char* each : {"wait", "read_some", "receive", "receive_from", "accept"})
      if (name == each)
        return true;
    return Subject::row::output_fills
      && (name == "write_some" || name == "send" || name == "send_to");
  }

  template <class Call>
  void visit(const std::string& name, Call call)
  {
    if (!blocks(name))
      return;
    // Each wait is visited twice, and that for room is the second one.
    const bool waits_for_room = name == "wait" && waits_++ / 2 == 1;
    if (calls_++ == index_)
      wake(name, waits_for_room && !is_full, [&] { return outcome_of(call); });
  }

  /// Of a call that throws too.
  template <class Call>
  outcome outcome_of(Call call)
  {
    outcome o;
    try
    {
      if constexpr (std::is_same<decltype(call(o.ec)), std::size_t>::value)
        o.bytes = call(o.ec);
      else
        call(o.ec);
    }
    catch (const boost::system::system_error& e)
    {
      o.ec = e.code();
      thrown_ = e.what();
    }
    return o;
  }

  // (No template: there are hundreds of calls.)
  void wake(const std::string& name, bool may_return, std::function<outcome()> call)
  {
    const auto& way = ways_to_close<Subject>[index_ % 4];
    BOOST_TEST_CONTEXT(name << ", " << index_ << ", " << way.name)
    {
      call_in_thread blocked(std::move(call));
      const bool has_blocked = blocked.blocks();
      BOOST_TEST((has_blocked || may_return));
      way.close(subject_);
      const outcome o = blocked.get();
      BOOST_TEST(o.ec == (has_blocked ? aborted : success));
      BOOST_TEST(o.bytes == 0u);
      BOOST_TEST((thrown_.empty() || thrown_.rfind(name + ": ", 0) == 0));
    }
    BOOST_TEST(!subject_.object.is_open());
    BOOST_TEST(subject_.object.native_handle() == -1);
  }

  /// A wait for room ends at once where there always is some.
  static constexpr bool is_full = Subject::row::output_fills && can_write<typename Subject::row>;

  Subject& subject_;
  const int index_;
  int calls_ = 0;
  int waits_ = 0;
  std::string thrown_;
};

/// Returns how many calls there are.
template <class Row>
int wake_call(int index)
{
  const census descriptors;
  int calls = 0;
  {
    subject<Row> s(setting::waiting);
    waking_visitor<subject<Row>> v(s, index);
    if constexpr (Row::has_addresses)
      visit_members<Row>(s.context, s.object, v, s.where);
    else
      visit_members<Row>(s.context, s.object, v);
    calls = v.calls();
  }
  BOOST_TEST(descriptors.restored());
  return calls;
}

// --- Operations outstanding.

/// Starts each member that waits for something to happen to the object: the close aborts it.
template <class Subject, class... Members>
void start_all(Subject& s, handler_tally& tally, const std::tuple<Members...>*)
{
  const auto is_aborted = [](error_code ec, const auto&... values)
  { check(ec == aborted && (is_nothing(values) && ...)); };
  const auto start = [&](auto m)
  {
    using type = decltype(m);
    if constexpr (type::template waits<Subject> && type::ends_by_close
      && !std::is_same<type, member::async_connect>::value)
      type::start(s, tally(is_aborted));
  };
  (start(Members()), ...);
}

template <class Row>
bool is_possible()
{
  const bool possible = subject<Row>::is_possible();
  if (!possible)
    BOOST_TEST_MESSAGE("left out: this process may not open raw sockets");
  return possible;
}

void wait_for_input(int fd)
{
  ::pollfd p = {fd, POLLIN, 0};
  BOOST_TEST(::poll(&p, 1, -1) == 1);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_closing, no_trace)

BOOST_AUTO_TEST_CASE_TEMPLATE(every_close_wakes_every_blocked_call, Row, every_kind)
{
  if (!is_possible<Row>())
    return;
  const int calls = wake_call<Row>(-1);
  BOOST_TEST(calls > 0);
  for (int i = 0; i != calls; ++i)
    wake_call<Row>(i);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_close_aborts_every_operation_and_is_told_last, Row, every_kind)
{
  if (!is_possible<Row>())
    return;
  handler_tally tally;
  subject<Row> s(setting::waiting);
  start_all(s, tally, static_cast<member::all_of<Row>*>(nullptr));
  s.context.poll();
  BOOST_TEST(tally.made() > 0);
  BOOST_TEST(tally.called() == 0);
  error_code closed = not_called;
  s.object.async_close(
    [&](error_code ec)
    {
      closed = ec;
      BOOST_TEST(tally.all_called());
    });
  s.context.restart();
  s.context.run();
  BOOST_TEST(closed == success);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_came_before_the_close_is_no_abort, Row, every_kind)
{
  if constexpr (can_read<Row> || Row::is_acceptor)
  {
    if (!is_possible<Row>())
      return;
    subject<Row> s(setting::ready);
    wait_for_input(s.fd);
    transfer_result t;
    int flags = 0;
    if constexpr (Row::is_acceptor)
      s.object.async_accept(s.peer, t.handler());
    else
      start_read<Row>(s.object, s.into(), flags, t);
    s.object.close();
    s.context.run();
    BOOST_TEST(t.is(success, Row::is_acceptor ? 0 : Row::header + travelling_text().size()));
  }
}

// That of a serial port may wait until what has been written is sent.
BOOST_AUTO_TEST_CASE_TEMPLATE(the_closer_closes_what_cannot_block, Row, every_kind)
{
  if (!is_possible<Row>())
    return;
  subject<Row> s(setting::waiting);
  close_watch watch(s.fd);
  if (Row::is_port)
    watch.shut_gate();
  s.object.close();
  BOOST_TEST(!s.object.is_open());
  BOOST_TEST(watch.closed() == (Row::is_port ? 0u : 1u));
  watch.open_gate();
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(watch.by_worker() == Row::is_port);
}

// What has been received over a socket of AF_UNIX may hold descriptors, and their close(2) may block.
using may_block = std::tuple<local_stream_socket, local_datagram_socket, user_socket,
  support::stream_descriptor, serial_port>;

BOOST_AUTO_TEST_CASE_TEMPLATE(a_destructor_does_not_wait_for_close2, Row, may_block)
{
  auto s = std::make_unique<subject<Row>>(setting::ready);
  close_watch watch(s->fd);
  watch.shut_gate();
  {
    const auto moved = std::move(s->object);
  }
  BOOST_TEST(watch.closed() == 0u);
  watch.open_gate();
  BOOST_TEST(watch.wait_closed());
}

#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
BOOST_AUTO_TEST_CASE_TEMPLATE(
  a_close_aborts_what_came_with_a_move_to_another_executor_type, Row, every_kind)
{
  if constexpr (std::is_destructible<typename Row::template named<interlock_family>>::value)
  {
    if (!is_possible<Row>())
      return;
    subject<Row, over_the_context> s(setting::waiting);
    plain_object<Row> first(s.context);
    transfer_result t;
    int flags = 0;
    start_what_waits<Row>(s.object, s.into(), flags, t);
    first = std::move(s.object);
    BOOST_TEST(!s.object.is_open());
    BOOST_TEST(first.native_handle() == s.fd);
    first.close();
    s.context.run();
    BOOST_TEST(t.is(aborted));
  }
}
#endif

BOOST_AUTO_TEST_SUITE_END()
