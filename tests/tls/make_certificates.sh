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

  # With a key of RSA.
  openssl req -newkey rsa:2048 -nodes -keyout rsa_server.key -out rsa_server.csr -subj /CN=rsa_server
  openssl x509 -req -in rsa_server.csr -CA root.pem -CAkey root.key -CAcreateserial -out rsa_server.pem \
    -extfile <(echo "subjectAltName=DNS:server,DNS:localhost,IP:127.0.0.1") -days 30

  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout self_signed.key -out self_signed.pem \
    -subj /CN=self_signed -days 30 -addext subjectAltName=IP:127.0.0.1

  # Not yet valid; and revoked, by the list root.crl.pem, which is for those of `root`.
  touch index.txt
  cat >ca.conf <<CONF
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
default_crl_days = 30
policy = any
copy_extensions = none
x509_extensions = extensions
[any]
commonName = supplied
[extensions]
subjectAltName = DNS:server,IP:127.0.0.1
CONF
  # by_ca NAME START END
  by_ca() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1"
    openssl ca -batch -config ca.conf -cert root.pem -keyfile root.key -in "$1.csr" -out "$1.pem" -notext \
      -startdate "$2" -enddate "$3"
  }
  tomorrow=$(date -u -d tomorrow +%Y%m%d%H%M%SZ)
  next_month=$(date -u -d '+30 days' +%Y%m%d%H%M%SZ)
  by_ca future "$tomorrow" "$next_month"
  by_ca revoked "$(date -u -d yesterday +%Y%m%d%H%M%SZ)" "$next_month"
  openssl ca -config ca.conf -cert root.pem -keyfile root.key -revoke revoked.pem
  openssl ca -config ca.conf -cert root.pem -keyfile root.key -gencrl -out root.crl.pem
} >log 2>&1 || { cat log >&2; exit 1; }
