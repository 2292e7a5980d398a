# Sourced after common.sh by the tests of TLS: $certificates has those that make_certificates.sh makes.
certificates=$work/certificates
mkdir "$certificates"
bash "$(dirname "${BASH_SOURCE[0]}")/../tls/make_certificates.sh" "$certificates"
root=$certificates/root.pem

# OpenSSL's client, which wants the server of $port to be "localhost".
s_client=(openssl s_client -CAfile "$root" -verify_return_error -verify_hostname localhost -servername localhost)

# converse OPTION...: starts it. Descriptor $says is what it sends, and $output what it receives.
converse() {
  local pipe
  pipe=$(mktemp -u "$work/says.XXXXXX")
  mkfifo "$pipe"
  start bash -c 'pipe=$1; shift; exec "$@" <"$pipe" 2>"$pipe.log"' - "$pipe" \
    "${s_client[@]}" -connect "127.0.0.1:$port" -quiet -no_ign_eof "$@"
  exec {says}>"$pipe"
}

# fingerprint: that of the certificate which the server of $port shows.
fingerprint() {
  "${s_client[@]}" -connect "127.0.0.1:$port" "$@" </dev/null 2>/dev/null |
    openssl x509 -noout -fingerprint -sha256
}

# https_get ARGUMENT...: what the example of that name prints; or how it fails, which is with status 1.
https_get() {
  local status=0
  "$examples/https_get" "$@" --ca "${ca:-$root}" >"$work/body" 2>"$work/error" || status=$?
  if [ $status = 0 ]; then
    cat "$work/body"
  else
    [ $status = 1 ] || fail "https_get $* ends with $status: $(cat "$work/error")"
    cat "$work/error"
  fi
}
