# echo_server and scoped_client, with each other and with nc.
. "$(dirname "$0")/common.sh"

start_server "$examples/echo_server" 0
expect "nc" hi "$(printf 'hi\n' | nc -N 127.0.0.1 "$port")"
expect "nc by IPv4" hi "$(printf 'hi\n' | nc -N 127.0.0.1 "$port")"
expect "nc by IPv6" hi "$(printf 'hi\n' | nc -N ::1 "$port")"

head -c 5000000 /dev/urandom >"$work/sent"
nc -N 127.0.0.1 "$port" <"$work/sent" >"$work/received"
cmp "$work/sent" "$work/received"

expect scoped_client "hello
again" "$("$examples/scoped_client" localhost "$port")"

# It ends in order though a client is there.
server=$pid
start nc 127.0.0.1 "$port"
client=$pid
pid=$server
stop TERM
kill "$client" 2>/dev/null || true

status=0
answer=$("$examples/scoped_client" localhost "$port") || status=$?
expect "the status of scoped_client without a server" 1 $status
[[ $answer == "cannot connect: "*"127.0.0.1:$port"*refused* ]] || fail "scoped_client says: $answer"

start_server "$examples/echo_server" 0
expect "nc after that" hi "$(printf 'hi\n' | nc -N 127.0.0.1 "$port")"
stop INT

# A proxy before nobody hangs up.
start_server "$examples/tcp_proxy" 0 127.0.0.1 "$port" 2>/dev/null
expect "scoped_client when the server hangs up" "(the server hung up)
(the server hung up)" "$("$examples/scoped_client" localhost "$port")"
stop TERM
