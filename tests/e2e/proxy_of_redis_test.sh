# tcp_proxy in front of a redis server, which its own benchmark does not notice.
. "$(dirname "$0")/common.sh"

start_redis() {
  find_free_port
  start redis-server --port "$free_port" --bind 127.0.0.1 --save '' --appendonly no --dir "$work" \
    --logfile '' --daemonize no
  local line
  while read -r -u "$output" line; do
    [[ $line != *"Ready to accept connections"* ]] || return 0
  done
  return 1
}
for try in 1 2 3 4 5; do
  if start_redis; then break; fi
  [ $try != 5 ] || fail "redis-server does not start"
done

start_server "$examples/tcp_proxy" 0 127.0.0.1 "$free_port"
expect "an answer" PONG "$(redis-cli -h 127.0.0.1 -p "$port" ping)"
redis-benchmark -h 127.0.0.1 -p "$port" -n 100000 -P 16 --csv >"$work/results" 2>"$work/errors"
cat "$work/errors" "$work/results"
[ ! -s "$work/errors" ] || fail "redis-benchmark complains"
[ "$(wc -l <"$work/results")" -ge 20 ] || fail "redis-benchmark did not get to its end"
expect "the counter" "$(redis-cli -h 127.0.0.1 -p "$free_port" get counter:__rand_int__)" \
  "$(redis-cli -h 127.0.0.1 -p "$port" get counter:__rand_int__)"
stop TERM
