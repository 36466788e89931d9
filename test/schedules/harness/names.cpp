// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include "schedules/harness/names.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

#include <cxxabi.h>
#include <elf.h>
#include <execinfo.h>
#include <link.h>

// Where the linker has put the program.
extern "C" const char __executable_start;

namespace schedules {

namespace {

/// The functions of the running program, from its file: also those that are local to one object.
class symbol_table
{
public:
  symbol_table()
    : file_(read_program()),
      base_(header().e_type == ET_DYN ? reinterpret_cast<std::uintptr_t>(&__executable_start) : 0)
  {
    const auto* section = at<ElfW(Shdr)>(header().e_shoff);
    for (unsigned i = 0; i != header().e_shnum; ++i)
      if (section[i].sh_type == SHT_SYMTAB)
        add(section[i], section[section[i].sh_link]);
    std::sort(functions_.begin(), functions_.end(),
      [](const function& a, const function& b) { return a.begin < b.begin; });
  }

  /// Null if no function is there.
  const char* name_at(const void* pc) const
  {
    const auto address = reinterpret_cast<std::uintptr_t>(pc);
    auto after = std::upper_bound(functions_.begin(), functions_.end(), address,
      [](std::uintptr_t a, const function& f) { return a < f.begin; });
    if (after == functions_.begin() || address >= std::prev(after)->end)
      return nullptr;
    return std::prev(after)->name;
  }

private:
  struct function
  {
    std::uintptr_t begin;
    std::uintptr_t end;
    const char* name;
  };

  static std::vector<char> read_program()
  {
    std::ifstream in("/proc/self/exe", std::ios::binary);
    return std::vector<char>(std::istreambuf_iterator<char>(in), {});
  }

  template <class T>
  const T* at(std::size_t offset) const
  {
    return reinterpret_cast<const T*>(file_.data() + offset);
  }

  const ElfW(Ehdr) & header() const
  {
    return *at<ElfW(Ehdr)>(0);
  }

  void add(const ElfW(Shdr) & symbols, const ElfW(Shdr) & names)
  {
    const auto* s = at<ElfW(Sym)>(symbols.sh_offset);
    for (std::size_t i = 0; i != symbols.sh_size / sizeof(*s); ++i)
      if (ELF64_ST_TYPE(s[i].st_info) == STT_FUNC && s[i].st_size != 0)
        functions_.push_back({base_ + s[i].st_value, base_ + s[i].st_value + s[i].st_size,
          at<char>(names.sh_offset + s[i].st_name)});
  }

  const std::vector<char> file_;
  const std::uintptr_t base_;
  std::vector<function> functions_;
};

/// The index after the parenthesis that closes the one at `open`.
std::size_t after_parentheses(const std::string& text, std::size_t open)
{
  int depth = 0;
  for (std::size_t i = open; i != text.size(); ++i)
  {
    depth += text[i] == '(';
    depth -= text[i] == ')';
    if (depth == 0)
      return i + 1;
  }
  return text.size();
}

bool is_at(const std::string& text, std::size_t i, const std::string& what)
{
  return text.compare(i, what.size(), what) == 0;
}

bool ends_with(const std::string& text, const std::string& what)
{
  return text.size() >= what.size() && is_at(text, text.size() - what.size(), what);
}

/// The name without result, parameters and arguments of templates.
std::string qualified_name(const std::string& function)
{
  static const std::string anonymous = "(anonymous namespace)";
  std::string name;
  unsigned depth = 0; // of arguments of templates
  for (std::size_t i = 0; i != function.size(); ++i)
  {
    const char c = function[i];
    if (depth == 0 && is_at(function, i, anonymous))
    {
      name += "{anonymous}";
      i += anonymous.size() - 1;
    }
    else if (depth == 0 && is_at(function, i, "operator") && (i == 0 || function[i - 1] == ':'))
      return name.substr(name.rfind(' ') + 1) + "operator";
    else if (depth == 0 && c == '(' && ends_with(name, "decltype"))
      i = after_parentheses(function, i) - 1;
    else if (depth == 0 && c == '(')
      break;
    else if (c == '<')
      ++depth;
    else if (c == '>' && function[i - 1] != '-')
      --depth;
    else if (depth == 0)
      name += c;
  }
  return name.substr(name.rfind(' ') + 1);
}

} // namespace

std::string function_at(const void* pc)
{
  static const symbol_table symbols;
  const char* const name = symbols.name_at(pc);
  if (!name)
    return std::string();
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
    abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  return status == 0 ? text.get() : name;
}

origin origin_of(const std::string& function)
{
  const std::string name = qualified_name(function);
  if (is_at(name, 0, "interlock::abi_0::detail::sys::"))
    return origin::other;
  if (is_at(name, 0, "interlock::"))
    return origin::library;
  for (const char* others : {"std::", "__gnu_cxx::", "boost::"})
    if (is_at(name, 0, others))
      return origin::template_of_others;
  return origin::other;
}

std::string short_name(const std::string& function)
{
  std::string name = qualified_name(function);
  for (const std::string space : {"interlock::", "abi_0::", "detail::", "{anonymous}::"})
    for (auto at = name.find(space); at != std::string::npos; at = name.find(space))
      name.erase(at, space.size());
  return name;
}

std::string calling_function()
{
  void* frames[32];
  const int count = ::backtrace(frames, 32);
  for (int i = 0; i != count; ++i)
  {
    const std::string name = function_at(frames[i]);
    // The word is changed by functions of one line: their callers say more.
    if (origin_of(name) == origin::library && name.find("atomic_word::") == std::string::npos)
      return short_name(name);
  }
  return std::string();
}

} // namespace schedules
