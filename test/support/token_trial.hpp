// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// One completion token on every member of a subject: in each situation that the member can be in the
// token tells what there is to be told, once, and the context has no work left afterwards.
//
// A `Way` is a token and what is done with it. Its `attempt<Outcome>` begins an operation by
// `start(token)`, and has put what it was told into the outcome by `end()`, after the context has run.
// One that `cancels` can end the operation by `cancel()`, or is told before by `cancel_soon()`.

#ifndef INTERLOCK_TEST_SUPPORT_TOKEN_TRIAL_HPP
#define INTERLOCK_TEST_SUPPORT_TOKEN_TRIAL_HPP

#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/core/demangle.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/token_subjects.hpp"
#include "support/wait_until.hpp"

namespace support {

/// What an operation has told: the error, and `Values` if the token passes them on with one.
template <class... Values>
struct told
{
  template <class... Args>
  void take(boost::system::error_code e, Args&&... args)
  {
    ++calls;
    ec = e;
    values.emplace(std::forward<Args>(args)...);
  }

  void take_error(boost::system::error_code e)
  {
    ++calls;
    ec = e;
  }

  int calls = 0;
  boost::system::error_code ec = boost::asio::error::fault;
  std::optional<std::tuple<Values...>> values;
};

template <class>
struct told_of;

template <class... Values>
struct told_of<std::tuple<Values...>>
{
  using type = told<Values...>;
};

/// The signature of an operation that tells `Outcome`.
template <class>
struct signature_of;

template <class... Values>
struct signature_of<told<Values...>>
{
  using type = void(boost::system::error_code, Values...);
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
struct way
{
  static constexpr bool tells = true;
  static constexpr bool cancels = false;
};

/// The base of attempts.
template <class Outcome>
class attempt_base
{
public:
  explicit attempt_base(Outcome& o)
    : outcome_(&o)
  {
  }

  attempt_base(const attempt_base&) = delete;
  attempt_base& operator=(const attempt_base&) = delete;

  void end() {}

  void cancel_soon() {}

  void cancel() {}

protected:
  using signature = typename signature_of<Outcome>::type;

  recorder<Outcome> record() const
  {
    return {outcome_};
  }

  Outcome& outcome()
  {
    return *outcome_;
  }

private:
  Outcome* outcome_;
};

/// One whose handlers are counted from their making to their end.
template <class Outcome>
class counted_attempt : public attempt_base<Outcome>
{
public:
  using attempt_base<Outcome>::attempt_base;

  void end()
  {
    check(tally_.all_called());
  }

protected:
  auto counted()
  {
    return tally_(this->record());
  }

  /// How many of them have been called.
  auto called() const
  {
    return tally_.called();
  }

private:
  handler_tally tally_;
};

/// One operation on an object of its own. What is checked is checked in functions that are no templates:
/// there are hundreds of operations in each program.
class operation
{
public:
  virtual ~operation() = default;

  /// Starts it, and runs what can be run.
  virtual void begin() = 0;
  virtual void run() = 0;
  virtual void refuse() = 0;
  virtual void close() = 0;
  virtual void hold() = 0;
  virtual void let_go() = 0;
  virtual void cancel_soon() = 0;
  virtual void cancel() = 0;

  /// Checks what is left of a success, and whether the values are those of a failure.
  virtual void check_success() = 0;
  virtual void check_nothing() = 0;

