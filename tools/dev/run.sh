# shellcheck shell=bash
# ./dev run: private PostgreSQL, peers, daemon, main job; and everything down again, however it ends.

PG=/usr/lib/postgresql/15/bin
declare -A PEER_PID=()

task_run() {
  local once=no
  case ${1:-} in
    '') ;;
    --once) once=yes ;;
    *) fatal "./dev run takes --once or nothing, not \"$1\"" ;;
  esac
  install_packages
  build
  install_peers
  prepare_crm
  start_company
  node "$TOP/demo/main_job.mjs" "$WORK/company.json"
  if [ "$once" = yes ]; then return 0; fi
  say "" "The bridge stays up until Ctrl-C. Its logs are in $LOGS"
  wait "$DAEMON" || fatal "isthmusd ended; see $LOGS/isthmusd.log"
}

prepare_crm() {
  CRM=$STATE/crm-$(hash_of "$TOP/tests/peers/tryton.mjs")
  [ -d "$CRM" ] || progress crm-prepare "the CRM's database (once)" node "$TOP/tests/peers/tryton.mjs" prepare "$CRM"
}

# Each run is a company of its own: new network, new CRM, new database. What took long to make is reused.
start_company() {
  local began=$SECONDS
  WORK=$STATE/run
  rm -rf "$WORK"
  mkdir -p "$WORK/tmp"
  chmod 700 "$WORK" "$LOGS"
  own_databases
  start_postgres network -c fsync=off
  start_postgres product
  fresh_database network bsky
  start_peer crm node "$TOP/tests/peers/tryton.mjs" run "$CRM" "$WORK/crm"
  start_peer atproto env TMPDIR="$WORK/tmp" LOG_ENABLED=false \
    DB_POSTGRES_URL="postgres://postgres@$(url_escape "$SOCKETS/network")/bsky" node "$TOP/tests/peers/atproto.mjs"
  wait_ready crm "CRM"
  start_peer networks node "$TOP/tests/peers/networks.mjs" --passage "crm_passage=$(fact crm url)" --sink-delay 5
  fresh_database product isthmus
  wait_ready networks "checking peers"
  wait_ready atproto "AT Protocol network"
  start_adapter_program webhook-python "$TOP/adapters/examples/webhook-python/program.py"
  node "$TOP/demo/prepare.mjs" "$TOP" "$WORK" "$SOCKETS" "$LOGS"
  start_daemon
  say "  everything is up: $((SECONDS - began)) s"
}

# Databases get a user of their own when root runs this, because PostgreSQL refuses root.
own_databases() {
  AS_OWNER=()
  if [ "$(id -u)" -ne 0 ]; then return 0; fi
  id isthmus-dev >/dev/null 2>&1 ||
    useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin isthmus-dev
  AS_OWNER=(--reuid isthmus-dev --regid isthmus-dev --init-groups)
}

