// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Runs each file of a folder, or each that is named, as the fuzzer does.
//
//   replay [--print] FOLDER|FILE...
//
// Exit status: 0, every program went as promised; 1, one did not, and is the last; 2, an input cannot be read, or there is none.

#include <algorithm>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "fuzz/program.hpp"
#include "fuzz/world.hpp"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_of(const fs::path& what)
{
  if (!fs::exists(what))
    throw std::runtime_error(what.string() + " does not exist");
  if (!fs::is_directory(what))
    return {what};
  std::vector<fs::path> files;
  for (const fs::directory_entry& each : fs::directory_iterator(what))
    files.push_back(each.path());
  if (files.empty())
    throw std::runtime_error(what.string() + " has no programs in it");
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::uint8_t> content_of(const fs::path& file)
{
  std::ifstream in(file, std::ios::binary);
  std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
  if (!in.is_open() || in.bad() || fs::is_directory(file))
    throw std::runtime_error(file.string() + " cannot be read");
  if (bytes.empty())
    throw std::runtime_error(file.string() + " is empty");
  return bytes;
}

bool passes(const fs::path& file, bool print)
{
  const std::vector<std::uint8_t> bytes = content_of(file);
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
  bool print = false;
  for (const std::string& argument : arguments)
  {
    if (argument == "--print")
    {
      print = true;
      continue;
    }
    for (const fs::path& file : files_of(argument))
    {
      ++programs;
      // What such a program leaves behind would be counted against the next.
      if (!passes(file, print))
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
