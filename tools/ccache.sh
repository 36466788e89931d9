# shellcheck shell=bash
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
#
# Sourced by .ci/run and tools/test, with $top set: compilers found through PATH are ccache's, where it
# is installed, and two clones of the project share what either has compiled. A CCACHE_... variable that
# is set already holds.

readonly ccache_compilers=/usr/lib/ccache

if command -v ccache > /dev/null && [ -d $ccache_compilers ]; then
  case $PATH in
    "$ccache_compilers":*) ;;
    *) PATH=$ccache_compilers:$PATH ;;
  esac
  export PATH
  export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$top} CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR:-1}
  export CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-10G}
  [ -n "${HOME:-}" ] || export CCACHE_DIR=${CCACHE_DIR:-/var/tmp/interlock-ccache}
fi
