// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A heap of nodes by their time, the earliest first, that needs no memory of its own.
//
// A pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986): insertion takes constant time, removal
// logarithmic time on average over all. A node is in at most one heap and must not be destroyed, nor
// its time be changed, while it is in one. Owns nothing; one thread at a time.

#ifndef INTERLOCK_DETAIL_CLOSING_DEADLINE_HEAP_HPP
#define INTERLOCK_DETAIL_CLOSING_DEADLINE_HEAP_HPP

#include <chrono>

#include <interlock/config.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class deadline_node
{
public:
  using time_point = sys::clock::time_point;

  deadline_node() = default;
  deadline_node(const deadline_node&) = delete;
  deadline_node& operator=(const deadline_node&) = delete;

  time_point due() const noexcept
  {
    return due_;
  }

protected:
  ~deadline_node() = default;

  /// The heap is gone, as in a forked child that of a thread which does not exist.
  void forget() noexcept
  {
    child_ = next_ = previous_ = nullptr;
  }

private:
  friend class deadline_heap;

  time_point due_;
  deadline_node* child_ = nullptr;    // the first of those that are due no earlier
  deadline_node* next_ = nullptr;     // sibling
  deadline_node* previous_ = nullptr; // sibling, or, of a first child, the parent; of the root null
};

class deadline_heap
{
public:
  using time_point = deadline_node::time_point;

  deadline_heap() = default;
  deadline_heap(const deadline_heap&) = delete;
  deadline_heap& operator=(const deadline_heap&) = delete;

  bool empty() const noexcept
  {
    return root_ == nullptr;
  }

  /// The earliest, null if there is none.
  deadline_node* front() const noexcept
  {
    return root_;
  }

  void insert(deadline_node& n, time_point due) noexcept
  {
    n.due_ = due;
    root_ = meld(root_, &n);
  }

  void remove(deadline_node& n) noexcept
  {
    deadline_node* const rest = meld_pairs(n.child_);
    n.child_ = nullptr;
    if (&n == root_)
      root_ = rest;
    else
    {
      unlink(n);
      root_ = meld(root_, rest);
    }
  }

  void update(deadline_node& n, time_point due) noexcept
  {
    if (n.due_ == due)
      return;
    remove(n);
    insert(n, due);
  }

private:
  // Of two roots the later becomes the first child of the other. Either may be null.
  static deadline_node* meld(deadline_node* a, deadline_node* b) noexcept
  {
    if (!a || !b)
      return a ? a : b;
    if (b->due_ < a->due_)
    {
      deadline_node* const earlier = b;
      b = a;
      a = earlier;
    }
    b->next_ = a->child_;
    if (b->next_)
      b->next_->previous_ = b;
    b->previous_ = a;
    a->child_ = b;
    return a;
  }

  // Two passes, which the bound of removal rests on: pairs from the left, then all pairs from the
  // right. Between the passes `next_` leads back.
  static deadline_node* meld_pairs(deadline_node* first) noexcept
  {
    deadline_node* pairs = nullptr;
    while (first)
    {
      deadline_node* const a = take(first);
      deadline_node* const b = first ? take(first) : nullptr;
      deadline_node* const pair = meld(a, b);
      pair->next_ = pairs;
      pairs = pair;
    }
    deadline_node* root = nullptr;
    while (pairs)
    {
      deadline_node* const pair = take(pairs);
      root = meld(root, pair);
    }
    return root;
  }

  // The first of a list, as a root of its own.
  static deadline_node* take(deadline_node*& list) noexcept
  {
    deadline_node* const n = list;
    list = n->next_;
    n->next_ = n->previous_ = nullptr;
    return n;
  }

  static void unlink(deadline_node& n) noexcept
  {
    deadline_node* const before = n.previous_;
    (before->child_ == &n ? before->child_ : before->next_) = n.next_;
    if (n.next_)
      n.next_->previous_ = before;
    n.next_ = n.previous_ = nullptr;
  }

  deadline_node* root_ = nullptr;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_DEADLINE_HEAP_HPP
