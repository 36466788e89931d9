// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The control of any_thread.cpp: plain Asio under the same stress. It is not made for that, and the
// test passes only if it did not bear it: bytes went astray, it crashed or it hung. Otherwise the
// stress would be none, and what any_thread shows worth nothing.
//
//   any_thread_control SECONDS
//
// Each round is a child of its own. A sanitizer's report of one counts as a crash.

#include <chrono>
#include <cstdlib>

#include "stress/stress_mixed.hpp"
#include "stress/stress_runner.hpp"

namespace {

using namespace stress;
using family = plain_family;

void mixed_part(counts& c)
{
  mixed_round<family>(c).run(ending::drained);
}

} // namespace

int main(int argc, char** argv)
{
  const clock::duration time = time_to_run(argc, argv);
  if (time == clock::duration::zero())
    return 2;
  const shared_counts book;
  counts& c = book.get();
  const clock::time_point begin = clock::now();
  for (int i = 0; i < 2 || clock::now() < begin + time; ++i)
    run_in_child(c, std::chrono::seconds(3), true, mixed_part);
  c.print(family::name, seconds_since(begin));
  return c.misdirected + c.stolen + c.crashed + c.hung != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
