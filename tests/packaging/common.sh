# Sourced by the tests here, whose arguments are the folders of the sources and of the build, the compiler, and
# what find_program(g++-12) found.
set -euo pipefail

source=$1 build=$2 compiler=$3 gcc_12=$4
here=$source/tests/packaging
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "$*" >&2
  exit 1
}

install_it() {
  cmake --install "$build" --prefix "$work/installed" >/dev/null
}

# configure PROJECT FOLDER OPTION...: in $work/FOLDER.
configure() {
  cmake -S "$1" -B "$work/$2" -G Ninja "${@:3}"
}

# build_and_run_programs FOLDER: those of the consumer.
build_and_run_programs() {
  ninja -C "$work/$1" --quiet
  local output
  for program in deferreds core_alone; do
    output=$("$work/$1/$program")
    [ "$(tail -n 1 <<<"$output")" = 10 ] || fail "$program says: $output"
  done
  output=$("$work/$1/handler_errors" "$work/socket")
  [ "$(tail -n 1 <<<"$output")" = ok ] || fail "handler_errors says: $output"
}

# run_tls PROGRAM: what a program of the consumer's tls.cc says.
run_tls() {
  # It trusts its own certificate, so that has to be one that signs itself.
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key" -out "$work/certificate" \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost -days 2 2>/dev/null
  "$1" "$work/certificate" "$work/key" 2>&1 || true
}

# build_and_run_tls FOLDER
build_and_run_tls() {
  ninja -C "$work/$1" --quiet tls
  local output
  output=$(run_tls "$work/$1/tls")
  [ "$output" = encrypted ] || fail "tls says: $output"
}

copy_programs() {
  mkdir "$work/programs"
  cp "$source"/examples/{deferreds,echo_server,handler_errors,scoped_client}.cc "$work/programs"
}

# expect_refusal FILE: it says in one sentence what is wrong with the compiler, and what to use instead.
expect_refusal() {
  local text
  text=$(tr -s ' \n' ' ' <"$1")
  [[ $text == *"async_uv: this compiler (GNU 12"*") destroys the temporaries of a co_await expression twice; use clang++-19 (Debian's package clang-19): -DCMAKE_CXX_COMPILER=clang++-19."* ]] ||
    fail "it says: $text"
  [ "$(grep -c '^CMake Error' "$1")" = 1 ] || fail "it says more than that: $text"
}
