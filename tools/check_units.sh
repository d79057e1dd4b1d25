#!/bin/sh
# The services are as closed as systemd can judge without starting them, and name no socket that is not there. Exit 77:
# systemd-analyze is not installed.
set -eu
cd "$(dirname "$0")/../systemd"
command -v systemd-analyze > /dev/null || { echo "systemd-analyze is not installed"; exit 77; }
bad=0
for unit in *.service; do
  if ! said=$(systemd-analyze security --offline=yes --threshold=15 "./$unit" 2>&1); then
    echo "$unit: $said"
    bad=1
  fi
  grep -q '^LimitCORE=0$' "$unit" || { echo "$unit: may write a core"; bad=1; }
done
for socket in $(sed -n 's/^Sockets=//p' isthmusd.service); do
  [ -f "$socket" ] || { echo "$socket is named but not there"; bad=1; }
  grep -q '^FileDescriptorName=' "$socket" || { echo "$socket has no FileDescriptorName="; bad=1; }
done
exit $bad
