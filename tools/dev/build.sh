# shellcheck shell=bash
# Build, tests and the programs that judge the source.

# ccache only hits when paths and times do not enter its key; -fpch-preprocess is what it needs for precompiled headers.
use_ccache() {
  export CCACHE_DIR=${CCACHE_DIR:-$STATE/ccache} CCACHE_BASEDIR=$TOP CCACHE_NOHASHDIR=1
  export CCACHE_SLOPPINESS=pch_defines,time_macros
}

# usage: build [preset [target...]]; the first run configures, Ninja configures again when a CMake file changes
build() {
  local preset=${1:-release} dir=$BUILD
  shift $(($# > 0 ? 1 : 0))
  [ "$preset" = release ] || dir=$BUILD/$preset
  use_ccache
  mkdir -p "$dir"
  if [ ! -e "$dir/build.ninja" ]; then
    progress "configure-$preset" "configuring ($preset)" cmake -S "$TOP" --preset "$preset" || return
  fi
  if [ "$(ninja -C "$dir" -n "$@" | tail -n 1)" = "ninja: no work to do." ]; then return 0; fi
  progress "build-$preset" "building ($preset)" ninja -C "$dir" "$@"
}

# usage: run_tests [preset] [ctest argument...]; ctest's closing line stays the last one
run_tests() {
  local preset=$1 dir=$BUILD
  shift
  [ "$preset" = release ] || dir=$BUILD/$preset
  ctest --test-dir "$dir" --output-on-failure -j "$(nproc)" "$@"
}

sanitize() {
  local preset
  for preset in asan tsan; do
    build "$preset" || return
    say "Tests under $preset"
    run_tests "$preset" || return
  done
}

cpp_files() { git -C "$TOP" ls-files '*.cpp' '*.h'; }

format() {
  command -v clang-format >/dev/null || fatal "clang-format is not installed (apt-get install clang-format)"
  (cd "$TOP" && cpp_files | xargs -r clang-format -i "$@")
}

lint() {
  command -v clang-tidy >/dev/null || fatal "clang-tidy is not installed (apt-get install clang-tidy clang-format)"
  format --dry-run --Werror || return
  if command -v shellcheck >/dev/null; then
    (cd "$TOP" && shellcheck -x dev .ci/run tools/dev/*.sh tests/peers/*.sh) || return
  fi
  python3 "$TOP/tools/tidy.py" || return
  say "clang-tidy (about 10 s a file)"
  # g++'s own warning options are unknown to clang.
  (cd "$TOP" && git ls-files '*.cpp' | xargs -r -P "$(nproc)" -n 4 \
    clang-tidy -p "$BUILD" --quiet --extra-arg=-Wno-unknown-warning-option 2> >(grep -v 'warnings\? generated' >&2))
}
