// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// `bind_executor` and `bind_allocator` on every asynchronous member of every type: the handler is called
// on its executor, whose context has work until then, and the memory of the operation is the handler's,
// given back before it is called.

#include <memory>
#include <utility>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/version.hpp>
#include <boost/test/unit_test.hpp>

#if BOOST_ASIO_VERSION >= 102600
#include <boost/asio/bind_allocator.hpp>
#endif

#include "support/executors.hpp"
#include "support/token_trial.hpp"

namespace asio = boost::asio;
using support::every_subject;

namespace {

constexpr int label = 4;

/// What was allocated.
struct memory
{
  int allocations = 0;
  int outstanding = 0;
};

/// An allocator that counts.
template <class T>
struct counting
{
  using value_type = T;

  explicit counting(memory& m)
    : counts(&m)
  {
  }

  template <class U>
  counting(const counting<U>& other)
    : counts(other.counts)
  {
  }

  T* allocate(std::size_t n)
  {
    ++counts->allocations;
    ++counts->outstanding;
    return std::allocator<T>().allocate(n);
  }

  void deallocate(T* p, std::size_t n)
  {
    --counts->outstanding;
    std::allocator<T>().deallocate(p, n);
  }

  friend bool operator==(const counting& a, const counting& b)
  {
    return a.counts == b.counts;
  }

  friend bool operator!=(const counting& a, const counting& b)
  {
    return !(a == b);
  }

  memory* counts;
};

/// Looks where it is called, and what memory there is.
template <class Outcome>
struct observer
{
  template <class... Args>
  void operator()(Args&&... args)
  {
    support::check(support::label_scope::current() == label);
    support::check(counts->outstanding == 0);
    record(std::forward<Args>(args)...);
  }

  memory* counts;
  support::recorder<Outcome> record;
};

#if BOOST_ASIO_VERSION >= 102600
template <class Handler>
auto with_allocator(memory& m, Handler h)
{
  return asio::bind_allocator(counting<void>(m), std::move(h));
}
#else
template <class Handler>
struct allocating : Handler
{
  using allocator_type = counting<char>;

  allocator_type get_allocator() const
  {
    return allocator_type(*this->counts);
  }
};

template <class Handler>
allocating<Handler> with_allocator(memory&, Handler h)
{
  return {std::move(h)};
}
#endif

template <class... Values>
struct by_bound_handler : support::way<Values...>
{
  template <class Subject, class Start>
  void begin(Subject&, Start start)
  {
    start(asio::bind_executor(support::labelled(elsewhere_.get_executor(), label),
      with_allocator(memory_, observer<support::told<Values...>>{&memory_, this->record()})));
    support::check(this->outcome.calls == 0);
    elsewhere_.poll();
    is_told_ = this->outcome.calls != 0;
    support::check(elsewhere_.stopped() == is_told_);
  }

  void end()
  {
    support::check((this->outcome.calls != 0) == is_told_);
    elsewhere_.run();
    support::check(memory_.allocations > 0);
    support::check(memory_.outstanding == 0);
  }

  memory memory_;
  asio::io_context elsewhere_;
  bool is_told_ = false;
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_tokens_bound)

BOOST_AUTO_TEST_CASE_TEMPLATE(
  a_handler_is_called_on_its_executor_and_out_of_its_memory, Subject, every_subject)
{
  support::try_token<by_bound_handler, Subject>();
}

BOOST_AUTO_TEST_SUITE_END()
