#!/usr/bin/env bash
# make_certificates.sh FOLDER: certificates for tests, made by OpenSSL's program.  Each NAME.pem has a key
# NAME.key; all but those of the roots are signed by `root`.
set -euo pipefail
cd "$1"

# root NAME: signs itself.
root() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.pem" \
    -subj "/CN=$1" -days 30 -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}

# signed NAME SIGNER EXTENSIONS [OPTION...]
signed() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1"
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
} >log 2>&1 || { cat log >&2; exit 1; }
