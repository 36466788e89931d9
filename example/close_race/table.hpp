// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The table on the terminal: columns of fixed width, cells of several lines, each row printed when
// it is there, because the rows take seconds each.

#ifndef INTERLOCK_EXAMPLE_CLOSE_RACE_TABLE_HPP
#define INTERLOCK_EXAMPLE_CLOSE_RACE_TABLE_HPP

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace close_race {

class table
{
public:
  table(std::ostream& out, std::vector<std::size_t> widths);

  // A row's cells, one for each column; "\n" starts a new line, longer lines are wrapped.
  void row(const std::vector<std::string>& cells);
  void rule();

private:
  std::ostream& out_;
  std::vector<std::size_t> widths_;
};

// "1,234,567"
std::string grouped(std::uint64_t value);

// "2.35", with so many digits behind the point.
std::string decimal(double value, int digits);

// "1 crash", "2 crashes"
std::string counted(std::uint64_t value, const char* one, const char* many);

} // namespace close_race

#endif // INTERLOCK_EXAMPLE_CLOSE_RACE_TABLE_HPP
