# shellcheck shell=bash
# What every part of ./dev shares: where things lie, how progress is shown, who owns the private databases.
# Sourced; expects TOP (the folder of the clone).

fatal() {
  printf '\n%s\n' "./dev: $*" >&2
  exit 1
}

say() { printf '%s\n' "$*"; }

# The folders that outlive a run. Root keeps its data outside the clone, because initdb refuses root and another user
# may not be able to enter the clone; a socket's path may have 107 characters, so sockets get a short folder.
locate_state() {
  if [ "$(id -u)" -eq 0 ]; then
    STATE=/var/lib/isthmus-dev
    SOCKETS=/run/isthmus-dev
  else
    STATE=$TOP/.local
    SOCKETS=/tmp/isthmus-dev-$(id -u)
  fi
  LOGS=$STATE/logs
  # shellcheck disable=SC2034  # used by the other parts
  BUILD=$TOP/build
  mkdir -p "$LOGS" "$SOCKETS"
  chmod 755 "$STATE" "$SOCKETS"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo -- "$@"
  else
    fatal "installing packages needs root: run it as root once, or install sudo"
  fi
}

# Runs a long command with its output in a log, one line of progress, and the log's end when it fails.
# usage: progress LOG "what is done" command...
progress() {
  local log=$LOGS/$1.log what=$2 began=$SECONDS pid status=0
  shift 2
  start_group "$log" "$@"
  pid=$!
  RUNNING+=("$pid")
  watch_over "$pid" "$what" "$log"
  wait "$pid" || status=$?
  unset 'RUNNING[-1]'
  if [ "$status" -ne 0 ]; then
    printf '  %s: failed after %d s; the end of %s:\n' "$what" $((SECONDS - began)) "$log" >&2
    tail -n 40 "$log" >&2
    return "$status"
  fi
  clear_line
  printf '  %s: %d s\n' "$what" $((SECONDS - began))
}

# On a terminal the line counts the seconds and shows the log's last line; elsewhere a line comes every 30 s.
watch_over() {
  local pid=$1 what=$2 log=$3 began=$SECONDS last
  while kill -0 "$pid" 2>/dev/null; do
    last=$(tail -n 1 "$log" 2>/dev/null | tr -cd '[:print:]' | cut -c 1-60)
    if [ -t 1 ]; then
      printf '\r\033[K  %s … %d s  %s' "$what" $((SECONDS - began)) "$last"
    elif [ $(((SECONDS - began) % 30)) -eq 29 ]; then
      printf '  %s … %d s  %s\n' "$what" $((SECONDS - began)) "$last"
    fi
    sleep 1
  done
}

# Starts a command in a process group of its own, so that Ctrl-C reaches it only through take_down, in the right order.
start_group() {
  local log=$1
  shift
  set -m
  "$@" >"$log" 2>&1 </dev/null &
  set +m
}

RUNNING=() # what take_down stops: process group leaders in the order they were started, "pid" or "pid SIGNAL"

# Last started, first stopped. What does not end within 15 s is killed with its group.
# usage: take_down [exit status]
take_down() {
  local status=${1:-$?} index pid signal
  trap - EXIT
  trap '' INT TERM HUP
  for ((index = ${#RUNNING[@]} - 1; index >= 0; index--)); do
    read -r pid signal <<<"${RUNNING[$index]}"
    kill -s "${signal:-TERM}" "$pid" 2>/dev/null || continue
    for _ in $(seq 150); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL -- "-$pid" 2>/dev/null || continue
  done
  exit "$status"
}

clear_line() { [ ! -t 1 ] || printf '\r\033[K'; }
