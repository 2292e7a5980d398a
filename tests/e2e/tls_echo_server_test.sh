# tls_echo_server with OpenSSL's client, and its certificate replaced while clients are there.
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/common_of_tls.sh"

cp "$certificates/server.pem" "$work/cert.pem"
cp "$certificates/server.key" "$work/key.pem"
start_server "$examples/tls_echo_server" 0 "$work/cert.pem" "$work/key.pem"
server=$pid
server_says=$output

# The client takes a line that begins with a certain letter for a command; no digit is one.
head -c 700000 /dev/urandom | od -An -v -tx1 >"$work/sent"
size=$(stat -c %s "$work/sent")
for version in -tls1_2 -tls1_3; do
  converse $version
  echo hi >&"$says"
  expect "$version" hi "$(read_from "$output")"
  cat "$work/sent" >&"$says" &
  sender=$!
  head -c "$size" <&"$output" >"$work/received"
  wait $sender
  cmp "$work/sent" "$work/received"
  exec {says}>&-
  wait "$pid" || fail "s_client $version ends with an error"
done

# Who has connected before the certificate was replaced stays, and sees nothing of it.
converse
old_says=$says old_hears=$output old=$pid
echo before >&"$old_says"
expect "before the reload" before "$(read_from "$old_hears")"
before=$(fingerprint)
expect "the certificate" "$(openssl x509 -in "$certificates/server.pem" -noout -fingerprint -sha256)" "$before"

# One that is of no use changes nothing.
echo "no certificate" >"$work/cert.pem"
kill -HUP $server
expect_like "a bad reload" "not reloaded: *cert.pem*" "$(read_from "$server_says")"
expect "the certificate after a bad reload" "$before" "$(fingerprint)"
cp "$certificates/stranger.pem" "$work/cert.pem"
kill -HUP $server
expect_like "one without its key" "not reloaded: *" "$(read_from "$server_says")"
expect "the certificate without its key" "$before" "$(fingerprint)"

openssl req -new -key "$work/key.pem" -subj /CN=replaced -out "$work/replaced.csr" 2>/dev/null
openssl x509 -req -in "$work/replaced.csr" -CA "$root" -CAkey "$certificates/root.key" -CAcreateserial \
  -days 30 -extfile <(echo "subjectAltName=DNS:localhost") -out "$work/replaced.pem" 2>/dev/null
cp "$work/replaced.pem" "$work/cert.pem"
kill -HUP $server
expect "a reload" reloaded "$(read_from "$server_says")"
after=$(openssl x509 -in "$work/replaced.pem" -noout -fingerprint -sha256)
[ "$after" != "$before" ] || fail "the replaced certificate is the same"
for version in -tls1_2 -tls1_3; do
  expect "the certificate after the reload, $version" "$after" "$(fingerprint $version)"
done
echo after >&"$old_says"
expect "the old connection" after "$(read_from "$old_hears")"
exec {old_says}>&-
wait "$old" || fail "the old client ends with an error"

# refused OPTION...: whether a client with those gets no connection.
refused() { ! openssl s_client -connect "127.0.0.1:$port" "$@" </dev/null >/dev/null 2>&1; }
any=ALL:@SECLEVEL=0
refused -tls1_1 -cipher $any || fail "TLS 1.1 is served"
# Neither what lets old sessions be read with the key, nor what was fallen for again and again (CBC).
for cipher in AES128-GCM-SHA256 ECDHE-ECDSA-AES256-SHA ECDHE-ECDSA-AES128-SHA256; do
  refused -tls1_2 -cipher $cipher:@SECLEVEL=0 || fail "$cipher is served"
done
for cipher in ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305; do
  refused -tls1_2 -cipher $cipher && fail "$cipher is not served"
done

# Who does not speak TLS, or leaves in the middle, is nobody's loss.
printf 'GET / HTTP/1.0\r\n\r\n' | nc -N 127.0.0.1 "$port" >/dev/null
converse
echo hi >&"$says"
expect "hi" hi "$(read_from "$output")"
kill -KILL "$pid"
exec {says}>&-
expect "the certificate in the end" "$after" "$(fingerprint)"

# It ends in order though a client is there.
converse
echo hi >&"$says"
expect "hi again" hi "$(read_from "$output")"
client_hears=$output
pid=$server
stop TERM
if read -r -t 20 -u "$client_hears" line; then fail "the server still says: $line"; fi

for arguments in "$work/none.pem $work/key.pem" "$work/cert.pem $work/none.pem" "$work/cert.pem $root"; do
  status=0
  "$examples/tls_echo_server" 0 $arguments >"$work/answer" 2>"$work/error" || status=$?
  expect "the status with $arguments" 1 $status
  expect_like "what it says with $arguments" "*.pem*" "$(cat "$work/error")"
done
