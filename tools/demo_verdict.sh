#!/usr/bin/env bash
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
#
# The last line of tools/demo: demo_verdict.sh STATUS < FIGURES
#
# STATUS is that of close_race. FIGURES are the lines "RELAY MODE FIGURE NUMBER" of tools/demo_relay.sh,
# RELAY being plain or interlock, MODE calm or chaos. What is said follows from these alone: of plain
# Asio only what was seen. Ends with 0 only if Interlock failed nowhere and plain Asio failed somewhere.

set -euo pipefail

readonly race=$1
declare -A figures
while read -r relay mode figure number; do
  figures["$relay $mode $figure"]=$number
done

fail()
{
  printf 'demo: %s\n' "$*"
  exit 1
}

# count KEY: a figure that is missing is an error, not zero.
count()
{
  [[ ${figures[$1]:-} =~ ^[0-9]+$ ]] || fail "no figure '$1'"
  number=${figures[$1]}
}

# refuse KEY TEXT: ends the demo with the text if the figure is not zero.
refuse()
{
  count "$1"
  [ "$number" -eq 0 ] || fail "$2"
}

# refuse_failures RELAY MODE TEXT
refuse_failures()
{
  refuse "$1 $2 crashes" "$3 crashed"
  refuse "$1 $2 hangs" "$3 hung"
  refuse "$1 $2 wrong" "$3 misdelivered"
  refuse "$1 $2 idle" "$3 stood still"
  refuse "$1 $2 other_ends" "$3 ended by itself"
  count "$1 $2 answers"
  [ "$number" -ne 0 ] || fail "$3 served nothing"
}

# times NUMBER: once, twice, 3 times
times()
{
  case $1 in
    1) echo once ;;
    2) echo twice ;;
    *) echo "$1 times" ;;
  esac
}

# Sets seen: what plain Asio's relay did under the chaos.
see_plain_relay()
{
  seen=
  count 'plain chaos crashes'
  [ "$number" -eq 0 ] || seen+=", crashed $(times "$number")"
  count 'plain chaos hangs'
  [ "$number" -eq 0 ] || seen+=", hung $(times "$number")"
  count 'plain chaos wrong'
  [ "$number" -eq 0 ] || seen+=", answered wrongly $(times "$number")"
  seen=${seen#, }
}

case $race in
  0) race_text='misdirected bytes in close_race' ;;
  1) fail 'close_race: Interlock was not clean' ;;
  2) race_text='misdirected no byte in close_race' ;;
  *) fail "close_race ended with status $race" ;;
esac
refuse_failures plain calm 'the relay over plain Asio, without chaos,'
refuse_failures interlock calm 'the relay over Interlock, without chaos,'
refuse_failures interlock chaos 'the relay over Interlock'
refuse 'plain chaos other_ends' 'the relay over plain Asio ended by itself'
see_plain_relay
[ "$race" -eq 0 ] || [ -n "$seen" ] || fail 'plain Asio failed nowhere: nothing is proved'
echo "Interlock crashed, hung and misdirected nowhere. Plain Asio $race_text;" \
  "its relay ${seen:-did not fail this time}."
