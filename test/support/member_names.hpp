// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Which members a type has, found out by the compiler: a name that is ambiguous in a class derived
// from the type and from another class that has it as well is a member of both. So overloads,
// templates, inherited members and nested types are found alike.

#ifndef INTERLOCK_TEST_SUPPORT_MEMBER_NAMES_HPP
#define INTERLOCK_TEST_SUPPORT_MEMBER_NAMES_HPP

#include <string>
#include <type_traits>
#include <vector>

namespace support {

// Every name that some I/O object of Asio has. First those of types.
#define INTERLOCK_TEST_TYPE_NAMES(X) \
  X(executor_type) \
  X(rebind_executor) \
  X(native_handle_type) \
  X(lowest_layer_type) \
  X(protocol_type) \
  X(endpoint_type) \
  X(wait_type) \
  X(shutdown_type) \
  X(message_flags)

#define INTERLOCK_TEST_FUNCTION_NAMES(X) \
  X(get_executor) \
  X(lowest_layer) \
  X(open) \
  X(assign) \
  X(is_open) \
  X(close) \
  X(release) \
  X(native_handle) \
  X(cancel) \
  X(set_option) \
  X(get_option) \
  X(io_control) \
  X(non_blocking) \
  X(native_non_blocking) \
  X(wait) \
  X(bind) \
  X(connect) \
  X(local_endpoint) \
  X(remote_endpoint) \
  X(available) \
  X(at_mark) \
  X(shutdown) \
  X(listen) \
  X(accept) \
  X(read_some) \
  X(write_some) \
  X(send) \
  X(receive) \
  X(send_to) \
  X(receive_from) \
  X(send_break) \
  X(async_wait) \
  X(async_connect) \
  X(async_accept) \
  X(async_read_some) \
  X(async_write_some) \
  X(async_send) \
  X(async_receive) \
  X(async_send_to) \
  X(async_receive_from)

// What only Interlock's have.
#define INTERLOCK_TEST_OWN_NAMES(X) \
  X(async_close) \
  X(async_release) \
  X(retire) \
  X(lease) \
  X(get_close_handle) \
  X(to_asio)

#define INTERLOCK_TEST_ALL_NAMES(X) \
  INTERLOCK_TEST_TYPE_NAMES(X) INTERLOCK_TEST_FUNCTION_NAMES(X) INTERLOCK_TEST_OWN_NAMES(X)

namespace member_names {

#define INTERLOCK_TEST_DETECT(name) \
  struct with_##name \
  { \
    int name; \
  }; \
  template <class T> \
  struct both_##name : T, with_##name \
  { \
  }; \
  template <class T, class = void> \
  struct has_##name : std::true_type \
  { \
  }; \
  template <class T> \
  struct has_##name<T, std::void_t<decltype(&both_##name<T>::name)>> : std::false_type \
  { \
  };

INTERLOCK_TEST_ALL_NAMES(INTERLOCK_TEST_DETECT)

#undef INTERLOCK_TEST_DETECT

} // namespace member_names

enum class name_kind
{
  type,
  function,
  own
};

/// A name, and which of the two types have it.
struct member_name
{
  std::string name;
  name_kind kind;
  bool in_ours;
  bool in_plain;

  bool is_asynchronous() const
  {
    return name.rfind("async_", 0) == 0;
  }
};

/// Every name of the lists, in their order.
template <class Ours, class Plain>
std::vector<member_name> member_names_of()
{
  namespace found = member_names;
  return {
#define INTERLOCK_TEST_FOUND(name, kind) \
  {#name, kind, found::has_##name<Ours>::value, found::has_##name<Plain>::value},
#define INTERLOCK_TEST_TYPE(name) INTERLOCK_TEST_FOUND(name, name_kind::type)
#define INTERLOCK_TEST_FUNCTION(name) INTERLOCK_TEST_FOUND(name, name_kind::function)
#define INTERLOCK_TEST_OWN(name) INTERLOCK_TEST_FOUND(name, name_kind::own)
    INTERLOCK_TEST_TYPE_NAMES(INTERLOCK_TEST_TYPE) INTERLOCK_TEST_FUNCTION_NAMES(
      INTERLOCK_TEST_FUNCTION) INTERLOCK_TEST_OWN_NAMES(INTERLOCK_TEST_OWN)
#undef INTERLOCK_TEST_OWN
#undef INTERLOCK_TEST_FUNCTION
#undef INTERLOCK_TEST_TYPE
#undef INTERLOCK_TEST_FOUND
  };
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_MEMBER_NAMES_HPP
