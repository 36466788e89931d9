// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A program that loads a shared object with Interlock inside, calls it, and unloads it at once, many times. Then there
// is no thread of it, and no function that is to be called at the end of a thread, at a fork or at the end of the
// process.
//
// usage: host -- PLUGIN

#include <cstddef>
#include <string>
#include <thread>

#include <dlfcn.h>
#include <link.h>

#include <boost/test/unit_test.hpp>

#include "support/census.hpp"
#include "support/in_child.hpp"

namespace {

constexpr int many = 1500;
constexpr int some = 300;

std::string path_of_plugin()
{
  const auto& suite = boost::unit_test::framework::master_test_suite();
  BOOST_TEST_REQUIRE(suite.argc == 2);
  return suite.argv[1];
}

class plugin
{
public:
  plugin()
    : handle_(::dlopen(path_of_plugin().c_str(), RTLD_NOW | RTLD_LOCAL))
  {
    BOOST_TEST_REQUIRE(handle_ != nullptr, ::dlerror());
  }

  plugin(const plugin&) = delete;
  plugin& operator=(const plugin&) = delete;

  ~plugin()
  {
    ::dlclose(handle_);
  }

  bool call(const char* name) const
  {
    const auto function = reinterpret_cast<bool (*)()>(::dlsym(handle_, name));
    return function != nullptr && function();
  }

private:
  void* const handle_;
};

/// How many shared objects the process has loaded.
int count_loaded()
{
  int n = 0;
  const auto count = [](::dl_phdr_info*, std::size_t, void* to)
  { return ++*static_cast<int*>(to), 0; };
  ::dl_iterate_phdr(count, &n);
  return n;
}

/// The plugin is loaded, called, and unloaded: whether all was well, and it is gone at once, with the library.
bool is_served_and_gone(const char* name)
{
  const int before = count_loaded();
  const bool is_well = plugin().call(name);
  return is_well && count_loaded() == before;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_plugin)

BOOST_AUTO_TEST_CASE(a_plugin_is_unloaded_right_after_its_context)
{
  const support::census fds;
  int gone = 0;
  for (int round = 0; round != many; ++round)
    gone += is_served_and_gone("serve");
  BOOST_TEST(gone == many);
  BOOST_TEST(fds.restored());
}

BOOST_AUTO_TEST_CASE(a_thread_that_was_in_the_plugin_ends_after_it)
{
  int gone = 0;
  for (int round = 0; round != some; ++round)
    std::thread([&gone] { gone += is_served_and_gone("serve"); }).join();
  BOOST_TEST(gone == some);
}

// With operations, and a close that waits for its peer.
BOOST_AUTO_TEST_CASE(a_context_that_is_static_ends_when_the_plugin_is_unloaded)
{
  const support::census fds;
  int gone = 0;
  for (int round = 0; round != some; ++round)
    gone += is_served_and_gone("stand");
  BOOST_TEST(gone == some);
  BOOST_TEST(fds.restored());
}

BOOST_AUTO_TEST_CASE(a_fork_after_the_plugin_calls_nothing_of_it)
{
  BOOST_TEST(is_served_and_gone("serve"));
  BOOST_TEST(support::in_child([] { return is_served_and_gone("serve"); }));
}

// Shown by the exit status of this program: static contexts end with it.
BOOST_AUTO_TEST_CASE(a_context_that_is_static_ends_with_the_process)
{
  static const plugin* const loaded = new plugin;
  BOOST_TEST(loaded->call("stand"));
}

BOOST_AUTO_TEST_SUITE_END()
