# activated_server, started with its sockets: by systemd's own tool, and by hand.
. "$(dirname "$0")/common.sh"

for tool in systemd-socket-activate python3; do
  command -v $tool >/dev/null || fail "$tool is needed"
done

# expect_served: the one on $port and the one on $file are served.
expect_served() {
  expect "the answer on the port" hi "$(printf 'hi\n' | nc -N 127.0.0.1 "$port")"
  expect "the answer on the file" hi "$(printf 'hi\n' | nc -N -U "$file")"
}
expect_started_with() {
  expect "the first line" "socket 0 is called $1" "$(read_from "$output")"
  expect "the second line" "socket 1 is called $2" "$(read_from "$output")"
  [[ $(read_from "$output") =~ ^"listening on "(127\.0\.0\.1|\[::\]):$port$ ]] || fail "it listens elsewhere"
  expect "the fourth line" "listening on $file" "$(read_from "$output")"
}
expect_stopped() {
  stop TERM
  expect "the last line" "0 were served to the end, 0 were cut off" "$(read_from "$output")"
  [ -S "$file" ] || fail "the file of a socket that is not the server's is gone"
}

# It is started by the first client, who is served as well.
file=$work/systemd
find_free_port
port=$free_port
start systemd-socket-activate -l "$port" -l "$file" --fdname=web:local "$examples/activated_server" 2>"$work/log"
until [ -S "$file" ]; do
  kill -0 "$pid" 2>/dev/null || fail "systemd-socket-activate says: $(cat "$work/log")"
done
expect_served
expect_started_with web local
expect_stopped

# By hand: the sockets are there before the server, and so are its first clients.
file=$work/by_hand
cat >"$work/start.py" <<'PYTHON'
import fcntl, os, socket, sys
web = socket.create_server(("127.0.0.1", 0))
local = socket.socket(socket.AF_UNIX)
local.bind(sys.argv[1])
local.listen()
print("listening on", web.getsockname()[1], flush=True)
# Through higher ones, so that neither is in the way of the other.
for number, fd in enumerate([fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (web, local)]):
    os.dup2(fd, 3 + number)
    os.close(fd)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2")
os.environ.update(pair.split("=") for pair in sys.argv[3:])
os.execv(sys.argv[2], sys.argv[2:3])
PYTHON
start_server python3 "$work/start.py" "$file" "$examples/activated_server"
expect_served
expect_started_with unknown unknown
expect_stopped

# For another process, they are not taken.
start_server python3 "$work/start.py" "$work/not_mine" "$examples/activated_server" LISTEN_PID=1
expect "what it says then" "there are no sockets; choosing a port" "$(read_from "$output")"
[[ $(read_from "$output") == "listening on [::]:"* ]] || fail "it does not listen"
kill -KILL "$pid"
