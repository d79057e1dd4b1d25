# shellcheck shell=bash
# Debian's packages: what is missing is installed, without recommended packages and without starting any service.

POLICY=/usr/sbin/policy-rc.d
NO_CLUSTER=/etc/postgresql-common/createcluster.d/isthmus-dev.conf

missing_packages() {
  local wanted
  mapfile -t wanted < <(grep -v '^#' "$TOP/tools/dev/packages.txt")
  # npm is needed once, to fetch the pinned Node.js with its own npm; another one on the machine does as well.
  command -v npm >/dev/null || wanted+=(nodejs npm)
  # dpkg-query fails when it knows nothing of a package, which is one of the answers we want.
  { dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || :; } |
    awk '$2 == "installed" {print $1}' | sort >"$STATE/installed.txt"
  printf '%s\n' "${wanted[@]}" | sort | comm -23 - "$STATE/installed.txt"
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -gt 0 ] || return 0
  say "Installing ${#missing[@]} Debian packages and what they need"
  progress apt-update "package lists" as_root apt-get update -q
  progress apt-install "packages" as_root bash -c "$(declare -f install_quietly); install_quietly \"\$@\"" \
    install "$POLICY" "$NO_CLUSTER" "${missing[@]}"
}

# Runs as root in a shell of its own. While it installs, policy-rc.d answers 101 (no service is started), and
# postgresql-common makes no cluster; afterwards both are as they were, and Tryton's unit does not start at boot.
install_quietly() {
  set -e
  policy=$1 no_cluster=$2 # not local: the trap reads them when the function is left
  local had_tryton=no
  shift 2
  # shellcheck disable=SC2317  # reached through the trap
  restore() {
    rm -f "$policy" "$no_cluster"
    [ ! -e "$policy.before-isthmus" ] || mv "$policy.before-isthmus" "$policy"
  }
  trap restore EXIT
  # A copy that is already there comes from a run that was killed: it is the machine's own, the present one is ours.
  [ ! -e "$policy" ] || [ -e "$policy.before-isthmus" ] || mv "$policy" "$policy.before-isthmus"
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  mkdir -p "$(dirname "$no_cluster")"
  printf 'create_main_cluster = false\n' >"$no_cluster"
  ! dpkg-query -W -f '${db:Status-Status}' tryton-server 2>/dev/null | grep -q '^installed' || had_tryton=yes
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
    -o Dpkg::Options::=--force-confold "$@"
  [ "$had_tryton" = yes ] || systemctl disable tryton-server.service
}