  virtual asio::io_context& context() = 0;
  virtual int calls() const = 0;
  virtual boost::system::error_code ec() const = 0;
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
  BOOST_TEST(o.calls() == (e.tells ? 1 : 0));
  if (!e.tells)
    return;
  BOOST_TEST(o.ec() == expected);
  o.check_nothing();
}

inline void completes(operation_maker make, const expectations& e)
{
  const operation_pointer o = make(setting::ready);
  o->begin();
  o->run();
  BOOST_TEST(o->calls() == (e.tells ? 1 : 0));
  if (e.tells)
    BOOST_TEST_REQUIRE(o->ec() == boost::system::error_code());
  o->check_success();
}

inline void is_refused(operation_maker make, const expectations& e)
{
  const operation_pointer o = make(setting::ready);
  o->refuse();
  o->begin();
  o->run();
  check_failure(*o, e, e.refusal);
}

/// While it waits, the context has work; then it is closed, or the lease given back.
inline void waits(operation_maker make, const expectations& e)
{
  const operation_pointer o = make(setting::waiting);
  o->hold();
  o->begin();
  BOOST_TEST(o->calls() == 0);
  BOOST_TEST(!o->context().stopped());
  if (e.ends_by_close)
    o->close();
  o->let_go();
  o->run();
  if (e.ends_by_close)
    check_failure(*o, e, boost::asio::error::operation_aborted);
  else if (e.tells)
    BOOST_TEST(o->ec() == boost::system::error_code());
  BOOST_TEST(o->context().stopped());
}

/// By the way's own means, of each of which `total` is asked.
inline void is_cancelled(operation_maker make, const expectations& e)
{
  const operation_pointer o = make(setting::waiting);
  o->hold();
  o->cancel_soon();
  o->begin();
  o->cancel();
  if (e.ends_by_cancellation)
    BOOST_TEST(wait_until([&] { return turn(o->context()), o->calls() != 0; }));
  o->let_go();
  o->context().restart();
  o->run();
  if (e.ends_by_cancellation)
    check_failure(*o, e, boost::asio::error::operation_aborted);
  else
    BOOST_TEST((o->calls() == 1 && !o->ec()));
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

template <class Way, class Member, class Subject>
class trial final : public operation
{
public:
  explicit trial(setting how)
    : subject_(how)
  {
  }

  static operation_pointer make(setting how)
  {
    return std::make_unique<trial>(how);
  }

  void begin() override
  {
    attempt_.begin(subject_, starter<Member, Subject>{&subject_});
    subject_.context.poll();
  }

  void run() override
  {
    subject_.context.run();
    attempt_.end();
  }

  void refuse() override
  {
    Member::refuse(subject_);
  }

  void close() override
  {
    Member::close(subject_);
  }

  void hold() override
  {
    Member::hold(subject_);
  }

  void let_go() override
  {
    Member::let_go(subject_);
  }

  void cancel_soon() override
  {
    attempt_.cancel_soon();
  }

  void cancel() override
  {
    attempt_.cancel();
  }

  void check_success() override
  {
    if constexpr (Way::tells)
      std::apply(
        [this](auto&... values) { Member::told(subject_, values...); }, outcome_.values.value());
    else
      Member::untold(subject_);
  }

  void check_nothing() override
  {
    if (outcome_.values)
      std::apply([](auto&... values) { check((is_nothing(values) && ...)); }, *outcome_.values);
  }

  asio::io_context& context() override
  {
    return subject_.context;
  }

  int calls() const override
  {
    return outcome_.calls;
  }

  boost::system::error_code ec() const override
  {
    return outcome_.ec;
  }

private:
  using outcome = typename told_of<typename Member::template values<Subject>>::type;

  Subject subject_;
  outcome outcome_;
  typename Way::template attempt<outcome> attempt_{outcome_};
};

template <class Way, class Subject, class Member>
void try_member()
{
  const expectations e = {Way::tells, Member::template waits<Subject>, Member::ends_by_close,
    Member::ends_by_cancellation, Way::cancels, Member::refusal()};
  try_operation(&trial<Way, Member, Subject>::make, e, typeid(Member).name());
}

template <class Way, class Subject, class... Members>
void try_members(const std::tuple<Members...>*)
{
  (try_member<Way, Subject, Members>(), ...);
}

/// Each member of the subject, with the token of `Way`.
template <class Way, class Subject>
void try_token()
{
  if (!Subject::is_possible())
    BOOST_TEST_MESSAGE("left out: this process may not open raw sockets");
  else
    try_members<Way, Subject>(static_cast<typename Subject::members*>(nullptr));
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_TOKEN_TRIAL_HPP