# usage: start_postgres NAME [option...]; it listens in $SOCKETS/NAME only, for its owner and root
start_postgres() {
  local name=$1 data=$STATE/pg-$1
  shift
  mkdir -p "$data" "$SOCKETS/$name"
  chmod 700 "$data"
  [ ${#AS_OWNER[@]} -eq 0 ] || chown isthmus-dev: "$data" "$SOCKETS/$name"
  if [ ! -e "$data/PG_VERSION" ]; then
    progress "initdb-$name" "PostgreSQL for the $name (once)" in_root_folder setpriv "${AS_OWNER[@]}" \
      "$PG/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale C.UTF-8 --no-sync
  fi
  spawn "pg-$name" INT in_root_folder exec setpriv "${AS_OWNER[@]}" --pdeathsig INT "$PG/postgres" -D "$data" -k "$SOCKETS/$name" \
    -c listen_addresses= -c unix_socket_permissions=0700 "$@"
  for _ in $(seq 100); do
    ! "$PG/pg_isready" -q -h "$SOCKETS/$name" || return 0
    sleep 0.1
  done
  tail -n 20 "$LOGS/pg-$name.log" >&2
  fatal "PostgreSQL for the $name did not start within 10 s"
}

# The owner may not be allowed to enter the clone.
in_root_folder() { cd / && "$@"; }

# usage: fresh_database SERVER NAME; a role of the same name owns it, and is no superuser
fresh_database() {
  psql -q -h "$SOCKETS/$1" -U postgres -v ON_ERROR_STOP=1 -v name="$2" >"$LOGS/psql-$1.log" 2>&1 <<'SQL' ||
drop database if exists :name with (force);
drop role if exists :name;
create role :name login createrole;
create database :name owner :name;
SQL
    fatal "the database $2 could not be made; see $LOGS/psql-$1.log"
}

url_escape() { printf '%s' "${1//\//%2F}"; }

# usage: spawn NAME "stop signal" command...; the output goes to the log of that name
spawn() {
  local log=$LOGS/$1.log signal=$2
  shift 2
  start_group "$log" "$@"
  RUNNING+=("$! $signal")
}

# A peer prints {"ready":true,...} on a line of its own.
start_peer() {
  local name=$1
  shift
  : >"$LOGS/$name.log"
  spawn "$name" TERM exec setpriv --pdeathsig TERM "$@"
  PEER_PID[$name]=$!
}

# usage: wait_ready NAME "what"
wait_ready() {
  local name=$1 what=$2 began=$SECONDS
  until grep -q '^{"ready":true' "$LOGS/$name.log"; do
    if [ $((SECONDS - began)) -gt 120 ] || ! kill -0 "${PEER_PID[$name]}" 2>/dev/null; then
      tail -n 20 "$LOGS/$name.log" >&2
      fatal "$what did not start; see $LOGS/$name.log"
    fi
    sleep 0.2
  done
  grep -m 1 '^{"ready":true' "$LOGS/$name.log" >"$WORK/$name.json"
  say "  $what: up"
}

# usage: fact PEER KEY
fact() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$WORK/$1.json" "$2"; }

# usage: start_adapter_program NAME PROGRAM; its socket is held until the daemon's first connection starts it
start_adapter_program() {
  mkdir -p "$SOCKETS/adapters"
  chmod 700 "$SOCKETS/adapters"
  spawn "adapter-$1" TERM keep_adapter_program "$SOCKETS/adapters/$1.sock" "$2"
}

# What systemd does with isthmus-adapter@NAME in production. A killed program's socket is held again, but not before the
# main job says so: $WORK/program-stopped.
keep_adapter_program() {
  local child status=137
  # shellcheck disable=SC2064
  trap 'kill -TERM "$child" 2>/dev/null; wait "$child"; exit 0' TERM
  while [ "$status" -eq 137 ]; do
    rm -f "$1"
    status=0
    # systemd-socket-activate becomes the program, so its number is the program's.
    setpriv --pdeathsig TERM systemd-socket-activate -E ISTHMUS_CONTRACT_PY="$BUILD/generated/wire_py" -l "$1" "$2" &
    child=$!
    printf '%s' "$child" >"$WORK/program.pid"
    wait "$child" || status=$?
    while [ -e "$WORK/program-stopped" ]; do sleep 0.1; done
  done
  exit "$status"
}

start_daemon() {
  spawn isthmusd TERM supervise "$BUILD/bin/isthmusd" run --migrate --config "$WORK/isthmus.yaml"
  DAEMON=$!
  for _ in $(seq 300); do
    if curl -sf -o /dev/null "$(fact company house)/readyz"; then
      say "  isthmusd: ready"
      return 0
    fi
    kill -0 "$DAEMON" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 20 "$LOGS/isthmusd.log" >&2
  fatal "isthmusd did not become ready; see $LOGS/isthmusd.log"
}

# What systemd's Restart=on-failure does in production: a daemon that was killed comes back, any other end is final.
supervise() {
  local child status=137
  # shellcheck disable=SC2064
  trap 'kill -TERM "$child" 2>/dev/null; wait "$child"; exit 0' TERM
  while [ "$status" -eq 137 ]; do
    status=0
    setpriv --pdeathsig TERM "$@" &
    child=$!
    wait "$child" || status=$?
  done
  exit "$status"
}
