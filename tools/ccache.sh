# shellcheck shell=bash disable=SC2154 # shares $top with what sources it
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
#
# Sourced by .ci/run and tools/test, with $top set: puts ccache before the compilers, so that what has been
# compiled once, in this clone or in another, is not compiled again. CCACHE_DIR and CCACHE_MAXSIZE are
# respected. Where ccache is missing or has no folder to write to, the compilers run without it.

# Debian's folder of links to ccache, one for each compiler.
readonly ccache_links=/usr/lib/ccache

ccache_folder()
{
  local cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
  if [ -n "$cache" ]; then
    echo "$cache/interlock-ccache"
  else
    echo "${TMPDIR:-/tmp}/interlock-ccache-$(id -u)"
  fi
}

use_ccache()
{
  local folder=${CCACHE_DIR:-$(ccache_folder)}
  [ -x $ccache_links/g++ ] || return 0
  mkdir -p "$folder" 2> /dev/null || return 0
  # The folder for temporary files is shared: another user may have made one of this name.
  [ -n "${CCACHE_DIR:-}" ] || [ -O "$folder" ] || return 0
  CCACHE_DIR=$folder ccache --show-stats > /dev/null 2>&1 || return 0
  # Paths below $top are hashed relative to the current folder; debug information names the folder of the
  # clone that compiled first.
  export CCACHE_DIR=$folder CCACHE_BASEDIR=$top CCACHE_NOHASHDIR=1
  export CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-10G}
  case :$PATH: in
    :$ccache_links:*) ;;
    *) export PATH=$ccache_links:$PATH ;;
  esac
}

use_ccache

# Prints how many compilations the cache answered, by the log that CCACHE_STATSLOG names.
print_ccache_hits()
{
  [ -s "${CCACHE_STATSLOG:-}" ] || return 0
  awk '/^(direct|preprocessed)_cache_hit$/ { hits += 1 } /^cache_miss$/ { misses += 1 }
    END { printf "ccache: %d of %d compilations from the cache\n", hits, hits + misses }' "$CCACHE_STATSLOG"
}
