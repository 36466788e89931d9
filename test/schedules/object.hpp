// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// An object of the library over the I/O object of a run, with the operations that scenarios use, and what a
// scenario counts.

#ifndef INTERLOCK_TEST_SCHEDULES_OBJECT_HPP
#define INTERLOCK_TEST_SCHEDULES_OBJECT_HPP

#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include <boost/asio/cancellation_signal.hpp>

#include <interlock/detail/core/initiation.hpp>
#include <interlock/detail/core/io_core.hpp>
#include <interlock/detail/members/transfer.hpp>

#include "schedules/inner_socket.hpp"
#include "schedules/scenario.hpp"
#include "schedules/strand.hpp"

namespace interlock {
inline namespace abi_0 {
namespace detail {

template <>
struct strand_of<schedules::executor>
{
  using type = schedules::strand;
};

template <>
struct can_deliver<schedules::inner_socket> : std::true_type
{
};

template <>
struct can_deliver<schedules::other_socket> : std::true_type
{
};

template <>
struct frees_address<schedules::inner_acceptor> : std::true_type
{
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

namespace schedules {

/// How often a handler has been called and destroyed.
struct calls
{
  unsigned called = 0;
  unsigned destroyed = 0;
  error_code ec;
  int value = -1; // of an async_release: the descriptor
  interlock::close_report report;
};

/// A handler that counts.
class counting
{
public:
  explicit counting(calls& c)
    : calls_(&c)
  {
  }

  counting(counting&& other) noexcept
    : calls_(std::exchange(other.calls_, nullptr))
  {
  }

  ~counting()
  {
    if (!calls_)
      return;
    require_thread_of_program();
    ++calls_->destroyed;
  }

  template <class... Args>
  void operator()(error_code ec, Args... args)
  {
    require_thread_of_program();
    ++calls_->called;
    calls_->ec = ec;
    note(args...);
    if (calls_->called != 1)
      scheduler::current()->fail("a handler is called twice");
  }

private:
  static void require_thread_of_program()
  {
    if (scheduler::current()->name_of_self() == scheduler::thread_of_library)
      scheduler::current()->fail("a handler is called or destroyed on a thread of the library");
  }

  void note(int fd)
  {
    calls_->value = fd;
  }

  void note(const interlock::close_report& r)
  {
    calls_->report = r;
  }

  template <class... Args>
  void note(Args...)
  {
  }

  calls* calls_;
};

/// A handler that counts, and has a cancellation slot.
class cancellable : public counting
{
public:
  using cancellation_slot_type = boost::asio::cancellation_slot;

  cancellable(calls& c, boost::asio::cancellation_slot s)
    : counting(c),
      slot_(s)
  {
  }

  cancellation_slot_type get_cancellation_slot() const noexcept
  {
    return slot_;
  }

private:
  cancellation_slot_type slot_;
};

/// A handler that counts, on an executor of its own.
class elsewhere : public counting
{
public:
  using executor_type = executor;

  elsewhere(calls& c, const executor& e)
    : counting(c),
      executor_(e)
  {
  }

  executor_type get_executor() const noexcept
  {
    return executor_;
  }

private:
  executor executor_;
};

/// The handler of a close: counts, and requires that the handler of an operation has been destroyed by then.
class last : public counting
{
public:
  last(calls& c, const calls& operation)
    : counting(c),
      operation_(&operation)
  {
  }

  template <class... Args>
  void operator()(error_code ec, Args... args)
  {
    require(operation_->destroyed == 1, "the close's handler came before the end of the read's");
    counting::operator()(ec, args...);
  }

private:
  const calls* operation_;
};

/// A handler that counts, and then does something.
class doing : public counting
{
public:
  doing(calls& c, std::function<void()> what)
    : counting(c),
      what_(std::move(what))
  {
  }

  template <class... Args>
  void operator()(error_code ec, Args... args)
  {
    counting::operator()(ec, args...);
    what_();
  }

private:
  std::function<void()> what_;
};

template <class Inner>
class basic_object
{
public:
  using core = interlock::detail::io_core<Inner>;

  explicit basic_object(context& c)
    : core_(c.get_executor())
  {
  }

  /// Opens it with a new descriptor, and returns that.
  int open(const inner_protocol& p = inner_protocol())
  {
    const int fd = try_open(p);
    require_open(fd);
    return fd;
  }

  /// The same; -1 if it cannot be opened. `is_borrowed`: the scenario closes the descriptor.
  int try_open(const inner_protocol& p = inner_protocol(), bool is_borrowed = false)
  {
    const int fd = kernel::current().open_socket();
    bool is_given = false;
    error_code ec;
    try
    {
      core_.open(ec, interlock::detail::descriptor_owner::object,
        [&](auto& t, error_code&)
        {
          is_given = true;
          t.set_borrowed(is_borrowed);
          t.inner().assign(fd);
          t.set_protocol(p);
        });
    }
    catch (const std::bad_alloc&)
    {
      ec = boost::asio::error::no_memory;
    }
    if (!is_given)
      kernel::current().close(fd);
    return ec ? -1 : fd;
  }

  void close()
  {
    core_.close();
  }

  // Each operation with a handler that counts, or with one of the scenario's own.

  template <class... Mode>
  void async_close(calls& c, const Mode&... mode)
  {
    async_close(counting(c), mode...);
  }

  template <class Handler, class... Mode>
  void async_close(Handler h, const Mode&... mode)
  {
    interlock::detail::initiate_close<core>{&core_}(std::move(h), mode...);
  }

  void async_release(calls& c)
  {
    interlock::detail::initiate_release<core>{&core_}(counting(c));
  }

  void async_read(calls& c)
  {
    async_read(counting(c));
  }

  template <class Handler>
  void async_read(Handler h)
  {
    interlock::detail::initiate_read<core>{&core_}(std::move(h), 0);
  }

  void async_write(calls& c)
  {
    async_write(counting(c));
  }

  template <class Handler>
  void async_write(Handler h)
  {
    interlock::detail::initiate_send<core>{&core_}(std::move(h), 0, 0);
  }

  core& get_core()
  {
    return core_;
  }

private:
  static void require_open(int fd)
  {
    if (fd < 0)
      throw std::runtime_error("the object could not be opened");
  }

  core core_;
};

using object = basic_object<inner_socket>;

/// An async_close of a handle to an object of `c`.
inline void async_close(const interlock::detail::handled_object& handle, context& c, calls& closed)
{
  using handler = interlock::detail::close_handler<counting, executor>;
  handle.start_close(handler::make(counting(closed), c.get_executor()));
}

} // namespace schedules

#endif // INTERLOCK_TEST_SCHEDULES_OBJECT_HPP
