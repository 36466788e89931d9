// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A regular file, which epoll cannot watch: whatever Asio's own types answer, step by step, is what
// Interlock's answer, as a descriptor and, by mistake, as a socket.

#include "support/prelude.hpp"

#include <cstdio>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/socket_base.hpp>

#include "support/system_errors.hpp"

using namespace support;

namespace {

using steps = std::vector<std::string>;

template <class Descriptor>
std::string step_async(asio::io_context& context, Descriptor& object, int which)
{
  char data[4] = {};
  int called = 0;
  std::string result;
  const auto keep = [&](error_code ec, std::size_t n = 0)
  {
    ++called;
    result = comparable(ec).message() + ", " + std::to_string(n);
  };
  if (which == 0)
    object.async_read_some(asio::buffer(data), keep);
  else if (which == 1)
    object.async_write_some(asio::buffer("abc", 3), keep);
  else
    object.async_wait(which == 2 ? object.wait_read : object.wait_write, keep);
  context.restart();
  context.run();
  return std::to_string(called) + ": " + result;
}

template <class Descriptor>
std::string step_read(Descriptor& object, error_code& ec)
{
  char data[4] = {};
  const std::size_t n = object.read_some(asio::buffer(data), ec);
  return std::to_string(n) + ", " + comparable(ec).message();
}

/// What `use(context, object, seen)` adds to the steps of an object with a file that `assign` gives to it.
template <class Object, class Assign, class Use>
steps with_a_regular_file(Assign assign, Use use)
{
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  BOOST_TEST_REQUIRE(file.get());
  asio::io_context context;
  Object object(context);
  error_code ec;
  assign(object, checked(::dup(::fileno(file.get())), "dup"), ec);
  steps seen = {comparable(ec).message(), object.is_open() ? "open" : "closed"};
  use(context, object, seen);
  object.close(ec);
  seen.push_back(comparable(ec).message());
  return seen;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_bad_input_file, no_trace)

BOOST_AUTO_TEST_CASE(a_regular_file_is_assigned_and_used_as_asio_does)
{
  const auto assign = [](auto& object, int file, error_code& ec) { object.assign(file, ec); };
  const auto use = [](asio::io_context& context, auto& object, steps& seen)
  {
    for (const int which : {1, 0, 2, 3})
      seen.push_back(step_async(context, object, which));
    ::lseek(object.native_handle(), 0, SEEK_SET);
    error_code ec;
    seen.push_back(step_read(object, ec));
    seen.push_back(step_read(object, ec));
    object.wait(object.wait_read, ec);
    seen.push_back(comparable(ec).message());
  };
  const steps plain = with_a_regular_file<asio::posix::stream_descriptor>(assign, use);
  const steps ours = with_a_regular_file<stream_descriptor>(assign, use);
  BOOST_TEST(ours == plain, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_regular_file_as_a_socket_fails_as_asio_does)
{
  const auto assign = [](auto& object, int file, error_code& ec)
  { object.assign(asio::ip::tcp::v4(), file, ec); };
  const auto use = [](asio::io_context& context, auto& object, steps& seen)
  {
    error_code ec;
    object.send(asio::buffer("abc", 3), 0, ec);
    seen.push_back(comparable(ec).message());
    object.set_option(asio::socket_base::keep_alive(true), ec);
    seen.push_back(comparable(ec).message());
    seen.push_back(step_async(context, object, 0));
  };
  const steps plain = with_a_regular_file<asio::ip::tcp::socket>(assign, use);
  const steps ours = with_a_regular_file<tcp::socket>(assign, use);
  BOOST_TEST(ours == plain, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
