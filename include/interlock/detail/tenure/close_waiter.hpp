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
class closer_base
{
public:
  closer_base(const closer_base&) = delete;
  closer_base& operator=(const closer_base&) = delete;

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

  /// Offers the number, which nobody else uses any more, before `complete`. `owned`: whoever has it
  /// closes it. False: the closer does not want it.
  virtual bool take(int /*number*/, bool /*owned*/) noexcept
  {
    return false;
  }

protected:
  closer_base() = default;
  ~closer_base() = default;

private:
  friend class closer_list;

  closer_base* next_ = nullptr;
};

struct closer_destroyer
{
  void operator()(closer_base* c) const noexcept
  {
    c->destroy();
  }
};

using closer_pointer = std::unique_ptr<closer_base, closer_destroyer>;

/// Closers in the order in which they came. Destroys those that are left.
class closer_list
{
public:
  closer_list() = default;

  closer_list(closer_list&& other) noexcept
    : first_(std::exchange(other.first_, nullptr)),
      last_(std::exchange(other.last_, nullptr))
  {
  }

  closer_list& operator=(closer_list&&) = delete;

  ~closer_list()
  {
    while (closer_base* c = pop())
      c->destroy();
  }

  bool empty() const noexcept
  {
    return first_ == nullptr;
  }

  void push(closer_base& c) noexcept
  {
    (last_ ? last_->next_ : first_) = &c;
    last_ = &c;
  }

  /// The first of them, taken out; null when there is none.
  closer_pointer pop_front() noexcept
  {
    return closer_pointer(pop());
  }

  /// Takes out the one with this link. Null: it is not among them.
  closer_pointer remove(const void* link) noexcept
  {
    closer_base* before = nullptr;
    for (closer_base* c = first_; c; before = c, c = c->next_)
    {
      if (c->link() != link)
        continue;
      (before ? before->next_ : first_) = c->next_;
      if (last_ == c)
        last_ = before;
      c->next_ = nullptr;
      return closer_pointer(c);
    }
    return nullptr;
  }

  /// Whether one of them takes the number.
  bool offer(int number, bool owned) noexcept
  {
    for (closer_base* c = first_; c; c = c->next_)
      if (c->take(number, owned))
        return true;
    return false;
  }

  /// Completes every one, in order. What one of them throws does not keep the others from being
  /// served; the first exception is rethrown.
  void complete_all(const close_verdict& v)
  {
    // The only one may run here: whatever it does, nothing is left undone.
    const hand_over how = first_ == last_ ? hand_over::dispatch : hand_over::post;
    std::exception_ptr thrown;
    while (closer_base* c = pop())
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
  closer_base* pop() noexcept
  {
    closer_base* c = first_;
    if (c)
      first_ = std::exchange(c->next_, nullptr);
    if (!first_)
      last_ = nullptr;
    return c;
  }

  closer_base* first_ = nullptr;
  closer_base* last_ = nullptr;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_CLOSE_WAITER_HPP
