# shellcheck shell=bash
# ./dev bench: every figure beside a control of the same run; docs/benchmarks.md says what is measured.

bench_help() {
  cat <<'TEXT'
usage: ./dev bench [accept] [through] [map] [memory [EVENTS]]

  accept    signed webhooks of 3 kB that the daemon answers after their commit; control: its own insert statement
  through   accepted, routed, mapped, decided, archived, delivered to a sink; control: the same SQL alone
  map       twenty fields of a 3 kB event; control: libjq doing the same
  memory    what the daemon holds idle and over 1,000,000 events (or EVENTS); takes many minutes

Without a name: accept, through and map. The daemon is the one in build/bin, PostgreSQL a private one with fsync on, and
both share the processors with the generator. Nothing is asserted: the table at the end says which goals were met.
TEXT
}

task_bench() {
  local wanted=() memory_events=0
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help) bench_help && return 0 ;;
      accept | through | map) wanted+=("$1") ;;
      memory)
        wanted+=("$1")
        if [[ ${2:-} =~ ^[0-9]+$ ]]; then
          memory_events=$2
          shift
        fi
        ;;
      *) fatal "./dev bench knows no \"$1\"; ./dev bench --help" ;;
    esac
    shift
  done
  [ ${#wanted[@]} -gt 0 ] || wanted=(accept through map)
  install_packages
  build
  WORK=$STATE/bench
  rm -rf "$WORK" "$STATE/pg-bench"
  mkdir -p "$WORK"
  chmod 700 "$WORK"
  if [[ " ${wanted[*]} " =~ \ (accept|through|memory)\  ]]; then
    own_databases
    start_postgres bench
    BENCH_POSTGRES=$(head -n 1 "$STATE/pg-bench/postmaster.pid")
  fi
  local name
  for name in "${wanted[@]}"; do
    say ""
    if [ "$name" = map ]; then
      bench_map
    else
      bench_pipeline "$name" "$memory_events"
    fi
  done
  say ""
  say "$(printf '%-46s %22s   %s' goal figure wanted)"
  cat "$WORK/table"
  take_down_bench
}

bench_map() {
  [ -x "$BUILD/bin/map_bench" ] || fatal "map_bench was not built: libjq-dev is missing"
  "$BUILD/bin/map_bench" "$TOP/bench/lead_twenty.yaml" 15 "$WORK/table"
}

# Each measurement has a daemon and databases of its own.
bench_pipeline() {
  local name=$1 events=$2
  fresh_database bench isthmus
  fresh_database bench control
  rm -rf "$WORK/state"
  mkdir -p "$WORK/state/control" "$WORK/state/credentials" "$WORK/state/mappings"
  cp "$TOP/bench/lead_twelve.yaml" "$WORK/state/mappings/"
  local key
  for key in vault-key log-key; do
    (umask 077 && head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$WORK/state/credentials/$key")
  done
  bench_configuration >"$WORK/state/isthmus.yaml"
  spawn bench-isthmusd TERM exec setpriv --pdeathsig TERM "$BUILD/bin/isthmusd" run --migrate --config "$WORK/state/isthmus.yaml"
  local daemon=$! port=
  for _ in $(seq 100); do
    port=$("$BUILD/bin/isthmus" --socket "$SOCKETS/bench.sock" --json status 2>/dev/null | grep -o '"public_port":[0-9]*' | cut -d : -f 2) || :
    if [ -n "$port" ] && [ "$port" != 0 ]; then break; fi
    kill -0 "$daemon" 2>/dev/null || break
    sleep 0.1
  done
  [ -n "$port" ] || {
    tail -n 20 "$LOGS/bench-isthmusd.log" >&2
    fatal "isthmusd did not start; see $LOGS/bench-isthmusd.log"
  }
  "$BUILD/bin/pipeline_bench" "$name" --top "$TOP" --work "$WORK/state" --command "$BUILD/bin/isthmus" \
    --admin-socket "$SOCKETS/bench.sock" --postgres "$SOCKETS/bench" --postgres-pid "$BENCH_POSTGRES" \
    --daemon-pid "$daemon" --public-port "$port" --table "$WORK/table" --events "$events"
  kill -TERM "$daemon"
  wait "$daemon" 2>/dev/null || :
  unset 'RUNNING[-1]'
}

bench_configuration() {
  cat <<TEXT
node: bench
database: { host: $SOCKETS/bench, name: isthmus, user: isthmus }
listeners:
  public: { address: 127.0.0.1, port: 0 }
  house: { address: 127.0.0.1, port: 0 }
  admin: { socket: $SOCKETS/bench.sock }
adapters: [ $TOP/adapters ]
mappings: [ $WORK/state/mappings ]
policies: [ $TOP/policies ]
state: $WORK/state
credentials: $WORK/state/credentials
archive: { origin: isthmus.example/bench }
TEXT
}

# What was measured may be gigabytes; its server is stopped before its folder goes.
take_down_bench() {
  local index
  for index in "${!RUNNING[@]}"; do
    read -r pid _ <<<"${RUNNING[$index]}"
    kill -INT "$pid" 2>/dev/null || :
    wait "$pid" 2>/dev/null || :
  done
  RUNNING=()
  rm -rf "$WORK" "$STATE/pg-bench"
}
