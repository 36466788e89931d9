// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Moves between objects of two types. What is outstanding goes along, and a close of the new object waits for it.

#include <boost/system/system_error.hpp>

#include <interlock/detail/core/conversion.hpp>

#include "schedules/scene.hpp"

using namespace schedules;

namespace {

/// One object, and one of another type that it can be moved into.
struct two_types : scene
{
  basic_object<other_socket> to{ctx};

  /// Returns why what is open stays where it is.
  error_code convert()
  {
    try
    {
      interlock::detail::functions::convert(o->get_core(), to.get_core(),
        [](auto& t, auto& from, error_code&) { t.set_protocol(from.protocol()); });
      return error_code();
    }
    catch (const boost::system::system_error& e)
    {
      return e.code();
    }
  }

  /// The same beside a use of the descriptor, for which it may be refused.
  void convert_whole()
  {
    const error_code ec = convert();
    require(!ec || ec == interlock::error::in_use, "a conversion is refused for another reason");
    require(o->get_core().is_open() == ec.failed() && to.get_core().is_open() != ec.failed(),
      "a descriptor is in both objects, or in none");
  }
};

} // namespace

SCENARIO(conversion_beside_a_thread_inside)
{
  two_types s;
  auto& t = *s.o->get_core().current();
  t.keep_memory();
  {
    thread inside("inside", [&] { pass_through(t); });
    s.convert_whole();
  }
  t.drop_memory();
}

SCENARIO(conversion_beside_the_end_of_a_lease)
{
  two_types s;
  auto lease = std::make_unique<interlock::fd_lease>(s.o->get_core().lease());
  thread user("user",
    [&]
    {
      kernel::current().touch(lease->get(), "use of a lease");
      lease.reset();
    });
  s.convert_whole();
}

SCENARIO(conversion_beside_a_handle)
{
  two_types s;
  auto handle = s.o->get_core().share_state();
  thread other("handle", [&] { handle->state().close(); });
  require(s.convert() == interlock::error::in_use, "an object is converted under a handle");
}

SCENARIO(conversion_beside_a_cancellation)
{
  calls read;
  boost::asio::cancellation_signal signal;
  two_types s;
  s.o->async_read(cancellable(read, signal.slot()));
  thread canceller("canceller", [&] { signal.emit(boost::asio::cancellation_type::terminal); });
  s.convert_whole();
  canceller.join();
  s.o->close();
  s.to.close();
  s.ctx.run_until_called(read);
}

SCENARIO(conversion_beside_shutdown)
{
  two_types s;
  thread mover("mover", [&] { s.convert(); });
  s.ctx.stop_services();
  mover.join();
  require(!s.o->get_core().is_open() && !s.to.get_core().is_open(),
    "an object is open although its context has been shut down");
}

WIDE_SCENARIO(close_of_a_converted_object_beside_a_handler)
{
  calls read;
  calls closed;
  context other;
  two_types s;
  s.o->async_read(elsewhere(read, other.get_executor()));
  s.convert_whole();
  thread runner("runner", [&] { other.run_until_called(read); });
  s.to.async_close(last(closed, read));
  s.ctx.run_until_called(closed);
}

// What the library was not told goes along as well.
WIDE_SCENARIO(conversion_of_what_lingers)
{
  two_types s;
  let_linger(*s.o);
  s.convert_whole();
  thread user("user", [&] { let_linger(s.to); });
  s.to.close();
}
