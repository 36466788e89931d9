// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The callers of async_close that one close will serve, as the tenure sees them: a list of nodes
// that own their handlers.

#ifndef INTERLOCK_DETAIL_TENURE_CLOSE_WAITER_HPP
#define INTERLOCK_DETAIL_TENURE_CLOSE_WAITER_HPP

#include <exception>
#include <memory>
#include <utility>

#include <boost/system/error_code.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/descriptor/intrusive_list.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

/// How a completion may reach the handler's executor.
enum class hand_over
{
  post,    ///< Never from inside the call.
  dispatch ///< At once, where the executor allows it.
};

class tenure_base;

/// What became of a close.
struct close_verdict
{
  boost::system::error_code ec; ///< That of close(2), or why there was none.
  close_report report{};
  bool lingered = false; ///< SO_LINGER has made it wait.
};

/// One caller of async_close. Completed or destroyed, it is gone.
class close_waiter : private list_node
{
public:
  close_waiter(const close_waiter&) = delete;
  close_waiter& operator=(const close_waiter&) = delete;

  /// Calls the handler on its executor, with as much of the verdict as it wants to know. May throw what
  /// the executor, or with dispatch the handler, throws.
  virtual void complete(const close_verdict& v, hand_over how) = 0;

  /// Destroys the handler uninvoked.
  virtual void destroy() noexcept = 0;

  /// How it wants the close. Null: it has not said.
  virtual const close_mode* mode() const noexcept
  {
    return nullptr;
  }

  /// That is not possible, for this reason, an errno: the object is closed at once instead.
  virtual void refuse_mode(int /*why*/) noexcept {}

  /// It will be served by `t`, which it leads to the end or joins on the way. The caller is inside.
  virtual void bind(tenure_base& /*t*/, bool /*leads*/) noexcept {}

  /// What its caller may cancel it with: names it, as long as that is there. Null: nothing.
  virtual const void* link() const noexcept
  {
    return nullptr;
  }

  /// Offers the descriptor, which nobody else uses any more, before `complete`. `owned`: whoever has it
  /// closes it. False: the closer does not want it.
  virtual bool take(int /*descriptor*/, bool /*owned*/) noexcept
  {
    return false;
  }

protected:
  close_waiter() = default;
  ~close_waiter() = default;

private:
  friend class intrusive_list<close_waiter>;
};

struct close_waiter_deleter
{
  void operator()(close_waiter* c) const noexcept
  {
    c->destroy();
  }
};

using close_waiter_pointer = std::unique_ptr<close_waiter, close_waiter_deleter>;

/// Closers in the order in which they came. Destroys those that are left.
class close_waiter_list
{
public:
  close_waiter_list() = default;
  close_waiter_list(close_waiter_list&&) noexcept = default;
  close_waiter_list& operator=(close_waiter_list&&) = delete;

  ~close_waiter_list()
  {
    while (close_waiter* c = close_waiters_.pop_front())
      c->destroy();
  }

  bool empty() const noexcept
  {
    return close_waiters_.empty();
  }

  void push(close_waiter& c) noexcept
  {
    close_waiters_.push_back(c);
  }

  /// The first of them, taken out; null when there is none.
  close_waiter_pointer pop_front() noexcept
  {
    return close_waiter_pointer(close_waiters_.pop_front());
  }

  /// Takes out the one with this link. Null: it is not among them.
  close_waiter_pointer remove(const void* link) noexcept
  {
    close_waiter* const c = close_waiters_.find(
      [link](close_waiter& each) { return each.link() == link; });
    if (c)
      close_waiters_.remove(*c);
    return close_waiter_pointer(c);
  }

  /// Whether one of them takes the descriptor.
  bool offer(int fd, bool owned) noexcept
  {
    return close_waiters_.find([=](close_waiter& each) { return each.take(fd, owned); }) != nullptr;
  }

  /// Completes every one, in order. What one of them throws does not keep the others from being
  /// served; the first exception is rethrown.
  void complete_all(const close_verdict& v)
  {
    // The only one may run here: whatever it does, nothing is left undone.
    close_waiter* const first = close_waiters_.front();
    const hand_over how = first && !close_waiters_.after(*first) ? hand_over::dispatch
                                                                 : hand_over::post;
    std::exception_ptr thrown;
    while (close_waiter* c = close_waiters_.pop_front())
    {
      try
      {
        c->complete(v, how);
      }
      catch (...)
      {
        if (!thrown)
          thrown = std::current_exception();
      }
    }
    if (thrown)
      std::rethrow_exception(thrown);
  }

private:
  intrusive_list<close_waiter> close_waiters_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_CLOSE_WAITER_HPP
