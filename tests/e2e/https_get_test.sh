# https_get with nginx, with OpenSSL's server, and with answers that are cut off.
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/common_of_tls.sh"

head -c 20000000 /dev/urandom >"$work/large"
: >"$work/empty"
seq 1 20000 >"$work/text"
config=$work/nginx.conf
cat >"$config" <<CONF
$([ "$(id -u)" != 0 ] || echo "user root;")
worker_processes 1;
daemon off;
pid $work/nginx.pid;
error_log $work/nginx.log;
events { worker_connections 100; }
http {
  access_log off;
  client_body_temp_path $work/body_temp;
  proxy_temp_path $work/proxy;
  fastcgi_temp_path $work/fastcgi;
  uwsgi_temp_path $work/uwsgi;
  scgi_temp_path $work/scgi;
  ssl_certificate $certificates/server.pem;
  ssl_certificate_key $certificates/server.key;
  ssl_protocols TLSv1.2 TLSv1.3;
  types { text/html text; }
  default_type text/html;
  server {
    listen 127.0.0.1:PORT ssl;
    listen [::1]:PORT ssl;
    root $work;
    # Through a filter that does not know how long the result is, so that it comes in chunks.
    location /chunked/ { alias $work/; ssi on; }
    location = /answer { return 200 "\$ssl_protocol \$http_host \$request_uri"; }
    location = /moved { return 301 https://localhost/; }
  }
}
CONF
start_on_free_port nginx -p "$work" -c "$config" -e "$work/nginx.log"
nginx=$pid
url=https://localhost:$port

"$examples/https_get" "$url/large" --ca "$root" | cmp - "$work/large"
"$examples/https_get" "$url/empty" --ca "$root" | cmp - "$work/empty"
expect_like "the other way" "*Transfer-Encoding: chunked*" "$(curl -sS --cacert "$root" -D - -o /dev/null "$url/chunked/text")"
"$examples/https_get" "$url/chunked/text" --ca "$root" | cmp - "$work/text"
expect "a query" "TLSv1.3 localhost:$port /answer?a=b" "$(https_get "$url/answer?a=b#c")"
expect "an IPv4 address" "TLSv1.3 127.0.0.1:$port /answer" "$(https_get "https://127.0.0.1:$port/answer")"
expect "an IPv6 address" "TLSv1.3 [::1]:$port /answer" "$(https_get "https://[::1]:$port/answer")"
expect "a file that is not there" "https_get: the server answers HTTP/1.1 404 Not Found" "$(https_get "$url/none")"
expect_like "what has moved" "https_get: the server answers HTTP/1.1 301 *" "$(https_get "$url/moved")"

expect_like "a wrong root" "https_get: *the certificate of localhost:$port was not accepted*" \
  "$(ca=$certificates/other_root.pem https_get "$url/answer")"
status=0
"$examples/https_get" "$url/answer" >"$work/body" 2>"$work/error" || status=$?
expect "the status with the machine's roots" 1 $status
expect_like "the machine's roots" "https_get: *the certificate of localhost:$port was not accepted*" "$(cat "$work/error")"
expect_like "no file of roots" "https_get: *none.pem*" "$(ca=$work/none.pem https_get "$url/answer")"
for bad in "http://localhost:$port/" https:// https://:1/ https://localhost:0/ https://localhost:65536/ \
  https://localhost:x/ 'https://[::1/' 'https://[x]/' https://me@localhost/ $'https://localhost/\n' ""; do
  expect_like "the address $bad" "https_get: \"*\" *" "$(https_get "$bad")"
done
kill -QUIT $nginx
wait $nginx || fail "nginx ends with an error"
expect_like "nobody" "https_get: *localhost:$port*refused" "$(https_get "$url/")"

# start_openssl OPTION...: its server, on $port.
start_openssl() {
  config= start_on_free_port openssl s_server -accept 127.0.0.1:PORT -www -quiet "$@"
  url=https://localhost:$port/
}
for version in 2 3; do
  start_openssl -tls1_$version -cert "$certificates/server.pem" -key "$certificates/server.key"
  expect_like "TLS 1.$version" "*<pre>*TLSv1.$version*" "$(https_get "$url")"
  kill -KILL "$pid"
done
start_openssl -cert "$certificates/other_server.pem" -key "$certificates/other_server.key"
expect_like "a wrong host" "https_get: *localhost*ostname mismatch*" "$(https_get "$url")"
start_openssl -cert "$certificates/expired.pem" -key "$certificates/expired.key"
expect_like "one that has expired" "https_get: *expired*" "$(https_get "$url")"

# answer TEXT [END]: a server that sends this to whoever asks, and then ends TLS in order; with "cut",
# it only ends the connection.
cat >"$work/answer.py" <<'PYTHON'
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1] + ".pem", sys.argv[1] + ".key")
listener = socket.create_server(("127.0.0.1", 0))
print("listening on", listener.getsockname()[1], flush=True)
plain = listener.accept()[0]
tls = context.wrap_socket(plain, server_side=True)
request = b""
while b"\r\n\r\n" not in request:
    request += tls.recv(65536)
tls.sendall(sys.argv[2].encode().decode("unicode_escape").encode("latin-1"))
try:
    if len(sys.argv) == 4:
        tls.shutdown(socket.SHUT_WR)
        while tls.recv(1000):
            pass
    else:
        tls.unwrap().close()
except OSError:  # it did not wait for the end
    pass
PYTHON
answer() {
  start_server python3 "$work/answer.py" "$certificates/server" "$@"
  https_get "https://localhost:$port/"
}
ok='HTTP/1.1 200 OK\r\n'
expect "a body to the end" hello "$(answer "$ok\r\nhello")"
expect_like "one that is cut off" "https_get: *" "$(answer "$ok\r\nhello" cut)"
expect "one of known length" hello "$(answer "${ok}Content-Length: 5\r\n\r\nhello" cut)"
expect "one byte short" "https_get: the body was cut off, 1 of 6 bytes before its end" \
  "$(answer "${ok}Content-Length: 6\r\n\r\nhello")"
expect_like "cut off short of it" "https_get: *" "$(answer "${ok}Content-Length: 6\r\n\r\nhello" cut)"
chunked="${ok}Transfer-Encoding: chunked\r\n\r\n"
expect "chunks" "hello world" "$(answer "${chunked}5\r\nhello\r\n006;name=value\r\n world\r\n0\r\nTrailer: x\r\n\r\n")"
expect_like "without the last one" "https_get: the answer was cut off*" "$(answer "${chunked}5\r\nhello\r\n")"
expect_like "in the middle of one" "https_get: the body was cut off*" "$(answer "${chunked}6\r\nhello")"
expect_like "longer than it says" "https_get: a chunk is longer*" "$(answer "${chunked}4\r\nhello\r\n0\r\n\r\n")"
expect_like "no size" "https_get: this is no size of a chunk*" "$(answer "${chunked}-1\r\n\r\n")"
expect_like "two lengths" "https_get: the length*" "$(answer "${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello")"
expect_like "an unknown encoding" "https_get: *gzip*" "$(answer "${ok}Transfer-Encoding: gzip\r\n\r\nhello")"
expect "what is to come yet" hello "$(answer "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${ok}Content-Length: 5\r\n\r\nhello")"
expect_like "no HTTP" "https_get: this is no HTTP: hello" "$(answer 'hello\r\n')"
expect_like "nothing" "https_get: the answer was cut off*" "$(answer '')"
