#!/usr/bin/env bash
# make_certificates.sh FOLDER: certificates for tests, made by OpenSSL's program.  Each NAME.pem has a key
# NAME.key; all but those of the roots are signed by `root`.
#
# It makes them once a day, for all tests that share the folder, and one at a time.
set -euo pipefail
mkdir -p "$1"
script=$(realpath "$0")
cd "$1"
exec {lock}>lock
flock "$lock"
if [ made -nt "$script" ] && [ -n "$(find made -mmin -1440)" ]; then exit 0; fi
find . -mindepth 1 ! -name lock -delete

# root NAME: signs itself.
root() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.pem" \
    -subj "/CN=$1" -days 30 -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}

# requested NAME [OPTIONS OF THE KEY...]: a key, and a request for a certificate.
requested() {
  local kind=("${@:2}")
  [ $# -gt 1 ] || kind=(ec -pkeyopt ec_paramgen_curve:P-256)
  openssl req -newkey "${kind[@]}" -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1"
}

# signed NAME SIGNER EXTENSIONS [OPTION...]: requests it, unless that was done.
signed() {
  [ -f "$1.csr" ] || requested "$1"
  openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -out "$1.pem" \
    -extfile <(printf '%s\n' "$3") "${@:4}"
}

{
  root root
  root other_root
  signed server root "subjectAltName=DNS:server,DNS:localhost,DNS:*.wild.example,IP:127.0.0.1,IP:::1" -days 30
  signed other_server root "subjectAltName=DNS:other" -days 30
  signed expired root "subjectAltName=DNS:server" -days -1
  signed stranger other_root "subjectAltName=DNS:server" -days 30
  signed client root "extendedKeyUsage=clientAuth" -days 30
  signed middle root "basicConstraints=critical,CA:TRUE" -days 30
  signed below_middle middle "subjectAltName=DNS:server" -days 30
  cat below_middle.pem middle.pem >chain.pem
  cp below_middle.key chain.key
  requested rsa rsa:2048
  signed rsa root "subjectAltName=DNS:server,DNS:rsa,DNS:localhost,IP:127.0.0.1" -days 30
  requested p384 ec -pkeyopt ec_paramgen_curve:P-384
  signed p384 root "subjectAltName=DNS:server" -days 30
  signed wildcard root "subjectAltName=DNS:*.wild.example" -days 30
  signed address root "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost" -days 30
  signed stranger_client other_root "extendedKeyUsage=clientAuth" -days 30

  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout self_signed.key -out self_signed.pem \
    -subj /CN=self_signed -days 30 -addext subjectAltName=IP:127.0.0.1

  # What a folder of roots looks like.
  mkdir roots && cp root.pem roots/ && openssl rehash roots

  # Dates and lists of what was revoked are given by openssl-ca(1) only.
  printf '%s\n' '[ca]' 'default_ca = own' '[own]' 'database = database' 'serial = next' 'new_certs_dir = .' \
    'default_md = sha256' 'policy = any' 'default_crl_days = 30' '[any]' 'commonName = supplied' >ca.conf
  touch database && echo 1000 >next
  ca() { openssl ca -batch -config ca.conf -cert "$1.pem" -keyfile "$1.key" "${@:2}"; }
  requested not_yet
  ca root -in not_yet.csr -out not_yet.pem -notext -startdate 20980101000000Z -enddate 20990101000000Z \
    -extfile <(echo "subjectAltName=DNS:server,IP:127.0.0.1")
  signed revoked root "subjectAltName=DNS:server,IP:127.0.0.1" -days 30
  ca root -revoke revoked.pem
  ca root -gencrl -out root.crl
  touch made
} >log 2>&1 || { cat log >&2; exit 1; }
