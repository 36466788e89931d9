// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The members that the two ends of a pipe share, and descriptors and serial ports lack.
//
// A pipe contains Asio's stream descriptor (see descriptor_members.hpp), so the descriptor moves between the two types
// of Asio by release and assign. That aborts the operations, which move along where sockets move.

#ifndef INTERLOCK_DETAIL_MEMBERS_PIPE_MEMBERS_HPP
#define INTERLOCK_DETAIL_MEMBERS_PIPE_MEMBERS_HPP

#include <utility>

#include <interlock/closable_executor.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/asio_features.hpp>
#include <interlock/detail/core/throw_if.hpp>
#include <interlock/detail/members/descriptor_members.hpp>
#include <interlock/detail/members/opened_descriptors.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// @cond
#if defined(INTERLOCK_HAS_PIPES)
namespace functions {

/// Takes over what Asio's own pipe has open. Without memory for the Asio object inside, `other` stays as it is.
template <class Core, class Pipe>
void adopt_pipe(Core& core, Pipe& other, error_code& ec)
{
  typename Core::inner_type inner(core.get_executor());
  unused_fd fd;
  fd.set(other.release(ec));
  if (fd.get() < 0)
    return;
  inner.assign(fd.get(), ec);
  if (ec)
    return;
  fd.taken();
  core.adopt(std::move(inner), ec, [](auto& t, error_code&) { t.marks().taint(); });
}

/// Returns Asio's own pipe, with what `core` has open. If Asio cannot take the descriptor, neither has it, and it is
/// closed unless another library owns it.
template <class Pipe, class Core>
Pipe give_pipe(Core& core)
{
  Pipe made(core.get_executor());
  const auto* t = core.current();
  const bool is_borrowed = t && t->is_borrowed();
  const int fd = functions::or_throw("move", [&](error_code& ec) { return core.release(ec); });
  unused_fd ours;
  if (!is_borrowed)
    ours.set(fd);
  functions::or_throw("move", [&](error_code& ec) { made.assign(fd, ec); });
  ours.taken();
  return made;
}

} // namespace functions
#endif
/// @endcond

namespace bases {

/// The members that readable and writable pipes share. @c Pipe is Asio's template of them.
template <template <class> class Pipe, class Executor>
class pipe_members : public descriptor_members<Executor>
{
private:
  using interlock_base = descriptor_members<Executor>;

protected:
  /// @cond
  using interlock_base::interlock_core_;

  pipe_members(pipe_members&&) noexcept = default;
  pipe_members& operator=(pipe_members&&) noexcept = default;
  ~pipe_members() = default;
  /// @endcond

public:
  /// Rebinds the pipe type to another executor.
  template <class Executor1>
  struct rebind_executor
  {
    /// The pipe type when rebound to the specified executor.
    using other = Pipe<closable_executor<Executor1>>;
  };

  using typename interlock_base::native_handle_type;

  /// A pipe is always the lowest layer.
  using lowest_layer_type = Pipe<closable_executor<Executor>>;

  using interlock_base::interlock_base;

#if defined(INTERLOCK_HAS_PIPES)
  /// Take over what Asio's own pipe has open. Its outstanding operations are aborted.
  explicit pipe_members(Pipe<Executor>&& other)
    : interlock_base(other.get_executor())
  {
    functions::or_throw(
      "move", [&](error_code& ec) { functions::adopt_pipe(interlock_core_, other, ec); });
  }

  /// Give what this pipe has open to Asio's own pipe. The outstanding operations are aborted.
  /**
   * @throws boost::system::system_error interlock::error::in_use while a call on it is under way or a
   * lease exists, boost::asio::error::bad_descriptor if it is closed.
   */
  Pipe<Executor> to_asio()
  {
    return functions::give_pipe<Pipe<Executor>>(interlock_core_);
  }
#endif

  /// Get a reference to the lowest layer.
  /**
   * @asio
   */
  lowest_layer_type& lowest_layer()
  {
    return static_cast<lowest_layer_type&>(*this);
  }

  /// Get a const reference to the lowest layer.
  const lowest_layer_type& lowest_layer() const
  {
    return static_cast<const lowest_layer_type&>(*this);
  }

  /// Release ownership of the native descriptor, and cancel the outstanding operations.
  /**
   * @returns The descriptor, or -1 if none is open.
   * @throws boost::system::system_error interlock::error::in_use while a call on it is under way or a
   * lease exists.
   *
   * @par Error Codes
   * @li interlock::error::in_use: a call on the object is under way, or a lease exists.
   */
  native_handle_type release()
  {
    return functions::or_throw("release", [&](error_code& ec) { return release(ec); });
  }

  /// Release ownership of the native descriptor, and cancel the outstanding operations.
  /** @returns The descriptor, or -1 if none is open, which is no error, as with Asio's pipes. */
  native_handle_type release(error_code& ec)
  {
    return functions::release_if_open(interlock_core_, ec);
  }
};

} // namespace bases
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_PIPE_MEMBERS_HPP
