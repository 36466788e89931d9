// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G10, G3: a child that is made after a close has no copy of the descriptor, however it is made: the peer sees the end
// of the stream while the child lives.
//
// Asio opens sockets without FD_CLOEXEC, so a child that executes a program has what is open when it is made.

#include <interlock/local/stream_protocol.hpp>

#include <array>
#include <deque>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/in_child.hpp"
#include "support/loop.hpp"
#include "support/wait_until.hpp"

using boost::asio::io_context;
using boost::system::error_code;
using local = interlock::local::stream_protocol;

namespace {

constexpr int rounds = 60;

/// Lives as long as the object: it reads its standard input to the end.
class living_child
{
public:
  /// `make` gets both ends of what is to be the standard input of the process that it returns.
  template <class Make>
  explicit living_child(Make make)
    : input_(support::pipe_ends()),
      process_(make(input_))
  {
  }

  living_child(const living_child&) = delete;
  living_child& operator=(const living_child&) = delete;

  ~living_child()
  {
    input_.far.reset();
    BOOST_TEST(support::was_well(process_));
  }

private:
  support::ends input_;
  const ::pid_t process_;
};

const std::array<const char*, 2> program = {"/bin/cat", nullptr};

char* const* arguments()
{
  return const_cast<char* const*>(program.data());
}

::pid_t spawn(const support::ends& input)
{
  ::posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input.near.get(), STDIN_FILENO);
  ::pid_t process = -1;
  BOOST_TEST(::posix_spawn(&process, program[0], &actions, nullptr, arguments(), environ) == 0);
  ::posix_spawn_file_actions_destroy(&actions);
  return process;
}

::pid_t fork_and_execute(const support::ends& input)
{
  return support::fork_to(
    [&input]
    {
      ::dup2(input.near.get(), STDIN_FILENO);
      ::execv(program[0], arguments());
      return false;
    });
}

/// The end of the stream comes to a child only if no other child has a copy of the writing end.
bool read_to_end(support::ends& input)
{
  input.far.reset();
  char c;
  while (::read(input.near.get(), &c, 1) > 0)
  {
  }
  return true;
}

struct fixture
{
  io_context context;
  std::unique_ptr<local::socket> object;
  support::fd peer;
  std::deque<living_child> children;

  void open()
  {
    support::ends pair = support::unix_ends();
    ::fcntl(pair.near.get(), F_SETFD, 0); // as Asio opens one
    peer = std::move(pair.far);
    object = std::make_unique<local::socket>(context, local(), pair.near.release());
  }

  void close_in_one_of_three_ways(int round)
  {
    if (round % 3 == 0)
      object->close();
    else if (round % 3 == 1)
      object.reset();
    else
      close_and_wait();
  }

  void close_and_wait()
  {
    bool closed = false;
    object->async_close([&closed](error_code ec) { closed = !ec; });
    BOOST_TEST(support::wait_until([&] { return support::turn(context), closed; }));
  }

  /// The close is the worker's then.
  void begin_to_close(int /*round*/)
  {
    object->async_close([](error_code) {});
    support::turn(context);
  }

  void tell(io_context::fork_event e)
  {
    context.notify_fork(e);
  }

  ::pid_t fork_and_tell(support::ends& input)
  {
    return support::fork_to([&] { return tell(io_context::fork_child), read_to_end(input); });
  }

  /// The youngest first: it has copies of what the older ones wait for.
  void end_children()
  {
    while (!children.empty())
      children.pop_back();
  }

  /// How many connections live on in children that `make_children` makes after their close.
  template <class Close, class Make>
  int count_kept(Close close, Make make_children)
  {
    int kept = 0;
    for (int round = 0; round != rounds; ++round)
    {
      open();
      close(round);
      make_children();
      kept += !support::wait_until([this] { return support::hung_up(peer); });
      end_children();
      support::turn(context);
    }
    return kept;
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_g10_later_children, fixture, *boost::unit_test::label("forks"))

// Otherwise the cases below would show nothing.
BOOST_AUTO_TEST_CASE(a_child_that_is_made_before_the_close_keeps_the_connection)
{
  for (const auto make : {&spawn, &fork_and_execute})
  {
    open();
    children.emplace_back(make);
    object->close();
    BOOST_TEST(!support::hung_up(peer));
    end_children();
    BOOST_TEST(support::hung_up(peer));
  }
}

BOOST_AUTO_TEST_CASE(a_spawned_child_keeps_nothing)
{
  const auto close = [this](int round) { close_in_one_of_three_ways(round); };
  BOOST_TEST(count_kept(close, [this] { children.emplace_back(&spawn); }) == 0);
}

BOOST_AUTO_TEST_CASE(a_child_that_executes_a_program_keeps_nothing)
{
  const auto close = [this](int round) { close_in_one_of_three_ways(round); };
  BOOST_TEST(count_kept(close, [this] { children.emplace_back(&fork_and_execute); }) == 0);
}

// Nor what is still the worker's at the preparation.
BOOST_AUTO_TEST_CASE(a_child_that_is_told_keeps_nothing)
{
  const auto make = [this]
  {
    tell(io_context::fork_prepare);
    children.emplace_back([this](support::ends& input) { return fork_and_tell(input); });
    tell(io_context::fork_parent);
  };
  BOOST_TEST(count_kept([this](int round) { close_in_one_of_three_ways(round); }, make) == 0);
  BOOST_TEST(count_kept([this](int round) { begin_to_close(round); }, make) == 0);
}

// As a server that forks its workers before it serves: all from one preparation.
BOOST_AUTO_TEST_CASE(children_of_one_preparation_keep_nothing)
{
  const auto make = [this]
  {
    tell(io_context::fork_prepare);
    for (int i = 0; i != 3; ++i)
      children.emplace_back([this](support::ends& input) { return fork_and_tell(input); });
    tell(io_context::fork_parent);
  };
  BOOST_TEST(count_kept([this](int round) { close_in_one_of_three_ways(round); }, make) == 0);
  BOOST_TEST(count_kept([this](int round) { begin_to_close(round); }, make) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
