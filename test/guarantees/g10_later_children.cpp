// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G10, G3: a child that is made after a close has no copy of the descriptor, however it is made: the peer sees the end
// of the stream while the child lives.
//
// Asio opens sockets without FD_CLOEXEC, so a child that executes a program has what is open when it is made.

#include "support/prelude.hpp"

#include <array>
#include <deque>

#include <spawn.h>

#include "support/closers.hpp"
#include "support/in_child.hpp"

using namespace support;
using boost::asio::io_context;

namespace {

constexpr int rounds = 6;

/// Lives as long as the object: it reads its standard input to the end.
class living_child
{
public:
  /// `make` gets both ends of what is to be the standard input of the process that it returns.
  template <class Make>
  explicit living_child(Make make)
    : input_(pipe_ends()),
      process_(make(input_))
  {
  }

  living_child(const living_child&) = delete;
  living_child& operator=(const living_child&) = delete;

  ~living_child()
  {
    input_.far.reset();
    BOOST_TEST(was_well(process_));
  }

private:
  ends input_;
  const ::pid_t process_;
};

const std::array<const char*, 2> program = {"/bin/cat", nullptr};

char* const* arguments()
{
  return const_cast<char* const*>(program.data());
}

::pid_t spawn(const ends& input)
{
  ::posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input.near.get(), STDIN_FILENO);
  ::pid_t process = -1;
  BOOST_TEST(::posix_spawn(&process, program[0], &actions, nullptr, arguments(), environ) == 0);
  ::posix_spawn_file_actions_destroy(&actions);
  return process;
}

::pid_t fork_and_execute(const ends& input)
{
  return fork_to(
    [&input]
    {
      ::dup2(input.near.get(), STDIN_FILENO);
      ::execv(program[0], arguments());
      return false;
    });
}

/// The end of the stream comes to a child only if no other child has a copy of the writing end.
bool read_to_end(ends& input)
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
  fd peer;
  std::deque<living_child> children;

  void open()
  {
    ends pair = unix_ends();
    ::fcntl(pair.near.get(), F_SETFD, 0); // as Asio opens one
    peer = std::move(pair.far);
    object = std::make_unique<local::socket>(context, local(), pair.near.release());
  }

  /// Asynchronous ways until the end.
  template <class Way>
  void close()
  {
    bool is_closed = !Way::is_asynchronous;
    Way::close(*object, [&is_closed](error_code ec) { is_closed = !ec; });
    BOOST_TEST(run_until(context, [&] { return is_closed; }));
  }

  void tell(io_context::fork_event e)
  {
    context.notify_fork(e);
  }

  void fork_and_tell(int count)
  {
    tell(io_context::fork_prepare);
    const auto child = [this](ends& input)
    { return fork_to([&] { return tell(io_context::fork_child), read_to_end(input); }); };
    for (int i = 0; i != count; ++i)
      children.emplace_back(child);
    tell(io_context::fork_parent);
  }

  /// The youngest first: it has copies of what the older ones wait for.
  void end_children()
  {
    while (!children.empty())
      children.pop_back();
  }

  /// No connection lives on in children that `make_children` makes after its close.
  template <class Close, class Make>
  void check_nothing_kept(Close close_it, Make make_children)
  {
    for (int round = 0; round != rounds; ++round)
    {
      open();
      close_it();
      make_children();
      BOOST_TEST(wait_until([this] { return hung_up(peer); }));
      end_children();
      turn(context);
    }
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
    BOOST_TEST(!hung_up(peer));
    end_children();
    BOOST_TEST(hung_up(peer));
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_later_child_keeps_nothing, Way, every_way)
{
  const auto close_it = [this] { this->template close<Way>(); };
  check_nothing_kept(close_it, [this] { children.emplace_back(&spawn); });
  check_nothing_kept(close_it, [this] { children.emplace_back(&fork_and_execute); });
  check_nothing_kept(close_it, [this] { fork_and_tell(1); });
  // As a server that forks its workers before it serves: all from one preparation.
  check_nothing_kept(close_it, [this] { fork_and_tell(3); });
}

BOOST_AUTO_TEST_CASE(a_child_that_is_told_keeps_nothing_of_what_was_the_workers_at_the_preparation)
{
  const auto begin_to_close = [this]
  {
    object->async_close([](error_code) {});
    turn(context);
  };
  for (const int count : {1, 3})
    check_nothing_kept(begin_to_close, [&] { fork_and_tell(count); });
}

BOOST_AUTO_TEST_SUITE_END()
