# tcp_proxy in front of nginx, from which curl gets a large file byte for byte.
. "$(dirname "$0")/common.sh"

head -c 100000000 /dev/urandom >"$work/large"

start_nginx() {
  find_free_port
  cat >"$work/nginx.conf" <<CONF
$([ "$(id -u)" != 0 ] || echo "user root;")
worker_processes 1;
pid $work/nginx.pid;
error_log $work/nginx.log;
events { worker_connections 100; }
http {
  access_log off;
  client_body_temp_path $work/body;
  proxy_temp_path $work/proxy;
  fastcgi_temp_path $work/fastcgi;
  uwsgi_temp_path $work/uwsgi;
  scgi_temp_path $work/scgi;
  server { listen 127.0.0.1:$free_port; root $work; }
}
CONF
  # It goes to the background once it listens.
  nginx -p "$work" -c "$work/nginx.conf" -e "$work/nginx.log" || return 1
  pids+=("$(cat "$work/nginx.pid")")
}
for try in 1 2 3 4 5; do
  if start_nginx; then break; fi
  [ $try != 5 ] || fail "nginx does not start"
done
nginx_pid=${pids[-1]}

start_server "$examples/tcp_proxy" 0 127.0.0.1 "$free_port"
curl -sS --fail "http://127.0.0.1:$port/large" -o "$work/received"
cmp "$work/large" "$work/received"
# Two at a time, one of them slow.
curl -sS --fail --limit-rate 20M "http://127.0.0.1:$port/large" -r 0-19999999 -o "$work/slow" &
slow=$!
curl -sS --fail "http://localhost:$port/large" -o "$work/received"
cmp "$work/large" "$work/received"
wait $slow
cmp -n 20000000 "$work/large" "$work/slow"
stop TERM
kill -QUIT "$nginx_pid"
