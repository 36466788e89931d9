// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Moves between objects of different executor or protocol types, and from and to Asio's own objects.
//
// The Asio object is moved with the operations outstanding on it, and they count as operations of the
// new object until their handlers have returned. A retirement goes along. A close under way stays behind
// with its callers: the new object is as never opened then.

#ifndef INTERLOCK_DETAIL_CORE_CONVERSION_HPP
#define INTERLOCK_DETAIL_CORE_CONVERSION_HPP

#include <utility>

#include <boost/asio/socket_base.hpp>
#include <boost/core/no_exceptions_support.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/io_core.hpp>
#include <interlock/detail/core/throw_if.hpp>
#include <interlock/detail/descriptor/close_descriptor.hpp>
#include <interlock/detail/descriptor/linger_setting.hpp>
#include <interlock/error.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// From an object around `Inner` into one around `OtherInner`, both the calling thread's.
template <class OtherInner, class Inner>
class conversion
{
public:
  using error_code = boost::system::error_code;
  using from_tenure = tenure<OtherInner>;
  using to_tenure = tenure<Inner>;

  conversion(io_core<OtherInner>& from, io_core<Inner>& to) noexcept
    : from_(from),
      to_(to)
  {
  }

  /// Throws error::in_use while a close handle refers to the object, or a call or a lease uses the
  /// descriptor. After an error the object is as it was, or not open any more if its descriptor was taken.
  /// `complete(to, from, ec)`, with the tenures, is the last step before publication.
  template <class Complete>
  void run(Complete complete)
  {
    object_state<OtherInner>* const state = from_.state();
    if (!state)
      return;
    error_code ec;
    if (state->has_handle())
      ec = error::in_use;
    else if (state->is_retired())
      to_.make_state().retire();
    else if (state->is_open())
      take_descriptor(*state->current(), ec, complete);
    throw_if(ec, "move");
    from_.state_.exchange(nullptr)->leave_behind();
  }

private:
  // Gives the descriptor of a tenure to another one. The tenure is over once it has been given.
  class given_descriptor
  {
  public:
    explicit given_descriptor(from_tenure& from) noexcept
      : from_(from)
    {
    }

    given_descriptor(const given_descriptor&) = delete;
    given_descriptor& operator=(const given_descriptor&) = delete;

    ~given_descriptor()
    {
      if (given())
        from_.gave_out();
    }

    duty give_to(tenure_base& to) noexcept
    {
      const duty d = from_.give_out_to(to);
      given_ = d == duty::detach;
      return d;
    }

    bool given() const noexcept
    {
      return given_;
    }

  private:
    from_tenure& from_;
    bool given_ = false;
  };

  // No error if the context's shutdown has closed `from` before its descriptor could be taken.
  template <class Complete>
  void take_descriptor(from_tenure& from, error_code& ec, Complete& complete)
  {
    given_descriptor fd(from);
    to_.open(ec, descriptor_owner::object,
      [&](to_tenure& to, error_code& failed)
      {
        const duty d = fd.give_to(to);
        if (d != duty::detach)
        {
          failed = d == duty::busy ? make_error_code(error::in_use) : refusal(d);
          return;
        }
        convert(from, to);
        complete(to, from, failed);
      });
    if (!ec)
    {
      // Since the descriptor was given, no call has been inside `from`: what one has set is there.
      to_.current()->flags().set(from.flags().values());
      to_.current()->set_linger(from.linger());
    }
    else if (!fd.given() && from.current_phase() != phase::open)
      ec = error_code();
  }

  static void convert(from_tenure& from, to_tenure& to)
  {
    to.set_borrowed(from.is_borrowed());
    const bool is_prepared = from.is_prepared();
    convert_inner(from, to);
    if (is_prepared)
      to.come_prepared();
    if (from.marks().is_tainted())
      to.marks().taint();
    to.errors().inherit(from.errors());
  }

  // Where Asio has no memory for the conversion, the descriptor is closed: neither object has it.
  static void convert_inner(from_tenure& from, to_tenure& to)
  {
    auto inner = from.take_inner();
    BOOST_TRY
    {
      to.set_inner(Inner(std::move(inner)));
    }
    BOOST_CATCH(...)
    {
      const int fd = from_tenure::release_descriptor(inner);
      if (!from.is_borrowed())
        close_unused(fd);
      BOOST_RETHROW
    }
    BOOST_CATCH_END
  }

  io_core<OtherInner>& from_;
  io_core<Inner>& to_;
};

namespace functions {

/// The flags that the program has set on Asio's own object.
template <class Inner>
flag_values flags_of(const Inner& inner)
{
  flag_values flags;
  flags.non_blocking = inner.non_blocking();
  flags.native_non_blocking = inner.native_non_blocking();
  if constexpr (protocol_of<Inner>::is_socket)
  {
    boost::system::error_code ignored;
    boost::asio::socket_base::enable_connection_aborted aborted;
    inner.get_option(aborted, ignored);
    flags.connection_aborted = aborted.value();
  }
  return flags;
}

/// Sets them on Asio's own object. It is not made blocking: operations may be outstanding on it, and a thread of the
/// loop would block in them.
template <class Inner>
void set_flags(Inner& inner, const flag_values& flags)
{
  boost::system::error_code ignored;
  if (flags.non_blocking)
    inner.non_blocking(true, ignored);
  if constexpr (protocol_of<Inner>::is_socket)
    inner.set_option(
      boost::asio::socket_base::enable_connection_aborted(flags.connection_aborted), ignored);
}

/// Takes over what Asio's own object has open, with its flags. `core` is under construction.
template <class Core, class Complete>
void adopt_from_asio(
  Core& core, typename Core::inner_type&& other, boost::system::error_code& ec, Complete complete)
{
  const bool is_open = other.is_open();
  const flag_values flags = is_open ? functions::flags_of(other) : flag_values();
  core.adopt(std::move(other), ec, std::move(complete));
  if (is_open && !ec)
    core.current()->flags().set(flags);
}

/// Gives what `core` has open to Asio's own object, with the flags.
template <class Core>
typename Core::inner_type give_to_asio(Core& core)
{
  flag_values flags;
  typename Core::inner_type given = core.give_away(flags);
  functions::set_flags(given, flags);
  return given;
}

template <class OtherInner, class Inner, class Complete>
void convert(io_core<OtherInner>& from, io_core<Inner>& to, Complete complete)
{
  conversion<OtherInner, Inner>(from, to).run(std::move(complete));
}

} // namespace functions

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_CONVERSION_HPP
