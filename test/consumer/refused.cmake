# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
#
# What an installed package must not be found for: an earlier minor version, whose ABI may differ, a later one, and a
# component that does not exist.

set(requests "0.1" "0.3")
if(INTERLOCK_OWN_PACKAGE)
  list(APPEND requests "0.2 COMPONENTS other")
endif()

foreach(request IN LISTS requests)
  separate_arguments(request)
  find_package(interlock ${request} CONFIG QUIET)
  if(interlock_FOUND OR TARGET interlock::interlock)
    message(FATAL_ERROR "interlock ${interlock_VERSION} is found for \"${request}\"")
  endif()
endforeach()
