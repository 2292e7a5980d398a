# With a BoringSSL of its own the library works in a program that loads OpenSSL as well, by libcurl. It is built from its
# source, which is expected in $BORINGSSL_SOURCE_DIR, at the commit that third_party/build_boringssl.cmake names.
# (That the library refuses with the system's is tested with the installed package.)
. "$(dirname "$0")/common.sh"

if [ -z "${BORINGSSL_SOURCE_DIR:-}" ]; then
  echo "SKIPPED: no BORINGSSL_SOURCE_DIR, so that both work with a BoringSSL of its own was not tested."
  exit 77
fi
copy_programs
configure "$here/consumer" own -DCMAKE_CXX_COMPILER="$compiler" -DPROGRAMS="$work/programs" \
  -DASYNC_UV_SOURCE_DIR="$source" -DWITH_TLS=ON -DWITH_CURL=ON -DASYNC_UV_BUILD_BORINGSSL=ON \
  -DFETCHCONTENT_SOURCE_DIR_BORINGSSL="$BORINGSSL_SOURCE_DIR" >"$work/output" 2>&1 || fail "$(cat "$work/output")"
ninja -C "$work/own" --quiet tls_and_curl >"$work/output" 2>&1 || fail "$(cat "$work/output")"
output=$(run_tls "$work/own/tls_and_curl")
[[ $output == *encrypted ]] || fail "it says: $output"
