// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A list of objects that carry their own links: to join it allocates nothing and cannot fail.
//
// A ring of nodes, so that an object can leave without knowing its list. An object is in one list at
// most, for each list_node that it has. The list owns nothing: the owner of an object takes it out before
// the object ends.

#ifndef INTERLOCK_DETAIL_DESCRIPTOR_INTRUSIVE_LIST_HPP
#define INTERLOCK_DETAIL_DESCRIPTOR_INTRUSIVE_LIST_HPP

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// A place in a list: the base of what is listed, and the head of the list itself.
class list_node
{
public:
  list_node() = default;
  list_node(const list_node&) = delete;
  list_node& operator=(const list_node&) = delete;

  bool is_listed() const noexcept
  {
    return next_ != this;
  }

  /// Leaves the list, if it is in one.
  void unlist() noexcept
  {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    forget();
  }

  /// In no list any more, without touching the one that it was in, whose memory may be gone.
  void forget() noexcept
  {
    next_ = previous_ = this;
  }

private:
  template <class, class>
  friend class intrusive_list;

  // This node, which is in no list, becomes the one before `n`.
  void insert_before(list_node& n) noexcept
  {
    next_ = &n;
    previous_ = n.previous_;
    n.previous_->next_ = this;
    n.previous_ = this;
  }

  list_node* next_ = this;
  list_node* previous_ = this;
};

/// `T` has the Node for a base, and makes the list a friend if the base is private. Another Node, derived from
/// list_node, is for objects that can be in two lists at once.
template <class T, class Node = list_node>
class intrusive_list
{
public:
  intrusive_list() = default;

  intrusive_list(intrusive_list&& other) noexcept
  {
    if (other.empty())
      return;
    head_.insert_before(*other.head_.next_);
    other.head_.unlist();
  }

  intrusive_list& operator=(intrusive_list&&) = delete;

  bool empty() const noexcept
  {
    return !head_.is_listed();
  }

  /// Null when the list is empty.
  T* front() const noexcept
  {
    return object_at(head_.next_);
  }

  /// The one after `t` in this list. Null when it is the last.
  T* after(T& t) const noexcept
  {
    return object_at(node_of(t).next_);
  }

  /// `t` is in no list.
  void push_back(T& t) noexcept
  {
    node_of(t).insert_before(head_);
  }

  /// `t` is in no list.
  void push_front(T& t) noexcept
  {
    node_of(t).insert_before(*head_.next_);
  }

  /// `t` is in this list, or in none.
  void remove(T& t) noexcept
  {
    node_of(t).unlist();
  }

  /// The first, taken out. Null when the list is empty.
  T* pop_front() noexcept
  {
    T* const first = front();
    if (first)
      remove(*first);
    return first;
  }

  /// `act` leaves the list as it is.
  template <class Action>
  void for_each(Action act) const
  {
    for (T* t = front(); t; t = after(*t))
      act(*t);
  }

  /// The first for which `is` holds. Null when there is none.
  template <class Predicate>
  T* find(Predicate is) const
  {
    T* t = front();
    while (t && !is(*t))
      t = after(*t);
    return t;
  }

  /// Becomes empty without touching what is in it, whose memory may be gone.
  void forget_all() noexcept
  {
    head_.forget();
  }

private:
  static list_node& node_of(T& t) noexcept
  {
    return static_cast<Node&>(t);
  }

  T* object_at(list_node* n) const noexcept
  {
    return n == &head_ ? nullptr : static_cast<T*>(static_cast<Node*>(n));
  }

  list_node head_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_DESCRIPTOR_INTRUSIVE_LIST_HPP
