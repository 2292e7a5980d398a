#!/usr/bin/env bash
# build.sh OUT: builds the peers that CMake does not build, each as OUT/peers/NAME.  One that does not build,
# for lack of a compiler say, is left out.
set -euo pipefail
out=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out/peers"

# build NAME COMMAND...: out of peers/NAME, unless it is newer than its sources.
build() {
  local name=$1 work=$out/$1
  if [ -x "$out/peers/$name" ] && [ -z "$(find "$here/peers/$name" -newer "$out/peers/$name" -type f)" ]; then return; fi
  rm -rf "$work" "$out/peers/$name"
  cp -r "$here/peers/$name" "$work"  # these compilers write beside their sources
  (cd "$work" && "${@:2}") >"$out/$name.log" 2>&1 || echo "$name does not build: see $out/$name.log" >&2
}

build_go() { GO111MODULE=off go build -o "$out/peers/go" main.go; }

build_lwt() {
  ocamlfind ocamlopt -thread -inline 200 -unsafe -package threads.posix,lwt,lwt.unix -linkpkg -o "$out/peers/lwt" core.ml
}

# Debian's cargo, with the crates that it packages.
build_tokio() {
  CARGO_TARGET_DIR=$out/tokio.target /usr/bin/cargo build --release --offline
  cp "$out/tokio.target/release/core" "$out/peers/tokio"
}

build go build_go
build lwt build_lwt
build tokio build_tokio
