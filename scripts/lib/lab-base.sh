# shellcheck shell=bash
# The base of a lab server: a Debian suite with its init, sshd, nginx and cron, made once by debootstrap and kept as
# a tar outside the repository.

LAB_CACHE=${P2C_LAB_CACHE:-/var/cache/p2c-lab}
LAB_PACKAGES=(sysvinit-core openssh-server nginx-light cron sudo iproute2 procps attr acl libcap2-bin less netbase)

# What turns that into a server with systemd, as an upgrade does.
# From trixie on, apt calls the init that goes essential.
LAB_SYSTEMD=(systemd-sysv libpam-systemd dbus sysvinit-core- initscripts- sysv-rc- startpar- insserv- --allow-remove-essential)

# base_tar SUITE [PACKAGE...]: prints the path of the tar of that suite, with more packages in it where some are named;
# makes it first when it is not there (about a minute, and as long as the packages take).
base_tar() {
  local suite=$1 recipe tar below=''
  shift
  recipe=$(printf '%s\n' "${LAB_PACKAGES[@]}" "$@" "$(declare -f make_base add_packages)" | cksum | cut -d' ' -f1)
  tar="$LAB_CACHE/$suite-$recipe.tar"
  if [ ! -e "$tar" ]; then
    mkdir -p "$LAB_CACHE"
    [ $# -eq 0 ] || below=$(base_tar "$suite")
    # The lock of a variant is not that of its base, which the line above has let go.
    (
      flock 8
      [ -e "$tar" ] || build_base "$suite" "$recipe" "$below" "$@"
    ) 8>"$LAB_CACHE/.$suite-$recipe.lock"
  fi
  # Those in use stay young: see forget_old_bases.
  touch "$tar"
  printf '%s\n' "$tar"
}

# The work happens in a mount namespace of its own, so that nothing stays mounted when it is interrupted.
build_base() {
  local suite=$1 recipe=$2 below=$3 work log packages=("${LAB_PACKAGES[@]}")
  shift 3
  [ -z "$below" ] || packages=("$@")
  need_programs debootstrap:debootstrap
  forget_old_bases
  rm -rf "$LAB_CACHE/.making-$suite-$recipe".*
  work=$(mktemp -d "$LAB_CACHE/.making-$suite-$recipe.XXXXXX")
  log="$work/log"
  if [ -z "$below" ]; then say "making the $suite base with debootstrap (once; about a minute)"; else say "adding to the $suite base (once): $*"; fi
  if ! unshare --mount --pid --fork --kill-child bash -c "set -euo pipefail; $(declare -f make_base add_packages); make_base \"\$@\"" \
    make_base "$suite" "$work/root" "$(debian_mirror)" "$below" "${packages[@]}" >"$log" 2>&1 </dev/null 8>&-; then
    tail -n 20 "$log" >&2
    rm -rf "$work"
    fail "debootstrap of $suite failed"
  fi
  tar --xattrs --xattrs-include='*' --numeric-owner --sort=name -C "$work/root" -cf "$work/base.tar" .
  mv "$work/base.tar" "$LAB_CACHE/$suite-$recipe.tar"
  rm -rf "$work"
}

# Bases of recipes that nobody has used for a week: another checkout may still unpack one that was used just now.
forget_old_bases() {
  find "$LAB_CACHE" -maxdepth 1 -name '*.tar' -mtime +6 -delete
}

# make_base SUITE DIR MIRROR BELOW PACKAGE...: from the tar BELOW, or from nothing.
make_base() {
  local suite=$1 dir=$2 mirror=$3 below=$4
  shift 4
  if [ -n "$below" ]; then
    mkdir "$dir"
    tar --xattrs --xattrs-include='*' --numeric-owner -xpf "$below" -C "$dir"
  else
    debootstrap --variant=minbase "$suite" "$dir" "$mirror"
  fi
  printf 'deb %s %s main\n' "$mirror" "$suite" >"$dir/etc/apt/sources.list"
  add_packages "$dir" "$@"
  # The way to the mirror belongs to this machine, not to the server.
  printf 'deb http://deb.debian.org/debian %s main\n' "$suite" >"$dir/etc/apt/sources.list"
  rm -rf "$dir"/var/lib/apt/lists/*_* "$dir"/etc/ssh/ssh_host_*
}

# debootstrap alone resolves no alternatives ("systemd | standalone-sysusers"), so the packages come by the new system's
# own apt, with the host's way to the mirror lent to it meanwhile. None of their services starts here (policy-rc.d).
add_packages() {
  local dir=$1
  shift
  export LC_ALL=C DEBIAN_FRONTEND=noninteractive
  mount -t proc proc "$dir/proc"
  cp -L /etc/resolv.conf "$dir/etc/resolv.conf"
  cp -L /etc/hosts "$dir/etc/hosts"
  apt-config dump | grep -E '^Acquire::(http|https|Check|Retries)' >"$dir/etc/apt/apt.conf.d/99lent" || true
  printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
  chmod 0755 "$dir/usr/sbin/policy-rc.d"
  # debootstrap leaves the lists it worked with; a base has them no more.
  ls "$dir"/var/lib/apt/lists/*_Packages* >/dev/null 2>&1 || chroot "$dir" apt-get update -q
  # cron of trixie wants systemd or this.
  if [ "$1" != systemd-sysv ] && chroot "$dir" apt-cache show systemd-standalone-sysusers >/dev/null 2>&1; then set -- "$@" systemd-standalone-sysusers; fi
  chroot "$dir" apt-get install -y -q --purge --no-install-recommends "$@"
  chroot "$dir" apt-get clean
  umount "$dir/proc"
  rm -f "$dir/usr/sbin/policy-rc.d" "$dir/etc/apt/apt.conf.d/99lent" "$dir/etc/resolv.conf" "$dir/etc/hosts"
}

# The archive this machine's apt takes Debian from.
debian_mirror() {
  local uri
  uri=$(apt_archive)
  if [ -z "$uri" ]; then
    apt-get update -qq >&2 || fail "apt-get update failed"
    uri=$(apt_archive)
  fi
  [ -n "$uri" ] || fail "apt's configuration names no Debian archive to debootstrap from"
  printf '%s\n' "$uri"
}

apt_archive() {
  apt-get indextargets --format '$(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "Debian" && $2 == "Debian" && $3 == "main" { print $4; exit }'
}
