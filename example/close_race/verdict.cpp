// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Wording and limits. A row is clean only if its scenario ran to the end at least once: counts that
// are all zero are no success.

#include "verdict.hpp"

#include "table.hpp"

#include <cstring>

namespace close_race {

namespace {

// A loop that is held up longer than this has stalled: a close that waits does so for the 3 s of the
// linger time. The scheduler of a starved machine held loops up for half a second.
constexpr std::uint64_t stall_limit_us = 1000000;

// The ends a scenario must not have, whatever it measures.
bool came_to_its_end(const tally& counts)
{
  return counts.closes != 0 && counts.crashes == 0 && counts.hung == 0 && counts.broken == 0;
}

std::string crashes(const tally& counts)
{
  std::string text = counted(counts.crashes, "crash", "crashes");
  if (counts.crashes != 0)
    text += std::string(" (") + ::strsignal(static_cast<int>(counts.last_signal)) + ")";
  return text;
}

// Nothing, where nothing of the kind happened; each a line of its own.
std::string hangs_and_failures(const tally& counts)
{
  std::string text;
  if (counts.hung != 0)
    text += "\n" + counted(counts.hung, "operation never ended", "operations never ended");
  if (counts.broken != 0)
    text += "\nscenario failed, see above";
  return text;
}

std::string bad_ends(const tally& counts)
{
  return (counts.crashes != 0 ? "\n" + crashes(counts) : "") + hangs_and_failures(counts);
}

verdict judge_blocked(const tally& counts, const char* verb)
{
  verdict result;
  result.text = grouped(counts.stray_bytes) + " bytes " + verb + "\nin "
    + grouped(counts.misdirected) + " of " + counted(counts.closes, "close", "closes");
  if (counts.aborted != 0)
    result.text += "\n" + grouped(counts.aborted) + " calls aborted by the close";
  result.text += bad_ends(counts);
  result.misdirected = counts.stray_bytes != 0;
  result.clean = came_to_its_end(counts) && counts.stray_bytes == 0 && counts.misdirected == 0
    && counts.aborted == counts.closes;
  return result;
}

} // namespace

verdict judge_blocked_write(const tally& counts, const tally*)
{
  return judge_blocked(counts, "written to the stranger");
}

verdict judge_blocked_read(const tally& counts, const tally*)
{
  return judge_blocked(counts, "taken from the stranger");
}

verdict judge_lifetime(const tally& counts, const tally*)
{
  const std::uint64_t started = counts.started;
  const std::uint64_t completed = counts.completed;
  verdict result;
  result.text = crashes(counts) + "\nin " + counted(started, "close", "closes") + "\n"
    + grouped(completed) + " of " + counted(started, "handler", "handlers") + " ran"
    + hangs_and_failures(counts);
  result.clean = came_to_its_end(counts) && completed == started;
  return result;
}

verdict judge_reopened(const tally& counts, const tally*)
{
  const std::uint64_t error = counts.reported_error;
  verdict result;
  result.text = grouped(counts.first_peer) + " + " + grouped(counts.second_peer)
    + " bytes\nreported: " + (error == 0 ? "success" : std::strerror(static_cast<int>(error)))
    + bad_ends(counts);
  result.clean = came_to_its_end(counts) && counts.second_peer == 0 && counts.completed == 1
    && error != 0;
  return result;
}

verdict judge_stall(const tally& counts, const tally*)
{
  verdict result;
  result.text = decimal(static_cast<double>(counts.longest_wait_us) / 1000.0, 1) + " ms"
    + bad_ends(counts);
  result.clean = came_to_its_end(counts) && counts.longest_wait_us != 0
    && counts.longest_wait_us <= stall_limit_us && counts.completed == 1;
  return result;
}

verdict judge_cost(const tally& counts, const tally* plain)
{
  const double cpu = static_cast<double>(counts.close_cpu_ns) / 1000.0;
  const double wall = static_cast<double>(counts.close_wall_ns) / 1000.0;
  verdict result;
  result.text = decimal(cpu, 2) + " us processor\n" + decimal(wall, 2) + " us wall clock";
  if (plain != nullptr && plain->close_cpu_ns != 0 && plain->close_wall_ns != 0)
    result.text += "\n" + decimal(cpu * 1000.0 / static_cast<double>(plain->close_cpu_ns), 2)
      + "x and " + decimal(wall * 1000.0 / static_cast<double>(plain->close_wall_ns), 2)
      + "x plain Asio";
  result.text += bad_ends(counts);
  result.clean = came_to_its_end(counts) && counts.close_cpu_ns != 0;
  return result;
}

} // namespace close_race
