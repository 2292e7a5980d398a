# The examples that need nobody else.
. "$(dirname "$0")/common.sh"

expect hello "hello, world
hello, async" "$("$examples/hello")"

expect deferreds "upon: 36
awaited: 36
4 9 3
square
timed out
in the background
10" "$("$examples/deferreds")"

expect monitors "caught: first
as a value: second
seen by the monitor: third
seen by the monitor: fourth
cleaned up
after that: fifth" "$("$examples/monitors")"

expect timeouts "after at most 10ms: timed out
after at most 100ms: the answer
interrupted
ticked a few times
aborted" "$("$examples/timeouts")"

expect framed '"desserts"
""
"stressed"
who claims too much is cut off' "$("$examples/framed")"

expect backpressure "who waits sends all: yes
who does not wait leaves out whole blocks: yes
held at most: little" "$("$examples/backpressure" 2>/dev/null)"

"$examples/simulated_network" >"$work/first" 2>/dev/null
"$examples/simulated_network" >"$work/second" 2>/dev/null
cmp "$work/first" "$work/second"
expect "the third client" "client 3: it is 16h" "$(grep -o '^client 3: it is 16h' "$work/first")"
grep -q '^30ms connect client 1 ' "$work/first" || fail "the trace is missing"

socket=$work/socket
lines=$("$examples/handler_errors" "$socket")
[[ $(head -n 1 <<<"$lines") =~ ^[1-9][0-9]*\ $socket$ ]] || fail "handler_errors says: $lines"
expect "the answer of handler_errors" ok "$(tail -n +2 <<<"$lines")"
[ ! -e "$socket" ] || fail "the socket is still there"
