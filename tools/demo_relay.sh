# shellcheck shell=bash disable=SC2034,SC2154 # shares its variables with tools/demo
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
#
# Sourced by tools/demo: the relay between wrk and nginx. relay NAME PROGRAM runs one and leaves
# what it saw in the arrays below, by that name; print_table shows them side by side. Everything is
# written under $dir, and what is started is ended by the trap of tools/demo at the latest.

readonly slices=10        # runs of wrk for each relay
readonly slice_seconds=2
readonly connections=32   # for each of the two files: 64 in all
readonly chaos=400        # sockets closed a second
readonly drain_seconds=5
readonly most_restarts=200
# A relay that could not be ended any more ends by itself.
readonly run_for=$((slices * slice_seconds * 3 + 60))

nginx_pid=
supervisor_pid=

# By the name of what the relay runs over.
declare -A requests wrong broken timeouts crashes crash_text hangs idle summary

kill_relay()
{
  [ -s "$dir/relay.pid" ] && kill -KILL "$(cat "$dir/relay.pid")" 2> /dev/null
}

# Runs a test every few hundredths of a second until it succeeds, for so many seconds at most.
wait_for()
{
  local seconds=$1 end
  shift
  end=$((SECONDS + seconds))
  until "$@"; do
    [ $SECONDS -le $end ] || return 1
    sleep 0.05
  done
}

