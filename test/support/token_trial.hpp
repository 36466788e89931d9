// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// One completion token on every member of a subject: in each situation that the member can be in the
// token tells what there is to be told, once, and the context has no work left afterwards.
//
// A `Way<Values...>` is a token and what is done with it, for an operation that tells these values with its error. It
// begins the operation by `start(token)`, and has put what it was told into `outcome` by `end()`, after the context has
// run. One that `cancels` can end the operation by `cancel()`, or is told before by `cancel_soon()`.

#ifndef INTERLOCK_TEST_SUPPORT_TOKEN_TRIAL_HPP
#define INTERLOCK_TEST_SUPPORT_TOKEN_TRIAL_HPP

#include <memory>
#include <optional>
#include <tuple>
#include <typeinfo>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/core/demangle.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/subject.hpp"
#include "support/token_members.hpp"

namespace support {

/// What an operation has told: how often, and the error.
struct told_error
{
  int calls = 0;
  boost::system::error_code ec = boost::asio::error::fault;

  void take_error(boost::system::error_code e)
  {
    ++calls;
    ec = e;
  }
};

/// And the values, if the token passes them on with an error.
template <class... Values>
struct told : told_error
{
  template <class... Args>
  void take(boost::system::error_code e, Args&&... args)
  {
    take_error(e);
    values.emplace(std::forward<Args>(args)...);
  }

  std::optional<std::tuple<Values...>> values;
};

/// A handler that takes down what it is told.
template <class Outcome>
struct recorder
{
  template <class... Args>
  void operator()(boost::system::error_code ec, Args&&... args) const
  {
    outcome->take(ec, std::forward<Args>(args)...);
  }

  Outcome* outcome;
};

/// The base of ways.
template <class... Values>
struct way
{
  static constexpr bool tells = true;
  static constexpr bool cancels = false;

  told<Values...> outcome;

  way() = default;
  way(const way&) = delete;
  way& operator=(const way&) = delete;

  void end() {}

  void cancel_soon() {}

  void cancel() {}

  recorder<told<Values...>> record()
  {
    return {&outcome};
  }
};

/// One whose handlers are counted from their making to their end.
template <class... Values>
struct counted_way : way<Values...>
{
  handler_tally tally;

  void end()
  {
    check(tally.all_called());
  }

  auto counted()
  {
    return tally(this->record());
  }
};

enum class event
{
  refusal,
  close,
  hold,
  let_go,
  cancel_soon,
  cancel
};

/// One operation on an object of its own. What is checked is checked in functions that are no templates:
/// there are hundreds of operations in each program.
struct operation
{
  asio::io_context& context;
  const told_error& told;

  operation(asio::io_context& c, const told_error& t)
    : context(c),
      told(t)
  {
  }

  virtual ~operation() = default;

  /// Starts it, and runs what can be run.
  virtual void begin() = 0;
  virtual void run() = 0;
  virtual void happens(event e) = 0;

  /// Checks what is left of a success, and whether the values are those of a failure.
  virtual void check_success() = 0;
  virtual void check_nothing() = 0;
};

/// What can happen to the operation, and what it tells then.
struct expectations
{
  bool tells;
  bool waits;
  bool ends_by_close;
  bool ends_by_cancellation;
  bool cancels;
  boost::system::error_code refusal;
};

using operation_pointer = std::unique_ptr<operation>;
using operation_maker = operation_pointer (*)(setting);

/// A refusal, or what ended it.
inline void check_failure(operation& o, const expectations& e, boost::system::error_code expected)
{
  BOOST_TEST(o.told.calls == (e.tells ? 1 : 0));
  if (!e.tells)
    return;
  BOOST_TEST(o.told.ec == expected);
  o.check_nothing();
}

inline void completes(operation_maker make, const expectations& e)
{
  const operation_pointer o = make(setting::ready);
  o->begin();
  o->run();
  BOOST_TEST(o->told.calls == (e.tells ? 1 : 0));
  if (e.tells)
    BOOST_TEST_REQUIRE(o->told.ec == boost::system::error_code());
  o->check_success();
}

inline void is_refused(operation_maker make, const expectations& e)
{
  const operation_pointer o = make(setting::ready);
  o->happens(event::refusal);
  o->begin();
  o->run();
  check_failure(*o, e, e.refusal);
}

/// While it waits, the context has work; then it is closed, or the lease given back.
inline void waits(operation_maker make, const expectations& e)
{
  const operation_pointer o = make(setting::waiting);
  o->happens(event::hold);
  o->begin();
  BOOST_TEST(o->told.calls == 0);
  BOOST_TEST(!o->context.stopped());
  if (e.ends_by_close)
    o->happens(event::close);
  o->happens(event::let_go);
  o->run();
  if (e.ends_by_close)
    check_failure(*o, e, boost::asio::error::operation_aborted);
  else if (e.tells)
    BOOST_TEST(o->told.ec == boost::system::error_code());
  BOOST_TEST(o->context.stopped());
}

/// By the way's own means, of each of which `total` is asked.
inline void is_cancelled(operation_maker make, const expectations& e)
{
  const operation_pointer o = make(setting::waiting);
  o->happens(event::hold);
  o->happens(event::cancel_soon);
  o->begin();
  o->happens(event::cancel);
  if (e.ends_by_cancellation)
    BOOST_TEST(run_until(o->context, [&] { return o->told.calls != 0; }));
  o->happens(event::let_go);
  o->context.restart();
  o->run();
  if (e.ends_by_cancellation)
    check_failure(*o, e, boost::asio::error::operation_aborted);
  else
    BOOST_TEST((o->told.calls == 1 && !o->told.ec));
}

inline void try_operation(operation_maker make, const expectations& e, const char* member)
{
  BOOST_TEST_CONTEXT(boost::core::demangle(member))
  {
    completes(make, e);
    is_refused(make, e);
    if (e.waits)
      waits(make, e);
    if (e.waits && e.cancels)
      is_cancelled(make, e);
  }
}

/// Starts `Member` of the subject.
template <class Member, class Subject>
struct starter
{
  template <class... Token>
  decltype(auto) operator()(Token&&... token) const
  {
    return Member::start(*subject, std::forward<Token>(token)...);
  }

