# A program that loads OpenSSL as well, by libcurl. With the system's BoringSSL the library refuses; with one of its
# own both work. That has to be built from its source, which is expected in $BORINGSSL_SOURCE_DIR, at the commit that
# third_party/build_boringssl.cmake names.
. "$(dirname "$0")/common.sh"

# beside OPTION...: what a program says that is built with these.
beside() {
  configure "$here/consumer" "$1" -DCMAKE_CXX_COMPILER="$compiler" -DPROGRAMS="$work/programs" \
    -DASYNC_UV_SOURCE_DIR="$source" -DWITH_TLS=ON -DWITH_CURL=ON -DCMAKE_BUILD_TYPE=Debug "${@:2}" >"$work/output" 2>&1 ||
    fail "$(cat "$work/output")"
  ninja -C "$work/$1" --quiet tls_and_curl >"$work/output" 2>&1 || fail "$(cat "$work/output")"
  run_tls "$work/$1/tls_and_curl"
}

copy_programs
output=$(beside system)
[[ $output == *"this program has loaded OpenSSL as well"*ASYNC_UV_BUILD_BORINGSSL* ]] || fail "it says: $output"

if [ -z "${BORINGSSL_SOURCE_DIR:-}" ]; then
  echo "SKIPPED: no BORINGSSL_SOURCE_DIR, so that both work with a BoringSSL of its own was not tested."
  exit 0
fi
output=$(beside own -DASYNC_UV_BUILD_BORINGSSL=ON -DFETCHCONTENT_SOURCE_DIR_BORINGSSL="$BORINGSSL_SOURCE_DIR")
[[ $output == *encrypted ]] || fail "with its own it says: $output"
