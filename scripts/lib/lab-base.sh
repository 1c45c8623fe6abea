# shellcheck shell=bash
# The base of a lab server: a Debian suite with sysvinit, sshd, nginx and cron, made once by debootstrap and kept as
# a tar outside the repository.

LAB_CACHE=${P2C_LAB_CACHE:-/var/cache/p2c-lab}
LAB_PACKAGES=(sysvinit-core openssh-server nginx-light cron sudo iproute2 procps attr acl libcap2-bin less netbase)

# base_tar SUITE: prints the tar's path; makes it first when it is not there (about a minute).
base_tar() {
  local suite=$1 recipe tar
  recipe=$(printf '%s\n' "${LAB_PACKAGES[@]}" "$(declare -f make_base)" | cksum | cut -d' ' -f1)
  tar="$LAB_CACHE/$suite-$recipe.tar"
  if [ ! -e "$tar" ]; then
    mkdir -p "$LAB_CACHE"
    (
      flock 8
      [ -e "$tar" ] || build_base "$suite" "$tar"
    ) 8>"$LAB_CACHE/.$suite.lock"
  fi
  printf '%s\n' "$tar"
}

# The work happens in a mount namespace of its own, so that nothing stays mounted when it is interrupted.
build_base() {
  local suite=$1 tar=$2 work log
  need_programs debootstrap:debootstrap
  rm -rf "$LAB_CACHE/.making-$suite".* "$LAB_CACHE/$suite"-*.tar
  work=$(mktemp -d "$LAB_CACHE/.making-$suite.XXXXXX")
  log="$work/log"
  say "making the $suite base with debootstrap (once; about a minute)"
  if ! unshare --mount --pid --fork --kill-child bash -c "set -euo pipefail; $(declare -f make_base); make_base \"\$@\"" \
    make_base "$suite" "$work/root" "$(debian_mirror)" "${LAB_PACKAGES[@]}" >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -rf "$work"
    fail "debootstrap of $suite failed"
  fi
  tar --xattrs --xattrs-include='*' --numeric-owner --sort=name -C "$work/root" -cf "$work/base.tar" .
  mv "$work/base.tar" "$tar"
  rm -rf "$work"
}

# make_base SUITE DIR MIRROR PACKAGE...: debootstrap alone resolves no alternatives ("systemd | standalone-sysusers"),
# so the packages come by the new system's own apt, with the host's way to the mirror lent to it meanwhile.
make_base() {
  local suite=$1 dir=$2 mirror=$3
  shift 3
  debootstrap --variant=minbase "$suite" "$dir" "$mirror"
  mount -t proc proc "$dir/proc"
  cp -L /etc/resolv.conf "$dir/etc/resolv.conf"
  cp -L /etc/hosts "$dir/etc/hosts"
  apt-config dump | grep -E '^Acquire::(http|https|Check|Retries)' >"$dir/etc/apt/apt.conf.d/99lent" || true
  printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
  chmod 0755 "$dir/usr/sbin/policy-rc.d"
  # cron of trixie wants systemd or this.
  if chroot "$dir" apt-cache show systemd-standalone-sysusers >/dev/null 2>&1; then set -- "$@" systemd-standalone-sysusers; fi
  LC_ALL=C DEBIAN_FRONTEND=noninteractive chroot "$dir" apt-get install -y -q --no-install-recommends "$@"
  chroot "$dir" apt-get clean
  umount "$dir/proc"
  rm -f "$dir/usr/sbin/policy-rc.d" "$dir/etc/apt/apt.conf.d/99lent" "$dir/etc/resolv.conf" "$dir/etc/hosts"
  # The way to the mirror belongs to this machine, not to the server.
  printf 'deb http://deb.debian.org/debian %s main\n' "$suite" >"$dir/etc/apt/sources.list"
  rm -rf "$dir"/var/lib/apt/lists/*_* "$dir"/etc/ssh/ssh_host_*
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
