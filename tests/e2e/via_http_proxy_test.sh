# via_proxy by way of tinyproxy, without and with a password, and behind a SOCKS5 proxy.
. "$(dirname "$0")/common.sh"
unset all_proxy ALL_PROXY no_proxy NO_PROXY

start_server "$examples/echo_server" 0
echo=$port
echo_pid=$pid
find_free_port
nobody=$free_port

# start_tinyproxy LINE...: with these in its configuration besides.
start_tinyproxy() {
  config=$work/tinyproxy.$#.conf
  printf '%s\n' "Port PORT" "Listen 127.0.0.1" "Allow 127.0.0.1" "Timeout 20" "MaxClients 10" \
    "LogLevel Connect" "$@" >"$config"
  start_on_free_port tinyproxy -d -c "$config"
}
start_tinyproxy
open=127.0.0.1:$port
start_tinyproxy "BasicAuth me secret" "ConnectPort $echo"
closed=127.0.0.1:$port

expect "a name" hello "$(via_proxy localhost "$echo" "http://$open")"
expect "an IPv4 address" hello "$(via_proxy 127.0.0.1 "$echo" "http://$open")"
expect "an IPv6 address" hello "$(via_proxy ::1 "$echo" "http://$open")"
expect "a password" hello "$(via_proxy localhost "$echo" "http://me:secret@$closed")"
expect "two" hello "$(via_proxy localhost "$echo" "http://$open" "http://me:secret@$closed")"

expect_like "no password" "proxy: *the HTTP proxy $closed wants a username and a password: HTTP/1.? 407 *" \
  "$(via_proxy localhost "$echo" "http://$closed")"
expect_like "a wrong password" "proxy: *the HTTP proxy $closed *: HTTP/1.? 40[17] *" \
  "$(via_proxy localhost "$echo" "http://me:wrong@$closed")"
expect_like "a port that is not allowed" "proxy: *the HTTP proxy $closed does not connect to localhost:$nobody: HTTP/1.? 403 *" \
  "$(via_proxy localhost "$nobody" "http://me:secret@$closed")"
expect_like "nobody there" "proxy: *the HTTP proxy $open does not connect to 127.0.0.1:$nobody: HTTP/1.? 500 *" \
  "$(via_proxy 127.0.0.1 "$nobody" "http://$open")"
expect_like "no HTTP" "proxy: *the HTTP proxy 127.0.0.1:$echo *" \
  "$(via_proxy localhost "$echo" "http://127.0.0.1:$echo")"

config= start_on_free_port microsocks -i 127.0.0.1 -p PORT 2>/dev/null
socks=127.0.0.1:$port
expect "behind a SOCKS5 proxy" hello \
  "$(via_proxy localhost "$echo" "socks5h://$socks" "http://me:secret@$closed")"
expect "before a SOCKS5 proxy" hello "$(via_proxy localhost "$echo" "http://$open" "socks5h://$socks")"
expect "all_proxy" hello "$(all_proxy=$open via_proxy localhost "$echo")"

pid=$echo_pid
stop TERM
