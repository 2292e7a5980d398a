# line_client and chat_server, with each other and with nc.
. "$(dirname "$0")/common.sh"

start_server "$examples/echo_server" 0
expect line_client "first
second" "$(printf 'first\nsecond\n' | "$examples/line_client" 127.0.0.1 "$port")"
stop TERM

status=0
"$examples/line_client" 127.0.0.1 "$port" </dev/null 2>"$work/error" || status=$?
expect "the status of line_client without a server" 1 $status
grep -q refused "$work/error" || fail "line_client says: $(cat "$work/error")"

start_server "$examples/chat_server" 0
server=$pid

# join NAME: a guest that says what is written to descriptor $says, and hears what is in $output.
join() {
  mkfifo "$work/$1"
  start bash -c 'exec nc -N 127.0.0.1 "$1" <"$2"' - "$port" "$work/$1"
  exec {says}>"$work/$1"
}
join first
first_says=$says first_hears=$output
expect "the first guest hears" "welcome, guest 1" "$(read_from "$first_hears")"
join second
second_says=$says second_hears=$output
expect "the second guest hears" "welcome, guest 2" "$(read_from "$second_hears")"
[[ $(read_from "$first_hears") == "guest 2 has come from 127.0.0.1:"* ]] || fail "no news of guest 2"
echo "hello everybody" >&"$second_says"
expect "the first guest hears" "guest 2: hello everybody" "$(read_from "$first_hears")"
echo "hello yourself" >&"$first_says"
expect "the second guest hears" "guest 1: hello yourself" "$(read_from "$second_hears")"
exec {second_says}>&-
expect "the first guest hears" "guest 2 has left" "$(read_from "$first_hears")"

pid=$server
stop TERM
exec {first_says}>&-
if read -r -t 20 -u "$first_hears" line; then fail "the server still says: $line"; fi
