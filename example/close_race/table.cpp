// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Wrapping, padding and numbers for people.

#include "table.hpp"

#include <algorithm>
#include <iomanip>
#include <ostream>
#include <sstream>
#include <utility>

namespace close_race {

namespace {

using lines = std::vector<std::string>;

void wrap_line(std::string line, std::size_t width, lines& result)
{
  while (line.size() > width)
  {
    const std::size_t space = line.rfind(' ', width);
    const bool at_space = space != std::string::npos && space != 0;
    const std::size_t end = at_space ? space : width;
    result.push_back(line.substr(0, end));
    line.erase(0, at_space ? end + 1 : end);
  }
  result.push_back(std::move(line));
}

lines wrapped(const std::string& text, std::size_t width)
{
  lines result;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    wrap_line(std::move(line), width, result);
  return result;
}

} // namespace

table::table(std::ostream& out, std::vector<std::size_t> widths)
  : out_(out),
    widths_(std::move(widths))
{
}

void table::row(const std::vector<std::string>& cells)
{
  std::vector<lines> columns;
  std::size_t height = 0;
  for (std::size_t i = 0; i != widths_.size(); ++i)
  {
    columns.push_back(wrapped(cells.at(i), widths_[i]));
    height = std::max(height, columns.back().size());
  }
  for (std::size_t line = 0; line != height; ++line)
  {
    std::string text;
    for (std::size_t i = 0; i != columns.size(); ++i)
    {
      text += i == 0 ? "" : " | ";
      const std::size_t start = text.size();
      text += line < columns[i].size() ? columns[i][line] : "";
      text.resize(start + widths_[i], ' ');
    }
    out_ << text.erase(text.find_last_not_of(' ') + 1) << '\n';
  }
  out_ << std::flush;
}

void table::rule()
{
  for (std::size_t i = 0; i != widths_.size(); ++i)
    out_ << (i == 0 ? "" : "-+-") << std::string(widths_[i], '-');
  out_ << std::endl;
}

std::string grouped(std::uint64_t value)
{
  std::string digits = std::to_string(value);
  for (std::size_t end = digits.size(); end > 3; end -= 3)
    digits.insert(end - 3, ",");
  return digits;
}

std::string decimal(double value, int digits)
{
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << value;
  return out.str();
}

std::string counted(std::uint64_t value, const char* one, const char* many)
{
  return grouped(value) + ' ' + (value == 1 ? one : many);
}

} // namespace close_race
