# shellcheck shell=bash
# ./dev fresh: HEAD in a bare Debian 12, as a newcomer has it.

task_fresh() {
  [ "$(id -u)" -eq 0 ] || fatal "./dev fresh makes a chroot and needs root"
  command -v debootstrap >/dev/null || progress debootstrap-install "debootstrap" apt-get install -y -q debootstrap
  local base=$STATE/bookworm root=$STATE/fresh
  make_base "$base"
  put_away "$root"
  cp -a "$base" "$root"
  trap end_fresh EXIT
  hand_over "$root"
  git clone -q "file://$TOP" "$root/root/isthmus"
  enter "$root" ./dev run --once
  enter "$root" ./dev test
  enter "$root" ./dev installed
}

# A folder of the plainest bookworm, made once.
make_base() {
  local base=$1
  [ ! -d "$base" ] || return 0
  rm -rf "$base.new"
  progress debootstrap "Debian 12 (once)" debootstrap --variant=minbase bookworm "$base.new" "$(debian_mirror)"
  mv "$base.new" "$base"
}

# Deleting some 100,000 files can take minutes (discards): it goes on behind the rest.
put_away() {
  leave "$1"
  [ ! -e "$1" ] || mv "$1" "$1.old-$$"
  start_group "$LOGS/put-away.log" find "$STATE" -maxdepth 1 -name "${1##*/}.old-*" -exec nice rm -rf --one-file-system {} +
  RUNNING+=("$!")
}

# The mirror this machine uses, else Debian's.
debian_mirror() {
  local found
  # shellcheck disable=SC2016  # apt-get's own placeholders
  found=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 2>/dev/null |
    awk '$2 == "bookworm" || $2 == "stable" {print $1; exit}')
  printf '%s' "${found:-http://deb.debian.org/debian}"
}

# What a company's machine has and a new one is given: certificates, proxy, package sources, npm's settings, and no more.
hand_over() {
  local root=$1 file
  rm -f "$root/etc/apt/sources.list" # debootstrap's, which would name the same source again
  for file in /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d /etc/apt/auth.conf.d /etc/apt/trusted.gpg.d \
    /etc/apt/keyrings /etc/npmrc /root/.npmrc /etc/resolv.conf /etc/hosts /usr/local/share/ca-certificates /etc/ssl/certs \
    "${NODE_EXTRA_CA_CERTS:-}" "${SSL_CERT_FILE:-}"; do
    [ -e "$file" ] || continue
    mkdir -p "$root$(dirname "$file")"
    cp -aL --no-target-directory "$file" "$root$file" 2>/dev/null || cp -a "$file" "$root$(dirname "$file")"
  done
  # The chroot is thrown away: no need to wait for its disk after each file.
  printf 'force-unsafe-io\n' >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
  mount --bind /proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount --make-rslave "$root/dev"
}

end_fresh() {
  local status=$?
  leave "$STATE/fresh"
  take_down "$status"
}

leave() {
  local root=$1 point
  for point in dev proc; do
    ! mountpoint -q "$root/$point" || umount -R -l "$root/$point"
  done
}

# The environment is empty but for proxy and certificate settings.
enter() {
  local root=$1 kept
  shift
  mapfile -t kept < <(env | grep -iE '^(https?_proxy|no_proxy|all_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|npm_config_[a-z_]+)=')
  say "In a fresh Debian 12: $*"
  chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    "${kept[@]}" sh -c 'cd /root/isthmus && exec "$@"' sh "$@"
}
