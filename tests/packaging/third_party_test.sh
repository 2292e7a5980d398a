# Libraries that are looked for when somebody asks for them: here, the system's copies.
. "$(dirname "$0")/common.sh"

configure "$here/third_party" build -DCMAKE_CXX_COMPILER="$compiler" -DASYNC_UV_SOURCE_DIR="$source" >"$work/output"
if grep "building it" "$work/output"; then fail "the system's copy was not found"; fi
ninja -C "$work/build" --quiet boringssl google_benchmark
"$work/build/boringssl"
"$work/build/google_benchmark" >"$work/output" 2>&1
grep -q '^nothing' "$work/output" || fail "the benchmark says: $(cat "$work/output")"
