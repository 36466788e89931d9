// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The target of libFuzzer. tools/fuzz builds and runs it.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "fuzz/program.hpp"
#include "fuzz/world.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  const std::string account = fuzz::world(fuzz::decode(data, size)).run();
  if (!account.empty())
  {
    std::fputs(account.c_str(), stderr);
    std::abort();
  }
  return 0;
}
