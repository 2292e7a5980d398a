# via_proxy by way of microsocks and Dante, without and with a password, and of several.
. "$(dirname "$0")/common.sh"
unset all_proxy ALL_PROXY no_proxy NO_PROXY

start_server "$examples/echo_server" 0
echo=$port
echo_pid=$pid
find_free_port
nobody=$free_port

config= start_on_free_port microsocks -i 127.0.0.1 -p PORT 2>/dev/null
open=127.0.0.1:$port
config= start_on_free_port microsocks -i 127.0.0.1 -p PORT -u me -P s:cret 2>/dev/null
closed=127.0.0.1:$port

expect "names looked up there" hello "$(via_proxy localhost "$echo" "socks5h://$open")"
expect "names looked up here" hello "$(via_proxy localhost "$echo" "socks5://$open")"
expect "an IPv4 address" hello "$(via_proxy 127.0.0.1 "$echo" "socks5h://$open")"
expect "an IPv6 address" hello "$(via_proxy ::1 "$echo" "socks5h://$open")"
expect "a password" hello "$(via_proxy localhost "$echo" "socks5h://me:s%3Acret@$closed")"
expect "a password for who wants none" hello "$(via_proxy localhost "$echo" "socks5h://me:x@$open")"
expect "two" hello "$(via_proxy localhost "$echo" "socks5h://$open" "socks5h://me:s%3Acret@$closed")"
expect "three" hello \
  "$(via_proxy localhost "$echo" "socks5h://$open" "socks5h://me:s%3Acret@$closed" "socks5h://$open")"

expect_like "nobody there" "proxy: cannot connect to 127.0.0.1:$nobody: the SOCKS5 proxy $open cannot connect*: the connection was refused" \
  "$(via_proxy 127.0.0.1 "$nobody" "socks5h://$open")"
expect_like "a name that nobody has" "proxy: *the SOCKS5 proxy $open cannot connect to nobody.invalid:7: *" \
  "$(via_proxy nobody.invalid 7 "socks5h://$open")"
expect_like "a name that nobody here knows" "name resolution: cannot connect to nobody.invalid:7: *" \
  "$(via_proxy nobody.invalid 7 "socks5://$open")"
expect_like "no password" "proxy: *the SOCKS5 proxy $closed does not serve without authentication" \
  "$(via_proxy localhost "$echo" "socks5h://$closed")"
expect_like "a wrong password" "proxy: *the SOCKS5 proxy $closed does not accept the username and password" \
  "$(via_proxy localhost "$echo" "socks5h://me:wrong@$closed")"
expect_like "no proxy there" "proxy: *the SOCKS5 proxy 127.0.0.1:$nobody: *refused" \
  "$(via_proxy localhost "$echo" "socks5h://127.0.0.1:$nobody")"

# What the environment names.
expect "all_proxy" hello "$(all_proxy=socks5h://$open via_proxy localhost "$echo")"
expect_like "a wrong all_proxy" "proxy: *the SOCKS5 proxy 127.0.0.1:$nobody: *refused" \
  "$(all_proxy=socks5h://127.0.0.1:$nobody via_proxy localhost "$echo")"
expect "no_proxy" hello \
  "$(all_proxy=socks5h://127.0.0.1:$nobody no_proxy=example.com,localhost via_proxy localhost "$echo")"

config=$work/danted.conf
cat >"$config" <<CONF
logoutput: $work/danted.log
internal: 127.0.0.1 port = PORT
external: lo
external.rotation: same-same
clientmethod: none
socksmethod: none
user.privileged: $(id -un)
user.unprivileged: $(id -un)
client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
socks block { from: 127.0.0.0/8 to: 0.0.0.0/0 port = $nobody }
socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
CONF
start_on_free_port danted -f "$config" -p "$work/danted.pid"
dante=127.0.0.1:$port
dante_pid=$pid
expect "Dante" hello "$(via_proxy 127.0.0.1 "$echo" "socks5h://$dante")"
expect "microsocks behind Dante" hello "$(via_proxy localhost "$echo" "socks5h://$dante" "socks5h://$open")"
expect_like "what Dante does not allow" "proxy: *the SOCKS5 proxy $dante cannot connect to 127.0.0.1:$nobody: its rules do not allow that" \
  "$(via_proxy 127.0.0.1 "$nobody" "socks5h://$dante")"
kill "$dante_pid"
wait "$dante_pid" || true

pid=$echo_pid
stop TERM
