# Sourced by the tests here, whose first argument is the folder of the example programs.
set -euo pipefail

examples=$1
work=$(mktemp -d)
pids=()

end_test() {
  local status=$?
  for pid in "${pids[@]}"; do
    kill -KILL "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
  [ $status = 0 ] || echo "The test has failed." >&2
}
trap end_test EXIT

fail() {
  echo "$*" >&2
  exit 1
}

# expect WHAT WANTED GOT: the two are the same.
expect() { [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"; }

# start COMMAND...: runs it in the background. $pid is its process, and descriptor $output its output.
start() {
  local pipe
  pipe=$(mktemp -u "$work/pipe.XXXXXX")
  mkfifo "$pipe"
  "$@" >"$pipe" &
  pid=$!
  pids+=("$pid")
  exec {output}<"$pipe"
}

# start_server COMMAND...: the same, for one that says where it listens, which is then $port.
start_server() {
  start "$@"
  local line
  read -r -u "$output" line || fail "$1 does not start"
  port=${line#listening on }
  [ "$port" -gt 0 ] || fail "$1 says: $line"
}

# stop SIGNAL: sends it to $pid, which ends with 0. It must have served somebody: until then it may not
# have asked for signals.
stop() {
  kill "-$1" "$pid"
  local status=0
  wait "$pid" || status=$?
  expect "the status after $1" 0 "$status"
}

# read_from DESCRIPTOR: prints the next line.
read_from() {
  local line
  read -r -t 20 -u "$1" line || fail "no more lines"
  echo "$line"
}

# find_free_port: $free_port is one that the system has just chosen.
find_free_port() {
  start_server "$examples/echo_server" 0
  kill -KILL "$pid"
  wait "$pid" 2>/dev/null || true
  free_port=$port
}

# start_on_free_port COMMAND...: starts a program that does not say when it listens, on 127.0.0.1 and the port
# that is put in place of each PORT in its arguments, and in the file $config if there is one. It is then
# $port.
start_on_free_port() {
  local try
  for try in 1 2 3 4 5; do
    find_free_port
    local wanted=$free_port
    [ -z "${config:-}" ] || sed -i.template "s/PORT/$wanted/" "$config"
    start "${@//PORT/$wanted}"
    until (exec 3<>"/dev/tcp/127.0.0.1/$wanted") 2>/dev/null; do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.02
    done
    port=$wanted
    if kill -0 "$pid" 2>/dev/null; then return; fi
    [ -z "${config:-}" ] || mv "$config.template" "$config"
  done
  fail "$1 does not start"
}

# via_proxy ARGUMENTS...: what the example of that name answers; or how it fails, if that is with status 1.
via_proxy() {
  local status=0
  "$examples/via_proxy" "$@" >"$work/answer" 2>"$work/error" || status=$?
  [ $status = 0 ] || [ $status = 1 ] || fail "via_proxy $* ends with $status: $(cat "$work/error")"
  cat "$work/answer" "$work/error"
}

# expect_like WHAT PATTERN GOT: it is as the pattern says.
expect_like() { [[ $3 == $2 ]] || fail "$1: expected '$2', got '$3'"; }
