// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The test cases that every type has: INTERLOCK_TEST_DROPIN(type, "name"). Their labels are
// dropin-NAME-compile, -run and -differential, by which a target of test/Jamfile selects them.

#ifndef INTERLOCK_TEST_SUPPORT_DROPIN_CASES_HPP
#define INTERLOCK_TEST_SUPPORT_DROPIN_CASES_HPP

#include <boost/test/unit_test.hpp>

#include "support/dropin_compile.hpp"
#include "support/dropin_semantics.hpp"
#include "support/dropin_states.hpp"

#define INTERLOCK_TEST_LABEL(name, kind) *boost::unit_test::label("dropin-" name "-" kind)

#define INTERLOCK_TEST_SEMANTICS(type, name, part, member) \
  BOOST_AUTO_TEST_CASE(part, INTERLOCK_TEST_LABEL(name, "run")) \
  { \
    support::means_the_same<support::type>([](auto&& s) { s.member(); }); \
  }

#define INTERLOCK_TEST_DROPIN(type, name) \
  BOOST_AUTO_TEST_SUITE(type) \
  static_assert(support::types_alike<support::type>(), ""); \
  BOOST_AUTO_TEST_CASE(every_overload_is_there, INTERLOCK_TEST_LABEL(name, "compile")) \
  { \
    support::compiles_alike<support::type>(); \
  } \
  INTERLOCK_TEST_SEMANTICS(type, name, closed_objects_refuse_everything, of_closed_objects) \
  INTERLOCK_TEST_SEMANTICS(type, name, nothing_is_opened_twice, of_what_is_open_already) \
  INTERLOCK_TEST_SEMANTICS(type, name, blocking_state_tells_what_blocks, of_blocking_state) \
  INTERLOCK_TEST_SEMANTICS(type, name, data_passes, of_transfers) \
  INTERLOCK_TEST_SEMANTICS(type, name, buffers_may_be_empty, of_empty_buffers) \
  INTERLOCK_TEST_SEMANTICS(type, name, the_end_is_told, of_ends) \
  INTERLOCK_TEST_SEMANTICS(type, name, a_shutdown_ends_one_direction, of_shutdowns) \
  INTERLOCK_TEST_SEMANTICS(type, name, options_are_kept, of_options) \
  INTERLOCK_TEST_SEMANTICS(type, name, a_cancel_aborts, of_cancellation) \
  INTERLOCK_TEST_SEMANTICS(type, name, a_close_aborts, of_closing) \
  INTERLOCK_TEST_SEMANTICS(type, name, a_release_aborts, of_releasing) \
  INTERLOCK_TEST_SEMANTICS(type, name, a_move_takes_operations_along, of_moving) \
  INTERLOCK_TEST_SEMANTICS(type, name, an_accept_is_into_what_is_closed, of_accepting) \
  BOOST_AUTO_TEST_CASE( \
    every_member_reports_the_same_in_every_state, INTERLOCK_TEST_LABEL(name, "differential")) \
  { \
    support::same_in_every_state<support::type>(); \
  } \
  BOOST_AUTO_TEST_SUITE_END()

#endif // INTERLOCK_TEST_SUPPORT_DROPIN_CASES_HPP
