// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The closes of stacks that are under way, of one execution context: at most one over each connection, which further
// callers join.

#ifndef INTERLOCK_DETAIL_ADAPT_RUNNING_CLOSES_HPP
#define INTERLOCK_DETAIL_ADAPT_RUNNING_CLOSES_HPP

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include <boost/asio/execution_context.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/close_service.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/adapt/stack_caller.hpp>
#include <interlock/detail/descriptor/intrusive_list.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class running_closes;
using running_closes_pointer = std::shared_ptr<running_closes>;

/// A close of a stack. Leaves the list at the latest when it is destroyed; callers that are left are destroyed with it.
class running_close : public std::enable_shared_from_this<running_close>, private list_node
{
public:
  running_close(const running_close&) = delete;
  running_close& operator=(const running_close&) = delete;

  /// Makes the mode stronger, on the executor. Any thread. What throws has no effect.
  virtual void hurry_soon(const close_mode& mode) = 0;

  /// A caller cancels, on the executor. Any thread. What throws has no effect.
  virtual void cancel_soon(
    const std::shared_ptr<stack_caller>& caller, bool terminal, bool partial) = 0;

protected:
  running_close(running_closes_pointer all, const void* connection, const close_mode& mode) noexcept
    : all_(std::move(all)),
      connection_(connection),
      asked_(mode)
  {
  }

  inline virtual ~running_close();

  /// No other caller can join. Returns those that are there.
  inline stack_callers end() noexcept;

  inline bool is_waiting(const std::shared_ptr<stack_caller>& caller) const noexcept;

  /// Returns the caller, if it waits still.
  inline stack_callers take(const std::shared_ptr<stack_caller>& caller) noexcept;

private:
  friend class running_closes;
  friend class intrusive_list<running_close>;

  const running_closes_pointer all_;
  const void* const connection_;

  // Guarded by the mutex of `all_`.
  close_mode asked_; // the strongest mode of its callers
  stack_callers callers_;
};

class running_closes
{
public:
  /// Of the context of `ex`.
  template <class Executor>
  static running_closes_pointer of(const Executor& ex)
  {
    return boost::asio::use_service<service>(functions::context_of(ex)).closes;
  }

  /// Whether a close is under way over this connection.
  template <class Executor>
  static bool has(const Executor& ex, const void* connection)
  {
    boost::asio::execution_context& context = functions::context_of(ex);
    if (!boost::asio::has_service<service>(context))
      return false;
    running_closes& all = *boost::asio::use_service<service>(context).closes;
    const std::lock_guard<std::mutex> lock(all.mutex_);
    return all.find(connection) != nullptr;
  }

  /// The first of `caller` leads `c`. False, and no effect: another close is under way.
  bool lead(running_close& c, stack_callers& caller)
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (find(c.connection_))
      return false;
    caller.front()->leads = true;
    all_.push_back(c);
    add(c, caller);
    return true;
  }

  /// The first of `caller` joins the close that is under way, and makes it stronger if its mode is. False: there is
  /// none.
  bool join(const void* connection, const close_mode& mode, stack_callers& caller)
  {
    const std::shared_ptr<running_close> c = hurry(connection, mode);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!c || !c->is_listed())
      return false;
    add(*c, caller);
    return true;
  }

  /// Makes the close that is under way stronger, if the mode is. Null: there is none.
  std::shared_ptr<running_close> hurry(const void* connection, const close_mode& mode)
  {
    std::shared_ptr<running_close> c;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (running_close* const found = find(connection))
        c = found->weak_from_this().lock();
      if (!c || !stronger(mode, c->asked_))
        return c;
    }
    c->hurry_soon(mode);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stronger(mode, c->asked_))
      c->asked_ = mode;
    return c;
  }

private:
  friend class running_close;

  struct service : boost::asio::execution_context::service
  {
    using key_type = service;
    inline static boost::asio::execution_context::id id;

    explicit service(boost::asio::execution_context& context)
      : boost::asio::execution_context::service(context)
    {
    }

    void shutdown() override {}

    // A close may be destroyed after the context's services.
    const running_closes_pointer closes = std::make_shared<running_closes>();
  };

  // Under the mutex, where no owner of a close may be: the last one locks it. One that is being destroyed is none.
  running_close* find(const void* connection) const noexcept
  {
    return all_.find([connection](const running_close& each)
      { return each.connection_ == connection && !each.weak_from_this().expired(); });
  }

  static void add(running_close& c, stack_callers& caller) noexcept
  {
    caller.front()->close = c.weak_from_this();
    c.callers_.splice(c.callers_.end(), caller);
  }

  mutable std::mutex mutex_;
  intrusive_list<running_close> all_; // guarded by the mutex
};

running_close::~running_close()
{
  const std::lock_guard<std::mutex> lock(all_->mutex_);
  unlist();
}

stack_callers running_close::end() noexcept
{
  stack_callers all;
  const std::lock_guard<std::mutex> lock(all_->mutex_);
  unlist();
  all.swap(callers_);
  return all;
}

bool running_close::is_waiting(const std::shared_ptr<stack_caller>& caller) const noexcept
{
  const std::lock_guard<std::mutex> lock(all_->mutex_);
  return std::find(callers_.begin(), callers_.end(), caller) != callers_.end();
}

stack_callers running_close::take(const std::shared_ptr<stack_caller>& caller) noexcept
{
  stack_callers taken;
  const std::lock_guard<std::mutex> lock(all_->mutex_);
  const auto found = std::find(callers_.begin(), callers_.end(), caller);
  if (found != callers_.end())
    taken.splice(taken.end(), callers_, found);
  return taken;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_ADAPT_RUNNING_CLOSES_HPP