  Subject* subject;
};

/// The subject stands before the way, whose handlers may refer to it.
template <class Subject, class Way>
struct subject_and_way
{
  Subject subject_;
  Way way_;

  explicit subject_and_way(setting how)
    : subject_(how)
  {
  }
};

template <class Way, class Member, class Subject>
class trial final : subject_and_way<Subject, Way>, public operation
{
  using subject_and_way<Subject, Way>::subject_;
  using subject_and_way<Subject, Way>::way_;

public:
  explicit trial(setting how)
    : subject_and_way<Subject, Way>(how),
      operation(subject_.context, way_.outcome)
  {
  }

  static operation_pointer make(setting how)
  {
    return std::make_unique<trial>(how);
  }

  void begin() override
  {
    way_.begin(subject_, starter<Member, Subject>{&subject_});
    subject_.context.poll();
  }

  void run() override
  {
    subject_.context.run();
    way_.end();
  }

  void happens(event e) override
  {
    switch (e)
    {
    case event::refusal:
      return Member::refuse(subject_);
    case event::close:
      return Member::close(subject_);
    case event::hold:
      return Member::hold(subject_);
    case event::let_go:
      return subject_.lease.reset();
    case event::cancel_soon:
      return way_.cancel_soon();
    case event::cancel:
      return way_.cancel();
    }
  }

  void check_success() override
  {
    if constexpr (Way::tells)
      std::apply([this](auto&... values) { Member::values_are(subject_, values...); },
        way_.outcome.values.value());
    Member::left(subject_, Way::tells);
  }

  void check_nothing() override
  {
    if (way_.outcome.values)
      std::apply([](auto&... values) { check((is_nothing(values) && ...)); }, *way_.outcome.values);
  }
};

template <template <class...> class Way, class Tuple>
struct way_for;

template <template <class...> class Way, class... Values>
struct way_for<Way, std::tuple<Values...>>
{
  using type = Way<Values...>;
};

template <template <class...> class Way, class Subject, class Member>
void try_member()
{
  using type = typename way_for<Way, typename Member::template values<Subject>>::type;
  const expectations e = {type::tells, Member::template waits<Subject>, Member::ends_by_close,
    Member::ends_by_cancellation, type::cancels, Member::refusal()};
  try_operation(&trial<type, Member, Subject>::make, e, typeid(Member).name());
}

template <template <class...> class Way, class Subject, class... Members>
void try_members(const std::tuple<Members...>*)
{
  (try_member<Way, Subject, Members>(), ...);
}

/// Each member of the subject, with the token of `Way`.
template <template <class...> class Way, class Subject>
void try_token()
{
  if (!Subject::is_possible())
    BOOST_TEST_MESSAGE("left out: this process may not open raw sockets");
  else
    try_members<Way, Subject>(static_cast<typename Subject::members*>(nullptr));
}

// --- One type of each class template: protocols differ in nothing that a token could see, and a posix::descriptor is
// always the base of a stream_descriptor.

template <class Row, class Make>
struct token_subject : subject<Row, Make>
{
  using members = member::all_of<Row>;
  using subject<Row, Make>::subject;
};

/// A handle of a socket, which closes it. It has an executor of its own.
struct close_handle_subject : subject<local_stream_socket>
{
  using members = std::tuple<member::async_close_by_handle>;
  using subject<local_stream_socket>::subject;
};

template <class Make, class... Rows>
using subjects_of = std::tuple<token_subject<Rows, Make>...>;

template <class Make>
using socket_subjects = subjects_of<Make, tcp_socket, udp_socket, icmp_socket, user_socket>;

template <class Make>
using descriptor_subjects =
  subjects_of<Make, stream_descriptor, readable_pipe, writable_pipe, serial_port>;

// Of other executors than any_io_executor there are descriptors from Boost 1.75 on.
template <class Make>
using rebound_subjects = joined<socket_subjects<Make>, subjects_of<Make, tcp_acceptor>
#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
  ,
  descriptor_subjects<Make>
#endif
  >;

using every_subject = joined<socket_subjects<as_they_are>, subjects_of<as_they_are, tcp_acceptor>,
  descriptor_subjects<as_they_are>, std::tuple<close_handle_subject>>;

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_TOKEN_TRIAL_HPP
