# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
#
# What doxygen gets to see of a header. It would take the inline namespace for a second home of all
# that is in it, and boostbook would print the "=" of an enumerator's value twice, and what is private. The
# members that all objects have in common are not a detail.

/^inline namespace /d
/^} \/\/ namespace abi_/d
s/^\(  [a-z_]*\) = [0-9]*\(,\{0,1\}\)$/\1\2/
/^class [a-z_]*::/,/^};$/d
/^private:$/,/^\(};\|public:\|protected:\)$/{
  /^};$/b
  /^public:$/b
  /^protected:$/b
  /@\(end\)\{0,1\}cond/b
  d
}
/\(CLOSING\|COMMON\|WAITING\|SOCKET\|DESCRIPTOR\|PIPE\|READING\)_MEMBERS_HPP\|\(FLAGGED\|ADDRESSED\)_TRANSFERS_HPP/,${
  /^namespace \(detail\|bases\) {$/d
  /^} \/\/ namespace \(detail\|bases\)/d
  s/^\/\/\/ Owns the core of an object\.$/\/\/\/ The members of every object that Asio's do not have./
}
s/detail::bases::\([a-z]*_members\|flagged_transfers\|addressed_transfers\)</\1</g
s/\(interlock::\)\{0,1\}detail::\(\(if\|asio\|accepted\|default\)_[a-z_]*\|[a-z_]*_\(result\|core\)\)</\2</g
