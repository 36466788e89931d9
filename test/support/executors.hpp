// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// An executor that can be told from every other: while a function submitted to it runs, and until
// that is destroyed, the thread bears its label. Its properties are those of the executor inside.

#ifndef INTERLOCK_TEST_SUPPORT_EXECUTORS_HPP
#define INTERLOCK_TEST_SUPPORT_EXECUTORS_HPP

#include <type_traits>
#include <utility>

#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>

namespace support {

class label_scope
{
public:
  explicit label_scope(int label) noexcept
    : label_(label),
      outer_(innermost_)
  {
    innermost_ = this;
  }

  label_scope(const label_scope&) = delete;
  label_scope& operator=(const label_scope&) = delete;

  ~label_scope()
  {
    innermost_ = outer_;
  }

  /// The label of the innermost function that runs on the thread, or 0.
  static int current() noexcept
  {
    return innermost_ ? innermost_->label_ : 0;
  }

private:
  static inline thread_local const label_scope* innermost_ = nullptr;

  int label_;
  const label_scope* outer_;
};

template <class Inner>
class labelled_executor
{
public:
  labelled_executor(Inner inner, int label) noexcept
    : inner_(std::move(inner)),
      label_(label)
  {
  }

  template <class Function>
  void execute(Function&& f) const
  {
    inner_.execute(
      [label = label_, function = std::decay_t<Function>(std::forward<Function>(f))]() mutable
      {
        const label_scope labelled(label);
        auto own(std::move(function));
        std::move(own)();
      });
  }

  template <class Property>
  auto query(const Property& p) const noexcept
    -> decltype(boost::asio::query(std::declval<const Inner&>(), p))
  {
    return boost::asio::query(inner_, p);
  }

  template <class Property>
  auto require(const Property& p) const -> labelled_executor<
    std::decay_t<decltype(boost::asio::require(std::declval<const Inner&>(), p))>>
  {
    return {boost::asio::require(inner_, p), label_};
  }

  template <class Property>
  auto prefer(const Property& p) const -> labelled_executor<
    std::decay_t<decltype(boost::asio::prefer(std::declval<const Inner&>(), p))>>
  {
    return {boost::asio::prefer(inner_, p), label_};
  }

  friend bool operator==(const labelled_executor& a, const labelled_executor& b) noexcept
  {
    return a.inner_ == b.inner_ && a.label_ == b.label_;
  }

  friend bool operator!=(const labelled_executor& a, const labelled_executor& b) noexcept
  {
    return !(a == b);
  }

private:
  Inner inner_;
  int label_;
};

/// `ex` with a label, which is not 0.
template <class Executor>
labelled_executor<Executor> labelled(const Executor& ex, int label)
{
  return {ex, label};
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_EXECUTORS_HPP
