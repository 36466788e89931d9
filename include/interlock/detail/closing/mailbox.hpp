// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What other threads ask of the worker: any thread posts, without a lock, and the worker takes all.
//
// What is posted carries its own link, so posting allocates nothing. It is in the mailbox once: what is posted for
// it before the worker has opened it is added. The poster keeps the memory alive until then.

#ifndef INTERLOCK_DETAIL_CLOSING_MAILBOX_HPP
#define INTERLOCK_DETAIL_CLOSING_MAILBOX_HPP

#include <interlock/config.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// The base of what is posted.
class mail
{
public:
  using content = unsigned char; ///< A set of bits.

  mail(const mail&) = delete;
  mail& operator=(const mail&) = delete;

  /// Takes out what has been posted, zero if nothing has. For the worker, with what `take_all` has returned, and for
  /// a poster that was refused. From then on it can be posted again.
  content open() noexcept
  {
    return content_.exchange(0, std::memory_order_acq_rel);
  }

  content contents() const noexcept
  {
    return content_.load(std::memory_order_seq_cst);
  }

  /// The one that was posted after this; before `open`.
  mail* next() const noexcept
  {
    return next_;
  }

protected:
  mail() = default;
  ~mail() = default;

private:
  friend class mailbox;

  mail* next_ = nullptr; // the posting thread's, then the worker's
  sys::atomic<content> content_{0};
};

enum class posting : unsigned char
{
  first,  ///< It is in the mailbox now.
  added,  ///< Another poster has put it into the mailbox, or is about to.
  refused ///< The mailbox is closed: the poster opens it, and acts itself.
};

class mailbox
{
public:
  mailbox() = default;
  mailbox(const mailbox&) = delete;
  mailbox& operator=(const mailbox&) = delete;

  posting post(mail& m, mail::content what) noexcept
  {
    if (m.content_.fetch_or(what, std::memory_order_seq_cst) != 0)
      return posting::added;
    mail* last = last_.load(std::memory_order_relaxed);
    do
    {
      if (last == &closed_)
        return posting::refused;
      m.next_ = last;
    } while (
      !last_.compare_exchange_weak(last, &m, std::memory_order_seq_cst, std::memory_order_relaxed));
    return posting::first;
  }

  bool empty() const noexcept
  {
    return last_.load(std::memory_order_seq_cst) == nullptr;
  }

  /// The first that was posted; null if there is none.
  mail* take_all() noexcept
  {
    mail* last = last_.load(std::memory_order_seq_cst);
    while (last != nullptr && last != &closed_)
      if (last_.compare_exchange_weak(
            last, nullptr, std::memory_order_seq_cst, std::memory_order_seq_cst))
        return in_order(last);
    return nullptr;
  }

  /// The same, for the last time: what is posted from now on is refused.
  mail* close() noexcept
  {
    mail* const last = last_.exchange(&closed_, std::memory_order_seq_cst);
    return last == &closed_ ? nullptr : in_order(last);
  }

private:
  class no_mail final : public mail
  {
  };

  static mail* in_order(mail* last) noexcept
  {
    mail* first = nullptr;
    while (last)
    {
      mail* const before = last->next_;
      last->next_ = first;
      first = last;
      last = before;
    }
    return first;
  }

  sys::atomic<mail*> last_{nullptr};
  no_mail closed_; // only its address is used
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_MAILBOX_HPP
