// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Which thread calls close(2): the one that detaches the descriptor, if the call cannot block, else one of the library.

#include "schedules/scene.hpp"

using namespace schedules;

namespace {

bool is_closed_by_library(int fd)
{
  return kernel::current().closer_of(fd) == scheduler::thread_of_library;
}

void require_closed_inline(int fd)
{
  require(!kernel::current().is_open(fd), "a descriptor whose close cannot block is still open");
  require(!is_closed_by_library(fd), "a thread of the library closes what cannot block");
}

void require_closed_by_library(int fd)
{
  await_close_of(fd);
  require(is_closed_by_library(fd), "a thread of the program closes what can block");
}

} // namespace

SCENARIO(close_with_no_thread_inside)
{
  scene s;
  s.o->close();
  require_closed_inline(s.fd);
}

SCENARIO(destructor_with_no_thread_inside)
{
  scene s;
  s.o.reset();
  require_closed_inline(s.fd);
}

SCENARIO(close_beside_a_thread_inside)
{
  scene s;
  thread inside("inside", [&t = *s.o->get_core().current()] { pass_through(t); });
  s.o->close();
  inside.join();
  require_closed_inline(s.fd);
}

SCENARIO(close_beside_two_leases)
{
  scene s;
  thread one("one", [&] { use_a_lease(*s.o); });
  thread two("two", [&] { use_a_lease(*s.o); });
  s.o->close();
  two.join();
  one.join();
  require_closed_inline(s.fd);
}

SCENARIO(close_beside_a_blocked_call)
{
  scene s;
  thread blocked("blocked", [&] { read_blocking(*s.o); });
  s.o->close();
  blocked.join();
  require_closed_inline(s.fd);
}

SCENARIO(close_that_may_block_is_the_librarys)
{
  scene s(may_block);
  thread other("other", [&] { s.o->close(); });
  require_closed_by_library(s.fd);
}

WIDE_SCENARIO(destructor_of_what_may_block)
{
  scene s(may_block);
  auto handle = s.o->get_core().share_state();
  thread other("handle", [&] { handle->state().close(); });
  s.o.reset();
  require_closed_by_library(s.fd);
}

SCENARIO(asynchronous_close_is_the_librarys)
{
  calls closed;
  scene s;
  thread closer("closer", [&] { s.o->async_close(closed); });
  s.ctx.run_until_called(closed);
  require_closed_by_library(s.fd);
}
