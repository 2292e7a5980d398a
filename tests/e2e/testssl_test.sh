# https_server and tls_echo_server looked at by testssl.sh, which finds nothing that would have to be better.
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/common_of_tls.sh"

# signed NAME KEY_OPTION...: a certificate for longer than what testssl takes for soon over.
signed() {
  openssl req "${@:2}" -nodes -keyout "$work/$1.key" -out "$work/$1.csr" -subj /CN=localhost 2>/dev/null
  openssl x509 -req -in "$work/$1.csr" -CA "$root" -CAkey "$certificates/root.key" -CAcreateserial -days 300 \
    -extfile <(printf '%s\n' subjectAltName=DNS:localhost extendedKeyUsage=serverAuth) -out "$work/$1.pem" 2>/dev/null
}
signed ec -newkey ec -pkeyopt ec_paramgen_curve:P-256
signed rsa -newkey rsa:2048

# What is above LOW, but what these have: nothing is known to the outside that could revoke a certificate
# made by hand, and OpenSSL as Debian has it knows no GOST, for which testssl would look as well.
cat >"$work/findings.py" <<'PYTHON'
import json, sys
allowed = {"cert_revocation", "engine_problem"}
findings = json.load(open(sys.argv[1]))
by_id = {one["id"]: one for one in findings}
for one in findings:
    if one["severity"] not in ("OK", "INFO", "LOW", "DEBUG") and one["id"] not in allowed:
        print(one["id"], one["severity"], one["finding"])
# It has come to its end, and looked at what was asked for.
for wanted in sys.argv[2:]:
    if wanted not in by_id:
        print(wanted, "is missing")
PYTHON

# look_at ADDRESS OPTIONS ID...: and among what it finds are these.
look_at() {
  local begin=$SECONDS
  testssl --quiet --color 0 --warnings off --nodns none --ip 127.0.0.1 --connect-timeout 20 --openssl-timeout 20 \
    --add-ca "$root" --jsonfile "$work/findings.json" $2 "$1" </dev/null >"$work/testssl.log" 2>&1 || true
  echo "looking at $1 took $((SECONDS - begin)) s"
  expect "what is found at $1" "" "$(python3 "$work/findings.py" "$work/findings.json" "${@:3}")"
  rm "$work/findings.json"
}

start_server "$examples/https_server" 0 "$work/ec.pem" "$work/ec.key"
look_at "https://localhost:$port" "--protocols --std --fs --server-preference --server-defaults --headers --vulnerable" \
  TLS1_1 TLS1_3 PFS cert_chain_of_trust X-Content-Type-Options heartbleed CCS ticketbleed secure_renego \
  secure_client_renego CRIME_TLS BREACH POODLE_SSL fallback_SCSV SWEET32 FREAK DROWN LOGJAM BEAST LUCKY13 RC4
stop TERM
# Of what a key of this kind could do besides, the worst is to let the exchange of keys be seen through.
start_server "$examples/tls_echo_server" 0 "$work/rsa.pem" "$work/rsa.key"
look_at "localhost:$port" "--protocols --std --fs --server-preference --robot --sweet32 --lucky13" \
  TLS1_1 TLS1_3 PFS ROBOT SWEET32 LUCKY13
stop TERM