answers()
{
  (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null
}

# Below the range from which the kernel takes the ports of outgoing connections.
free_port()
{
  local port
  while :; do
    port=$((20000 + RANDOM % 10000))
    answers "$port" || break
  done
  echo "$port"
}

ended()
{
  ! kill -0 "$1" 2> /dev/null
}

make_files()
{
  mkdir "$dir/www"
  # No two lines are alike: a piece that is lost, moved or foreign makes the file another one.
  seq -f 'small %010.0f' 16 > "$dir/www/small"
  seq -f 'large file, line %014.0f' 32768 > "$dir/www/large"
}

# Names every path: nothing outside the directory is written, and no special right is needed.
configure_nginx()
{
  local user='' kind
  [ "$(id -u)" -ne 0 ] || user='user root;'
  cat > "$dir/nginx.conf" << CONF
$user
daemon off;
worker_processes 1;
pid $dir/nginx.pid;
error_log $dir/nginx.log;
events { worker_connections 4096; }
http {
$(for kind in client_body proxy fastcgi uwsgi scgi; do echo "  ${kind}_temp_path $dir/$kind;"; done)
  access_log off;
  sendfile on;
  keepalive_requests 1000000;
  server { listen 127.0.0.1:$1; root $dir/www; }
}
CONF
}

nginx_settled()
{
  answers "$nginx_port" || ended "$nginx_pid"
}

start_nginx()
{
  local attempt
  for attempt in 1 2 3 4 5; do
    nginx_port=$(free_port)
    configure_nginx "$nginx_port"
    nginx -e "$dir/nginx.log" -c "$dir/nginx.conf" &
    nginx_pid=$!
    wait_for 10 nginx_settled && ! ended "$nginx_pid" && return
    kill "$nginx_pid" 2> /dev/null || true
    printf 'demo: nginx does not start, attempt %d\n' "$attempt" >&2
  done
  cat "$dir/nginx.log" >&2
  fail 'nginx does not start'
}

# In a process of its own: starts the relay again whenever it ends, and writes down how it ended.
supervise()
{
  local program=$1 port=$2 status restarts=0
  ulimit -c 0
  while [ ! -e "$dir/stop" ] && [ $restarts -le $most_restarts ]; do
    "$program" --listen "127.0.0.1:$port" --upstream "127.0.0.1:$nginx_port" --threads 2 \
      --chaos $chaos --drain $drain_seconds --run-for $run_for \
      >> "$dir/relay.out" 2>> "$dir/relay.err" &
    echo $! > "$dir/relay.pid"
    status=0
    wait $! || status=$?
    echo "$status" >> "$dir/ends"
    restarts=$((restarts + 1))
  done 2> /dev/null # where the shell would report each crash
}

start_relay()
{
  local port=$2
  rm -f "$dir"/{stop,relay.pid,relay.out,relay.err,ends,small.result,large.result}
  touch "$dir"/{relay.out,relay.err,ends,small.result,large.result}
  supervise "$1" "$port" &
  supervisor_pid=$!
  wait_for 10 grep -q '^listening on' "$dir/relay.out" ||
    {
      cat "$dir/relay.err" >&2
      fail "$1 does not start"
    }
}

load()
{
  DEMO_BODY=$dir/www/$1 DEMO_RESULT=$dir/$1.result wrk --threads 1 --connections $connections \
    --duration ${slice_seconds}s --timeout 5s --script "$top/tools/demo.lua" \
    "http://127.0.0.1:$2/$1" > "$dir/$1.wrk" 2>&1
}

await_load()
{
  wait "$2" ||
    {
      cat "$dir/$1.wrk" >&2
      fail 'wrk failed'
    }
}

# Both files at the same time. wrk gives a refused connection up for good, so it runs in slices: a
# crash costs no more than the rest of one. Counts the slices in which no request was served.
run_slices()
{
  local port=$1 slice small_pid large_pid before
  idle_slices=0
  for ((slice = 0; slice != slices; ++slice)); do
    before=$(total 1)
    load small "$port" &
    small_pid=$!
    load large "$port" &
    large_pid=$!
    await_load small $small_pid
    await_load large $large_pid
    [ "$(total 1)" -gt "$before" ] || idle_slices=$((idle_slices + 1))
  done
}

# Whether the relay had to be killed.
stop_relay()
{
  hung=0
  touch "$dir/stop"
  kill -TERM "$(cat "$dir/relay.pid")" 2> /dev/null || true
  if ! wait_for $((drain_seconds + 10)) ended "$supervisor_pid"; then
    hung=1
    kill_relay || true
  fi
  wait "$supervisor_pid" || true
  supervisor_pid=
  rm -f "$dir/relay.pid"
  # The relay says so when it leaves with sessions that it could not end.
  if grep -q 'did not end in time' "$dir/relay.err"; then
    hung=1
  fi
}

# Sum of a column in the lines that wrk left.
total()
{
  awk -v column="$1" '{ sum += $column } END { print sum + 0 }' \
    "$dir/small.result" "$dir/large.result"
}

# An end that the demo did not ask for: every one but the last, and the last if it was no success.
count_crashes()
{
  local last_status crashes
  crashes=$(($(wc -l < "$dir/ends") - 1))
  last_status=$(tail -n 1 "$dir/ends")
  if [ "$hung" -eq 0 ] && [ "$last_status" != 0 ]; then
    crashes=$((crashes + 1))
  fi
  echo "$crashes"
}

# The signals of the crashes, for people: " (SEGV)"
crash_signals()
{
  local status names=
  while read -r status; do
    if [ "$status" -gt 128 ] && [ "$status" -ne 137 ]; then
      names+=" $(kill -l "$status")"
    fi
  done < <(sort -un "$dir/ends")
  [ -z "$names" ] || echo " (${names# })"
}

# Sets the results for one relay: relay NAME PROGRAM
relay()
{
  local name=$1 port
  say "wrk -> relay over $name -> nginx for $((slices * slice_seconds)) s," \
    "$chaos sockets a second closed by a foreign thread"
  port=$(free_port)
  start_relay "$2" "$port"
  run_slices "$port"
  stop_relay
  requests[$name]=$(total 1)
  wrong[$name]=$(total 2)
  broken[$name]=$(($(total 4) + $(total 5)))
  timeouts[$name]=$(total 6)
  crashes[$name]=$(count_crashes)
  crash_text[$name]=${crashes[$name]}$(crash_signals)
  hangs[$name]=$hung
  idle[$name]=$idle_slices
  summary[$name]=$(grep '^served' "$dir/relay.out" | tail -n 1 || true)
  printf 'the relay, of its last start: %s\n' "${summary[$name]:-did not live to tell}"
}

# line TEXT ARRAY
line()
{
  local -n values=$2
  printf '%-46s | %14s | %14s\n' "$1" "${values[plain Asio]}" "${values[Interlock]}"
}

print_table()
{
  say 'The relay'
  printf '%-46s | %14s | %14s\n' '' 'plain Asio' 'Interlock'
  line 'answers that wrk received' requests
  line 'answers with foreign, missing or moved bytes' wrong
  line 'connections cut (the chaos does that)' broken
  line 'answers not received within 5 s' timeouts
  line 'crashes of the relay' crash_text
  line "spells of $slice_seconds s without an answer" idle
  line 'did not end when told to' hangs
}
