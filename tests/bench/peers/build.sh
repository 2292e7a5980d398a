#!/usr/bin/env bash
# build.sh OUT: builds the peers that CMake does not build, each as OUT/NAME.  One that does not build, for
# lack of a compiler say, is left out.
set -euo pipefail
out=$(realpath "$1")
cd "$(dirname "$0")"
work=$out/peers
mkdir -p "$work"

# build NAME FUNCTION: unless OUT/NAME is newer than its sources.
build() {
  local name=$1
  if [ -x "$out/$name" ] && [ -z "$(find "$name" -newer "$out/$name" -type f)" ]; then return; fi
  rm -rf "${work:?}/$name"
  cp -r "$name" "$work/$name"
  if ! (cd "$work/$name" && "build_$name") >"$work/$name.log" 2>&1; then
    echo "$name does not build: $(grep -m1 -iE 'error|not found' "$work/$name.log" || tail -1 "$work/$name.log")" >&2
  fi
}

build_go() { GOCACHE=$work/go_cache GO111MODULE=off go build -o "$out/go" main.go; }

build_lwt() { ocamlfind ocamlopt -thread -inline 200 -package lwt,lwt.unix,threads.posix -linkpkg -o "$out/lwt" server.ml; }

# Debian's cargo and its crates.  Another cargo may come first in PATH.
build_tokio() {
  local cargo=/usr/bin/cargo
  [ -x "$cargo" ] || cargo=cargo
  RUSTC=$([ -x /usr/bin/rustc ] && echo /usr/bin/rustc || echo rustc) \
    CARGO_TARGET_DIR=$work/tokio/target "$cargo" build --release --offline
  cp target/release/bench_tokio "$out/tokio"
}

build go
build lwt
build tokio
