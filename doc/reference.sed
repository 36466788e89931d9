# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
#
# What doxygen gets to see of a header. It would take the inline namespace for a second home of all
# that is in it, and boostbook would print the "=" of an enumerator's value twice.

/^inline namespace /,+1d
/^} \/\/ namespace abi_/d
s/^\(  [a-z_]*\) = [0-9]*\(,\{0,1\}\)$/\1\2/
