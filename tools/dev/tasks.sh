# shellcheck shell=bash
# The tasks of ./dev, a function each.

task_build() {
  install_packages
  build
  say "Binaries are in build/bin"
}

task_test() {
  install_packages
  install_peers
  build
  conformance
  run_tests release "$@"
}

task_sanitize() {
  install_packages
  install_peers
  sanitize
}

task_fmt() { format; }

task_lint() {
  build
  lint
}

# usage: fuzz NAME SECONDS; the corpus in the tree is read, what is found goes under the state folder
task_fuzz() {
  local name=${1:?./dev fuzz NAME SECONDS} seconds=${2:-60}
  [ -d "$TOP/tests/fuzz/$name" ] || fatal "no fuzz target \"$name\" under tests/fuzz/"
  build fuzz "fuzz_$name"
  mkdir -p "$STATE/fuzz/$name"
  "$BUILD/fuzz/bin/fuzz_$name" -max_total_time="$seconds" -artifact_prefix="$STATE/fuzz/$name-" "$STATE/fuzz/$name" "$TOP/tests/fuzz/$name"
}

# usage: sim SEED [option of build/bin/sim...]
task_sim() {
  local seed=${1:?./dev sim SEED}
  shift
  install_packages
  build
  "$BUILD/bin/sim" --seed "$seed" "$@"
}

# The golden examples of one adapter, with a readable difference.
task_adapter() {
  local name=${1:?./dev adapter NAME}
  [ -d "$TOP/adapters/$name" ] || fatal "no folder adapters/$name"
  build
  "$BUILD/bin/isthmus" adapter test "$TOP/adapters/$name"
}

# Tasks that exist only once their folder does.
optional_help() {
  [ ! -d "$TOP/adapters" ] || say "  adapter NAME         run the golden examples of adapters/NAME"
  [ ! -d "$TOP/tests/fuzz" ] || say "  fuzz NAME SECONDS    explore one of tests/fuzz with libFuzzer"
  say "  sim SEED [--trace]   replay one simulated cluster"
}

# Holds every request of the adapters' golden examples against the vendors' descriptions, where those are at hand
# beside the clone. They are other people's files under their own licences, so they are not part of the repository.
conformance() {
  local folder=$TOP/../shared/conformance requests=$STATE/requests.jsonl
  if [ ! -e "$folder/check.mjs" ] || [ ! -d "$TOP/adapters" ]; then return 0; fi
  say "Requests of the adapters against the vendors' descriptions"
  "$BUILD/bin/isthmus" adapter render --golden "$TOP"/adapters/*/ >"$requests" || return
  node "$TOP/tests/peers/conformance.mjs" "$folder" "$requests" "$PEER_MODULES"
}
