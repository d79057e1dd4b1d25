# shellcheck shell=bash
# ./dev installed: what `cmake --install` puts on a machine, judged by systemd and man as an administrator would.

task_installed() {
  [ "$(id -u)" -eq 0 ] || fatal "./dev installed installs under /usr and needs root; ./dev fresh does it in a chroot"
  install_packages
  build
  install_judges
  progress cmake-install "cmake --install" cmake --install "$BUILD" --prefix /usr
  judge_units
  judge_pages
  judge_programs
}

# What judges is not needed to build or to test, so ./dev test does not install it.
install_judges() {
  local package missing=()
  for package in systemd man-db groff; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  progress apt-judges "packages: ${missing[*]}" bash -c "$(declare -f install_quietly); install_quietly \"\$@\"" \
    install "$POLICY" "$NO_CLUSTER" "${missing[@]}"
}

judge_units() {
  local unit name said
  for unit in "$TOP"/systemd/*.service "$TOP"/systemd/*.socket; do
    name=${unit##*/}
    said=$(systemd-analyze verify "${name/@./@example.}" 2>&1) || fatal "systemd-analyze verify $name: $said"
    [ -z "$said" ] || fatal "systemd-analyze verify $name said: $said"
    say "  systemd-analyze verify $name: nothing to say"
  done
  for unit in "$TOP"/systemd/*.service; do
    said=$(systemd-analyze security --offline=yes --threshold=15 "/usr/lib/systemd/system/${unit##*/}" 2>&1) ||
      fatal "systemd-analyze security ${unit##*/}: $said"
    say "  $(printf '%s\n' "$said" | tail -n 1 | tr -d '→' | sed 's/^ *//')"
  done
}

judge_pages() {
  local page said
  for page in "$TOP"/docs/man/*.[1-9]; do
    said=$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings "${page##*.}" "$(basename "${page%.*}")" 2>&1 >/dev/null) ||
      fatal "man ${page##*/}: $said"
    [ -z "$said" ] || fatal "man ${page##*/} warned: $said"
    say "  man ${page##*/}: reads"
  done
}

judge_programs() {
  local program
  for program in isthmusd isthmus isthmus-verify; do
    "$program" --help >/dev/null || fatal "$program --help failed after its installation"
  done
  isthmus adapter test /usr/share/isthmus/adapters >/dev/null || fatal "the installed adapters fail their golden examples"
  say "  the installed programs start, and the installed adapters pass their golden examples"
}
