# https_server with curl, and with what is no HTTP.
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/common_of_tls.sh"

start_server "$examples/https_server" 0 "$certificates/server.pem" "$certificates/server.key" "$root"
url=https://localhost:$port
get() { curl -sS --cacert "$root" "$@"; }

# tells LINE ANSWER: it is one of those of the answer.
tells() { grep -qxF "$1" <<<"$2" || fail "no line '$1' in: $2"; }

answer=$(get "$url/")
tells "TLS 1.3" "$answer"
tells "protocol: http/1.1" "$answer"
tells "asked for: localhost" "$answer"
expect_like "who asks" "*"$'\n'"you are: anybody, at 127.0.0.1:[1-9]*" "$answer"
tells "TLS 1.3" "$(get --http1.1 "$url/?a=question")"
tells "asked for: no name" "$(get "https://127.0.0.1:$port/")"
tells "asked for: no name" "$(get "https://[::1]:$port/")"
answer=$(get --tls-max 1.2 --ciphers ECDHE-ECDSA-AES256-GCM-SHA384 "$url/")
tells "TLS 1.2" "$answer"
tells "cipher: TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" "$answer"
tells "protocol: none agreed upon" "$(get --no-alpn "$url/")"

# Several in one connection.
get -o /dev/null -o /dev/null -o /dev/null -w '%{http_code} %{num_connects}\n' "$url/" "$url/nothing" "$url/" \
  >"$work/connects"
expect "keep-alive" "200 1
404 0
200 0" "$(cat "$work/connects")"
get -0 -o /dev/null -o /dev/null -w '%{http_code} %{num_connects}\n' "$url/" "$url/" >"$work/connects"
expect "HTTP/1.0" "200 1
200 1" "$(cat "$work/connects")"

# status ARGUMENT...: of the answer.
status() { get -o /dev/null -w '%{http_code}' "$@"; }
expect "a path that is not there" 404 "$(status "$url/favicon.ico")"
expect "another name for the path" 200 "$(status --request-target "https://localhost/" "$url")"
expect "HEAD" 200 "$(status --head "$url/")"
expect_like "the length of HEAD" "*Content-Length: [1-9]*" "$(get --head "$url/")"
head -c 3000000 /dev/zero >"$work/body"
expect_like "POST" "HTTP/1.1 405 *"$'\n'"Allow: GET, HEAD"* "$(get -i -d hello "$url/")"
expect "POST in chunks" 405 "$(status -H "Transfer-Encoding: chunked" -d hello "$url/")"
expect "PUT of much" 405 "$(status -T "$work/body" "$url/")"
expect "GET with a body" 200 "$(status -X GET -d hello "$url/")"
expect "no host" 400 "$(status -H Host: "$url/")"
expect "a header of no use" 400 "$(status -H "No Name: x" "$url/")"
expect "a long header" 431 "$(status -H "Long: $(head -c 9000 /dev/zero | tr '\0' x)" "$url/")"
expect "a long address" 414 "$(status "$url/$(head -c 9000 /dev/zero | tr '\0' x)")"
many=()
for ((n = 0; n < 40; ++n)); do many+=(-H "Header-$n: $(head -c 1000 /dev/zero | tr '\0' x)"); done
expect "many headers" 431 "$(status "${many[@]}" "$url/")"

# Who the client is.
tells "you are: CN=client, at" "$(get --cert "$certificates/client.pem" --key "$certificates/client.key" "$url/" |
  sed 's/ at .*/ at/')"
code=0
get --cert "$certificates/stranger.pem" --key "$certificates/stranger.key" "$url/" >/dev/null 2>&1 || code=$?
[ $code != 0 ] || fail "a client that a stranger vouches for is served"

# curl_fails WANTED ARGUMENT...: with that status.
curl_fails() {
  local code=0
  curl -sS "${@:2}" >/dev/null 2>"$work/error" || code=$?
  expect "the status of curl ${*:2}" "$1" $code
}
curl_fails 60 --cacert "$certificates/other_root.pem" "$url/"
curl_fails 60 --cacert "$root" --connect-to "other.name:$port:localhost:$port" "https://other.name:$port/"
curl_fails 60 "$url/"

# By hand: requests in one go, and no request.
raw() { printf "$1" | "${s_client[@]}" -connect "localhost:$port" -quiet 2>/dev/null | tr -d '\r'; }
get_line='GET / HTTP/1.1\r\nHost: x\r\n'
expect "three in one go" 3 "$(raw "$get_line\r\n$get_line\r\n${get_line}Connection: close\r\n\r\n" | grep -c '^HTTP/1.1 200 OK')"
expect_like "an empty line first" "HTTP/1.1 200 OK"* "$(raw "\r\n${get_line}Connection: close\r\n\r\n")"
for bad in 'hello\r\n\r\n' ' \r\n\r\n' 'GET / HTTP/1.1 \r\n\r\n' 'GET /\r\n\r\n' 'GET  HTTP/1.1\r\n\r\n' \
  "${get_line}Host: y\r\n\r\n" "${get_line}Content-Length : 3\r\n\r\n" "${get_line}Content-Length: -3\r\n\r\n" \
  "${get_line}a: b\r\n c\r\n\r\n"; do
  expect_like "the answer to $bad" "HTTP/1.1 400 Bad Request"*"Connection: close"* "$(raw "$bad")"
done
expect_like "HTTP/2" "HTTP/1.1 505 *" "$(raw 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')"

# Who stops in the middle of a request is waited for, and stops nobody.
converse
printf 'GET / HT' >&"$says"
tells "TLS 1.3" "$(get "$url/")"
pid_of_client=$pid
exec {says}>&-
wait "$pid_of_client" || fail "the client ends with an error"
start_server "$examples/https_server" 0 "$certificates/server.pem" "$certificates/server.key"
tells "TLS 1.3" "$(get "https://localhost:$port/")"
stop INT
pid=${pids[0]}
stop TERM
