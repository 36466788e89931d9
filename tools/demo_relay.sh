# shellcheck shell=bash disable=SC2034,SC2154 # shares its variables with tools/demo
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
#
# Sourced by tools/demo: the relay between wrk and nginx. run_relays PROGRAMS measures the relay over
# plain Asio and over Interlock in turns and leaves the results in the arrays below; print_table
# shows them side by side, print_figures writes them for tools/demo_verdict.sh. Everything is written
# under $dir, and the trap of tools/demo ends at the latest what is started here.

# In each round both relays are started anew, loaded for a slice, and stopped; the one that was
# second goes first in the next round. So another load on the machine slows both down alike.
readonly rounds=6         # without chaos, and as many with it
readonly slice_seconds=3
readonly most_loads=10    # for a slice: more only if there was no answer
readonly connections=32   # for each of the two files: 64 in all
readonly threads=4        # of the relay's loop
readonly chaos=1000       # sockets closed a second
readonly drain_seconds=20
readonly most_restarts=200
# A relay that could not be ended any more ends by itself.
readonly run_for=$((slice_seconds * most_loads * 3 + 60))

nginx_pid=
supervisor_pid=

# Sums over the slices, by "RELAY MODE": RELAY is plain or interlock, MODE is calm or chaos.
declare -A answers wrong cut late crashes signals other_ends hangs idle ticks loads_of

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

