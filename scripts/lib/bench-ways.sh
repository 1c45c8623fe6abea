# shellcheck shell=bash
# The ways of capturing and of auditing a server that scripts/bench compares, how each is measured, and the table of results.
# In: ADDRESS, KEY, KNOWN_HOSTS of the server, WORK for temporary files, LINK the rate of its network, if it has one.

SSH_OPTIONS=(-F none -o BatchMode=yes -o IdentitiesOnly=yes -o GlobalKnownHostsFile=none -o StrictHostKeyChecking=yes)

# remote COMMAND, with SSH_WAY before it for a way's own options.
remote() { ssh "${SSH_OPTIONS[@]}" ${SSH_WAY:-} -i "$KEY" -o "UserKnownHostsFile=$KNOWN_HOSTS" "root@$ADDRESS" "$1"; }

# Each top folder is an argument of its own and no file system is left, so that no path comes twice: podman would refuse
# it. What p2c leaves out by its rules is left out here too.
tar_command() {
  cat <<'TAR'
cd / && tar -cf - --one-file-system --xattrs --xattrs-include='*' --anchored --no-wildcards-match-slash \
  --exclude='./root/*' --exclude='./usr/lib/modules/*' \
  --exclude='./*/lost+found' \
  $(ls -d ./* | grep -vxE './(proc|sys|dev|run|boot|lost.found|swapfile)') 2>/dev/null
TAR
}

# One podman of its own: nothing of it reaches the machine's images.
own_podman() {
  TMPDIR="$WORK" podman --root "$WORK/podman" --runroot "$WORK/podman-run" --events-backend file "$@"
}

forget_podman() {
  [ -d "$1/podman" ] || return 0
  # The storage driver binds this folder onto itself.
  while umount "$1/podman/overlay" 2>/dev/null; do :; done
  rm -rf "$1/podman" "$1/podman-run"
}

way_a() { SSH_WAY='-c aes128-gcm@openssh.com' remote "$(tar_command)" | cat >/dev/null; }
way_c() { remote "$(tar_command)" | own_podman import - bench:latest >/dev/null; }
way_d() { SSH_WAY=-C remote "$(tar_command)" | own_podman import - bench:latest >/dev/null; }
# Nothing is stopped: the other ways stop nothing either.
way_b() {
  P2C_ROOT="$WORK/store" node dist/cli.cjs migrate "root@$ADDRESS" --identity "$KEY" \
    --known-hosts "$KNOWN_HOSTS" --no-stop --tag bench:latest --json >"$WORK/migrate.json"
}

# The listing of duplicates that engineers pass on. tar knows /dev/null, and reads no content for it.
way_e() {
  SSH_WAY=-C remote 'cd / && tar -cvp --one-file-system -f /dev/null $(mount | awk "{ if ( \$1 ~ /\/dev/ ) print \$3; }" | xargs) 2>/dev/null' |
    sort | uniq -c | { grep -v '^ *1 ' || true; } >"$WORK/duplicates"
}
way_f() {
  # Exit code 4: there are duplicates, as there are by the other way.
  node dist/cli.cjs audit "root@$ADDRESS" --identity "$KEY" --known-hosts "$KNOWN_HOSTS" --json \
    >"$WORK/audit.json" || [ $? -eq 4 ]
}

# measure WAY RUN: adds "seconds user system kilobytes" to WORK/times.WAY.
measure() {
  local way=$1 result="$WORK/time.$1.$2" log="$WORK/log.$1.$2"
  sync
  say "run $2, way $way"
  export ADDRESS KEY KNOWN_HOSTS WORK
  # GNU time sees only what it starts, so the way runs in a shell of its own.
  if "$(type -P time)" -q -o "$result" -f '%e %U %S %M' \
    bash -c "set -euo pipefail; . scripts/lib/bench-ways.sh; way_$way" 2>"$log" </dev/null; then
    cat "$result" >>"$WORK/times.$way"
  else
    say "way $way failed:"
    tail -n 10 "$log" >&2
    touch "$WORK/failed"
  fi
  forget_podman "$WORK"
  rm -rf "$WORK/store" "$WORK"/storage*
}

# median WAY COLUMN; nothing when the way did not run.
median() {
  [ -e "$WORK/times.$1" ] || return 0
  awk -v column="$2" '{ print column == 2 ? $2 + $3 : $column }' "$WORK/times.$1" | sort -n |
    awk '{ value[NR] = $1 } END { print NR % 2 ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2 }'
}

print_table() {
  local way seconds
  printf 'captured: %d MB, %d entries, on %d cores, over %s; %s\n\n' "$(($1 / 1000000))" "$2" "$(nproc)" \
    "${LINK:-a link as fast as memory}" "$(podman --version)"
  printf '%-46s %9s %9s %9s %9s\n' way 'wall s' 'CPU s' 'peak MB' 'MB/s'
  for way in a b c d e f; do
    seconds=$(median "$way" 1)
    [ -n "$seconds" ] || continue
    awk -v name="$(way_name "$way")" -v wall="$seconds" -v cpu="$(median "$way" 2)" -v memory="$(median "$way" 4)" -v bytes="$(moved_by "$way" "$1")" \
      'BEGIN { printf "%-46s %9.1f %9.1f %9.0f %9s\n", name, wall, cpu, memory / 1024, bytes == "" ? "-" : int(bytes / 1e6 / wall) }'
  done
  echo
  print_ratio b a 'p2c over the floor, at most 1.5'
  print_ratio c b 'podman import over p2c, at least 3'
  print_ratio d b 'the pipeline done by hand over p2c, at least 6'
  print_ratio f e 'p2c audit over the listing of duplicates by hand, at most 1'
}

# moved_by WAY BYTES: an audit moves no content.
moved_by() {
  case $1 in [abcd]) echo "$2" ;; esac
}

way_name() {
  case $1 in
    a) echo 'a  ssh -c aes128-gcm tar | cat >/dev/null' ;;
    b) echo 'b  p2c migrate --no-stop' ;;
    c) echo 'c  ssh tar | podman import' ;;
    d) echo 'd  ssh -C tar | podman import' ;;
    e) echo 'e  ssh -C tar -v | sort | uniq -c' ;;
    f) echo 'f  p2c audit' ;;
  esac
}

# print_ratio OVER UNDER MEANING
print_ratio() {
  local over under
  over=$(median "$1" 1)
  under=$(median "$2" 1)
  if [ -n "$over" ] && [ -n "$under" ]; then
    awk -v name="$1/$2" -v over="$over" -v under="$under" -v meaning="$3" \
      'BEGIN { printf "%-4s %6.2f   %s\n", name, over / under, meaning }'
  fi
}
