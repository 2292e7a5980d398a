# behind_proxy and announcing_proxy with HAProxy, which sends and takes the PROXY protocol of both versions.
. "$(dirname "$0")/common.sh"

start_server "$examples/behind_proxy" 0
behind=$port
behind_pid=$pid
behind_tells=$output

# start_haproxy BIND_OPTIONS SERVER_OPTIONS: $port leads to behind_proxy.
start_haproxy() {
  config=$work/haproxy.$((++haproxies)).conf
  cat >"$config" <<CONF
defaults
  mode tcp
  timeout connect 5s
  timeout client 20s
  timeout server 20s
listen all
  bind 127.0.0.1:PORT $1
  server behind 127.0.0.1:$behind $2
CONF
  start_on_free_port haproxy -db -f "$config"
}
haproxies=0

# ask SOURCE PORT: what a client from the address SOURCE hears.
ask() { printf 'hello\nagain\n' | nc -w 10 -s "$1" -N 127.0.0.1 "$2"; }

expect_told() { expect_like "$1" "you are $2:[1-9]*"$'\n'"hello"$'\n'"again" "$3"; }

for options in send-proxy send-proxy-v2 "send-proxy-v2 proxy-v2-options crc32c,unique-id"; do
  start_haproxy "" "$options"
  expect_told "$options" 127.0.0.2 "$(ask 127.0.0.2 "$port")"
  expect_told "$options, once more" 127.0.0.3 "$(ask 127.0.0.3 "$port")"
done

# What haproxy believes of us, it tells behind_proxy.
for sent in send-proxy send-proxy-v2; do
  start_haproxy accept-proxy "$sent"
  haproxy=$port
  for version in 1 2; do
    start_server "$examples/announcing_proxy" 0 127.0.0.1 "$haproxy" "$version"
    expect_told "version $version, then $sent" 127.0.0.4 "$(ask 127.0.0.4 "$port")"
    stop TERM
  done
done

# Without anything in between.
start_server "$examples/announcing_proxy" 0 127.0.0.1 "$behind"
expect_told "announcing_proxy" 127.0.0.5 "$(ask 127.0.0.5 "$port")"
stop TERM
expect "a header by hand" "you are 192.0.2.1:1234
hi" "$(printf 'PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\r\nhi\n' | nc -w 10 -N 127.0.0.1 "$behind")"
expect "no header" "" "$(printf 'hi\n' | nc -w 10 -N 127.0.0.1 "$behind")"

pid=$behind_pid
stop TERM
expect_like "behind_proxy in the end" "[1-9]* clients, [1-9]* of them without a proper header" \
  "$(read_from "$behind_tells")"