listens()
{
  (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null
}

# Below the range from which the kernel takes the ports of outgoing connections.
free_port()
{
  local port
  while :; do
    port=$((20000 + RANDOM % 10000))
    listens "$port" || break
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
  # No two lines are alike: a piece that is lost, moved or foreign makes the file another one. Both
  # have 128 KiB, so that every answer costs the same and the relay writes it in several steps.
  seq -f 'first file, line %014.0f' 4096 > "$dir/www/first"
  seq -f 'other file, line %014.0f' 4096 > "$dir/www/other"
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
  listens "$nginx_port" || ended "$nginx_pid"
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
  local program=$1 port=$2 closes=$3 status restarts=0
  ulimit -c 0
  while [ ! -e "$dir/stop" ] && [ $restarts -le $most_restarts ]; do
    "$program" --listen "$port" --upstream "$nginx_port" --threads $threads \
      --chaos "$closes" --drain $drain_seconds --run-for $run_for \
      >> "$dir/relay.out" 2>> "$dir/relay.err" &
    echo $! > "$dir/relay.pid.new"
    mv "$dir/relay.pid.new" "$dir/relay.pid" # which is never empty for a reader
    status=0
    wait $! || status=$?
    echo "$status" >> "$dir/ends"
    restarts=$((restarts + 1))
  done 2> /dev/null # where the shell would report each crash
}

# start_relay PROGRAM PORT CLOSES
start_relay()
{
  rm -f "$dir"/{stop,relay.pid,relay.out,relay.err,ends,first.result,other.result}
  touch "$dir"/{relay.out,relay.err,ends,first.result,other.result}
  supervise "$@" &
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
    --duration ${slice_seconds}s --timeout 1s --script "$top/tools/demo.lua" \
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

# Both files at the same time. wrk gives a refused connection up for good: a crash of the relay
# costs up to the rest of the load.
load_both()
{
  local first_pid other_pid
  load first "$1" &
  first_pid=$!
  load other "$1" &
  other_pid=$!
  await_load first $first_pid
  await_load other $other_pid
}

# Loads again while there is no answer: on a starved machine a relay that lives may give none in one
# load. Sets loads: how many there were.
run_slice()
{
  loads=0
  until [ "$loads" -eq $most_loads ] || [ "$(total 1)" -gt 0 ]; do
    load_both "$1"
    loads=$((loads + 1))
  done
}

# Sends SIGTERM once to each start of the relay: a second one would change nothing. Returns whether the
# last start has ended.
ask_to_end()
{
  local pid
  pid=$(cat "$dir/relay.pid")
  if [ "$pid" != "$asked_pid" ]; then
    asked_pid=$pid
    kill -TERM "$pid" 2> /dev/null || true
  fi
  ended "$supervisor_pid"
}

# Sets hung: whether the relay had to be killed, or left sessions that it could not end.
stop_relay()
{
  hung=0
  asked_pid=
  touch "$dir/stop"
  if ! wait_for $((drain_seconds * 2)) ask_to_end; then
    hung=1
    kill_relay || true
  fi
  wait "$supervisor_pid" || true
  supervisor_pid=
  rm -f "$dir/relay.pid"
  if grep -q 'did not end in time' "$dir/relay.err"; then
    hung=1
  fi
}

# The processor time that the relay has used since its last start, in ticks of the clock.
relay_ticks()
{
  awk '{ print $14 + $15 }' "/proc/$(cat "$dir/relay.pid")/stat" 2> /dev/null || echo 0
}

# Sum of a column in the lines that wrk left.
total()
{
  awk -v column="$1" '{ sum += $column } END { print sum + 0 }' \
    "$dir/first.result" "$dir/other.result"
}

# The statuses of a program that SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE or SIGSEGV has ended.
readonly crash_statuses='^(13[2-6]|139)$'

# What the demo has neither caused nor counts as a crash. The last end is the one it has caused: the
# relay returns 0, or is killed because it hung, or had not yet installed its handler of SIGTERM.
count_other_ends()
{
  awk -v crash="$crash_statuses" -v hung="$hung" '
    $1 !~ crash { ++others; caused = $1 == 0 || $1 == 143 || hung && $1 == 137; next }
    { caused = 0 }
    END { print others - caused }' "$dir/ends"
}

# Adds N to an element: add ARRAY KEY N
add()
{
  local -n sums=$1
  sums[$2]=$((${sums[$2]:-0} + $3))
}

# Adds what the last slice has shown: add_results KEY
add_results()
{
  local key=$1 crashed
  crashed=$(grep -E "$crash_statuses" "$dir/ends" || true)
  add answers "$key" "$(total 1)"
  add wrong "$key" "$(total 2)"
  add cut "$key" $(($(total 4) + $(total 5)))
  add late "$key" "$(total 6)"
  add crashes "$key" "$(wc -w <<< "$crashed")"
  signals[$key]+=" $crashed"
  add other_ends "$key" "$(count_other_ends)"
  add hangs "$key" "$hung"
  add idle "$key" $(($(total 1) == 0))
}

# slice RELAY MODE PROGRAM
slice()
{
  local key="$1 $2" port used closes=0
  [ "$2" = calm ] || closes=$chaos
  port=$(free_port)
  start_relay "$3" "$port" $closes
  run_slice "$port"
  used=$(relay_ticks)
  stop_relay
  add ticks "$key" "$used"
  add loads_of "$key" $loads
  add_results "$key"
}

# run_relays PROGRAMS, where PROGRAMS is the directory of both
run_relays()
{
  local mode round
  local -A closes=([calm]='no socket closed by force'
    [chaos]="$chaos sockets a second closed by a foreign thread")
  for mode in calm chaos; do
    say "wrk -> relay -> nginx, over plain Asio and over Interlock in turns," \
      "$((rounds * slice_seconds)) s each, ${closes[$mode]}"
    for ((round = 0; round < rounds; round += 2)); do
      slice plain $mode "$1/relay_plain"
      slice interlock $mode "$1/relay"
      slice interlock $mode "$1/relay"
      slice plain $mode "$1/relay_plain"
    done
  done
}

# line TEXT PLAIN INTERLOCK
line()
{
  printf '%-52s | %12s | %12s\n' "$@"
}

# row TEXT ARRAY MODE
row()
{
  local -n values=$2
  line "$1" "${values[plain $3]}" "${values[interlock $3]}"
}

# The crashes and their signals, for people: "3 (SEGV)"
crash_text()
{
  local status names=
  for status in $(tr ' ' '\n' <<< "${signals[$1]}" | sort -u); do
    names+=" $(kill -l "$status")"
  done
  echo "${crashes[$1]}${names:+ (${names# })}"
}

rate()
{
  echo $((${answers[$1 calm]} / (${loads_of[$1 calm]} * slice_seconds)))
}

# Microseconds of the relay's processor time for an answer.
cost()
{
  awk -v ticks="${ticks[$1 calm]}" -v answers="${answers[$1 calm]}" -v second="$(getconf CLK_TCK)" \
    'BEGIN { printf "%.1f", answers ? ticks / second * 1e6 / answers : 0 }'
}

print_table()
{
  say 'The relay'
  line '' 'plain Asio' 'Interlock'
  line 'no socket closed by force:' '' ''
  line '  answers a second' "$(rate plain)" "$(rate interlock)"
  line "  relay's processor time for an answer, us" "$(cost plain)" "$(cost interlock)"
  line "$chaos sockets a second closed by force:" '' ''
  row '  answers that wrk received' answers chaos
  row '  answers with foreign, missing or moved bytes' wrong chaos
  row '  connections cut (by the chaos, by crashes)' cut chaos
  row '  answers that took more than 1 s' late chaos
  line '  crashes of the relay' "$(crash_text 'plain chaos')" "$(crash_text 'interlock chaos')"
  row "  spells of $((slice_seconds * most_loads)) s without an answer" idle chaos
  row '  did not end when told to' hangs chaos
}

# One "RELAY MODE KEY VALUE" a line.
print_figures()
{
  local relay mode figure
  for relay in plain interlock; do
    for mode in calm chaos; do
      for figure in answers wrong crashes other_ends hangs idle; do
        local -n values=$figure
        echo "$relay $mode $figure ${values[$relay $mode]}"
      done
    done
  done
}
