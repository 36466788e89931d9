// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The errors of Interlock itself: their category, texts and conversions.

#include <interlock/error.hpp>

#include <string>
#include <system_error>

#include <boost/system/error_code.hpp>
#include <boost/test/unit_test.hpp>

namespace error = interlock::error;

using boost::system::error_code;

BOOST_AUTO_TEST_SUITE(test_error)

BOOST_AUTO_TEST_CASE(an_errc_converts_to_an_error_code_of_the_category)
{
  static_assert(boost::system::is_error_code_enum<error::errc>::value, "converts implicitly");
  const error_code ec = error::in_use;
  BOOST_TEST(ec.failed());
  BOOST_TEST(ec.value() == static_cast<int>(error::in_use));
  BOOST_TEST((ec.category() == error::get_category()));
  BOOST_TEST((ec == error::in_use));
  BOOST_TEST(ec == make_error_code(error::in_use));
}

BOOST_AUTO_TEST_CASE(the_category_is_named_after_the_library)
{
  BOOST_TEST(error::get_category().name() == std::string("interlock"));
}

BOOST_AUTO_TEST_CASE(the_text_of_an_error_says_what_is_wrong)
{
  const error_code ec = error::in_use;
  BOOST_TEST(ec.message() == "The descriptor is in use");
  BOOST_TEST(error_code(error::retired).message() == "The object has been retired");
}

BOOST_AUTO_TEST_CASE(a_value_that_is_none_of_ours_still_has_a_text)
{
  for (int value : {-1, 0, 3, 9999})
    BOOST_TEST(error::get_category().message(value) == "Unknown error of interlock");
}

BOOST_AUTO_TEST_CASE(the_category_is_one_and_differs_from_the_others)
{
  BOOST_TEST(&error::get_category() == &error::get_category());
  BOOST_TEST((error::get_category() != boost::system::system_category()));
  BOOST_TEST((error::get_category() != boost::system::generic_category()));
  const error_code same_value(static_cast<int>(error::in_use), boost::system::system_category());
  BOOST_TEST((same_value != error::in_use));
}

// Two shared libraries of one process may each have the category, at different places.
BOOST_AUTO_TEST_CASE(the_category_equals_itself_in_another_library_of_the_process)
{
  class elsewhere final : public boost::system::error_category
  {
  public:
    elsewhere() noexcept
      : boost::system::error_category(0x1f3a9c5e7b2d4860)
    {
    }

    const char* name() const noexcept override
    {
      return "interlock";
    }

    std::string message(int) const override
    {
      return std::string();
    }
  };

  const elsewhere other;
  BOOST_TEST((other == error::get_category()));
  BOOST_TEST((error_code(static_cast<int>(error::in_use), other) == error::in_use));
}

BOOST_AUTO_TEST_CASE(an_error_code_of_ours_becomes_one_of_the_standard_library)
{
  const std::error_code ec = error_code(error::in_use);
  BOOST_TEST(ec.value() == static_cast<int>(error::in_use));
  BOOST_TEST(ec.category().name() == std::string("interlock"));
  BOOST_TEST(ec.message() == "The descriptor is in use");
}

BOOST_AUTO_TEST_SUITE_END()
