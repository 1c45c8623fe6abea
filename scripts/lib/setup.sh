# shellcheck shell=bash
# Set-up on a fresh Debian: what is missing is installed, what is there is left alone. Sourced by every script.
# Everything here speaks on standard error, for standard output belongs to the scripts' results.

P2C_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "$(basename "$0"): $*"
  exit 1
}

need_root() {
  [ "$(id -u)" -eq 0 ] || fail "$1 needs root; run it as root or with sudo"
}

# have PROGRAM: also finds what lies in sbin when PATH lacks it, as it does after su without a dash.
have() {
  PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1
}

# need_programs PROGRAM:PACKAGE...: installs the packages of the programs that are missing, all at once.
need_programs() {
  local pair missing=()
  export PATH="$PATH:/usr/sbin:/sbin"
  for pair in "$@"; do
    have "${pair%%:*}" || missing+=("${pair##*:}")
  done
  [ "${#missing[@]}" -eq 0 ] || install_packages "${missing[@]}"
}

install_packages() {
  have apt-get || fail "missing: $*; apt-get is not here to install them (these scripts know Debian)"
  [ "$(id -u)" -eq 0 ] || fail "missing: $*; run 'apt-get install --no-install-recommends $*' as root"
  say "installing: $*"
  # One at a time, and the services held all the while: the next in line must not find them let go by the one before.
  (
    flock 8
    apt_install "$@"
  ) 8>/run/p2c-setup.lock
}

apt_install() {
  local log install=(apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=600)
  log=$(mktemp)
  hold_services
  trap 'release_services' EXIT
  export DEBIAN_FRONTEND=noninteractive
  # The lists may be missing (fresh machine) or stale (a package that went away): then they are fetched, once.
  if ! "${install[@]}" "$@" >"$log" 2>&1 8>&- </dev/null; then
    if ! { apt-get update -qq && "${install[@]}" "$@"; } >"$log" 2>&1 8>&- </dev/null; then
      tail -n 20 "$log" >&2
      rm -f "$log"
      fail "apt-get could not install: $*"
    fi
  fi
  rm -f "$log"
}

# A program is wanted, not its service: nothing that these scripts install begins to listen (invoke-rc.d(8), policy-rc.d).
held_services=0
hold_services() {
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 0755 /usr/sbin/policy-rc.d
    held_services=1
  fi
}

release_services() {
  [ "$held_services" -eq 0 ] || rm -f /usr/sbin/policy-rc.d
}

# quietly WHAT COMMAND...: runs it with its output kept back, and shows that output only when it fails.
quietly() {
  local what=$1 log
  shift
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 40 "$log" >&2
    rm -f "$log"
    fail "$what failed"
  fi
  rm -f "$log"
}

need_node() {
  have node && have npm || fail "Node 20.19 or newer with npm is needed: https://nodejs.org/en/download"
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    fail "Node $(node -p process.versions.node) is too old: 20.19 or newer is needed"
}

# The packages of package-lock.json; npm notes what it installed in node_modules/.package-lock.json.
need_node_modules() {
  need_node
  # A link leads to packages that others use: npm would delete them before it installs.
  if [ -L "$P2C_HOME/node_modules" ]; then return; fi
  (
    cd "$P2C_HOME"
    flock 9
    local mark=node_modules/.package-lock.json
    if [ ! -e "$mark" ] || [ package-lock.json -nt "$mark" ]; then
      say "installing the npm packages"
      # --ignore-scripts would leave ssh2's native part unbuilt; the build that `prepare` runs is done by need_build.
      quietly "npm ci" npm ci --no-audit --no-fund --loglevel=error
      touch "$mark"
    fi
  ) 9>"$(setup_lock)"
}

# dist/, when a source, the compiler's configuration or a package is newer than what was built.
need_build() {
  need_node_modules || return
  (
    cd "$P2C_HOME"
    flock 9
    if [ ! -e dist/cli.cjs ] || [ -n "$(find src profiles scripts/build.ts tsconfig.json tsconfig.build.json package.json -newer dist/cli.cjs -print -quit)" ]; then
      say "building"
      quietly "npm run build" npm run --silent build
      touch dist/cli.cjs
    fi
  ) 9>"$(setup_lock)"
}

# Where a machine names certificates of its own, Node.js reads all of them at each start, for 0.04 s. Once the packages are
# installed nothing here speaks TLS, and what is measured is p2c.
without_certificates() {
  unset NODE_EXTRA_CA_CERTS
}

# One lock a checkout and user, outside the repository.
setup_lock() {
  printf '%s/p2c-setup-%s-%s.lock' "${TMPDIR:-/tmp}" "$(id -u)" "$(printf '%s' "$P2C_HOME" | cksum | cut -d' ' -f1)"
}
