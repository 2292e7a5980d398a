# The sources are part of another project, which does not get their tests and examples.
. "$(dirname "$0")/common.sh"

copy_programs
configure "$here/consumer" consumer -DCMAKE_CXX_COMPILER="$compiler" -DPROGRAMS="$work/programs" \
  -DASYNC_UV_SOURCE_DIR="$source" >/dev/null
build_and_run_programs consumer
if ninja -C "$work/consumer" -t targets all | grep -q async_uv_tls; then fail "TLS was not asked for"; fi
strangers=$(ninja -C "$work/consumer" -t targets all | grep -E '_tests|example_' || true)
[ -z "$strangers" ] || fail "built as well: $strangers"
