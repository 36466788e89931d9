// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Runs each file of a folder, or each that is named, as the fuzzer does.
//
//   replay [--print] FOLDER|FILE...
//   replay --exact FILE...            first writes each as a corpus has it
//
// A folder is a corpus: it holds nothing but exact programs. Exit status: 0, every program went as promised; 1, one did
// not, and is the last; 2, an input cannot be read, is not a program, or there is none.

#include <algorithm>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "fuzz/program.hpp"
#include "fuzz/world.hpp"

namespace {

namespace fs = std::filesystem;

using input = std::vector<std::uint8_t>;

input content_of(const fs::path& file)
{
  std::ifstream in(file, std::ios::binary);
  input bytes{std::istreambuf_iterator<char>(in), {}};
  if (bytes.empty())
    throw std::runtime_error(file.string() + " cannot be read, or is empty");
  return bytes;
}

/// All of them are read before the first runs.
std::map<fs::path, input> inputs_of(const fs::path& what)
{
  if (!fs::is_directory(what))
    return {{what, content_of(what)}};
  std::map<fs::path, input> inputs;
  for (const fs::directory_entry& each : fs::directory_iterator(what))
  {
    const input& bytes = inputs.emplace(each.path(), content_of(each.path())).first->second;
    if (fuzz::encode(fuzz::decode(bytes.data(), bytes.size())) != bytes)
      throw std::runtime_error(
        each.path().string() + " is not a program, or not exact: see --exact");
  }
  return inputs;
}

void make_exact(const fs::path& file)
{
  const input found = content_of(file);
  const input exact = fuzz::encode(fuzz::decode(found.data(), found.size()));
  std::ofstream out(file, std::ios::binary);
  out.exceptions(std::ios::failbit | std::ios::badbit);
  std::copy(exact.begin(), exact.end(), std::ostreambuf_iterator<char>(out));
  out.flush();
}

bool passes(const fs::path& file, const input& bytes, bool print)
{
  const fuzz::program p = fuzz::decode(bytes.data(), bytes.size());
  if (print)
  {
    std::cout << file.filename().string() << '\n';
    for (const fuzz::step& s : p.steps)
      std::cout << "  " << s << '\n';
  }
  const std::string account = fuzz::world(p).run();
  if (!account.empty())
    std::cout << file.string() << ":\n" << account;
  return account.empty();
}

int replay(const std::vector<std::string>& arguments)
{
  std::size_t programs = 0;
  bool print = false, exact = false;
  for (const std::string& argument : arguments)
  {
    print |= argument == "--print";
    exact |= argument == "--exact";
    if (argument == "--print" || argument == "--exact")
      continue;
    if (exact)
      make_exact(argument);
    for (const auto& [file, bytes] : inputs_of(argument))
    {
      ++programs;
      // What such a program leaves behind would be counted against the next.
      if (!passes(file, bytes, print))
        return 1;
    }
  }
  if (programs == 0)
    throw std::runtime_error("nothing to replay: name a folder or files");
  std::cout << programs << " programs, all as promised\n";
  return 0;
}

} // namespace

int main(int argc, char** argv)
{
  try
  {
    return replay(std::vector<std::string>(argv + 1, argv + argc));
  }
  catch (const std::exception& e)
  {
    std::cerr << "replay: " << e.what() << '\n';
    return 2;
  }
}
