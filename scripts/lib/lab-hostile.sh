# shellcheck shell=bash
# Files that break careless tools, beyond the odd ones every lab server has. Under /opt/hostile; works on $ROOT, part of
# lab-boot.sh.

# Content that the data disk's mount hides: no listing shows it, so no image may hold it.
hide_below_mounts() {
  mkdir -p "$ROOT/data"
  printf 'under the mount\n' >"$ROOT/data/hidden"
}

write_hostile_files() {
  HOSTILE="$ROOT/opt/hostile"
  mkdir -p "$HOSTILE"/{names,whiteouts,sparse,links,dates,modes,attributes}
  write_hostile_names
  write_whiteouts
  write_sparse_files
  write_hostile_links
  write_dates_and_modes
  write_hostile_attributes
}

write_hostile_names() {
  local name deep="$HOSTILE/names" i
  for name in $'escape-\e[31mred\e[0m' $'bell-\a' $'tab\there' $'return\rhere' $'\x7f' ' leading' 'trailing ' '--checkpoint-action=exec=sh' \
    '$(reboot)' '`reboot`' "it's" '"quoted"' 'back\slash' '\012' '[a-z]' '?' '{a,b}' '~' '#' '!' ';' '|' '&' '%s%n' '...' '. .' \
    '@LongLink' $'\xff\xfe' $'\xc3' $'e\xcc\x81' $'\xc3\xa9' $'\xe2\x80\xaetxt.exe' $'\n' 'CON' 'a:b' 'user@host:x'; do
    printf '%s' "$name" >"$HOSTILE/names/$name"
  done
  mkdir -p "$HOSTILE/names/"$'a\n/etc' && : >"$HOSTILE/names/"$'a\n/etc/passwd'
  # Either side of the limits of the tar formats' name fields: 100 bytes, 155 + 100, and 255 for one name.
  for i in 99 100 101 154 155 156 255; do : >"$HOSTILE/names/$(printf 'n%.0s' $(seq "$i"))"; done
  for i in $(seq 1 12); do deep+="/$(printf 'd%.0s' $(seq 230))$i"; done
  mkdir -p "$deep" && printf 'very deep\n' >"$deep/file"
}

write_whiteouts() {
  mkdir "$HOSTILE/whiteouts/.wh.directory"
  : >"$HOSTILE/whiteouts/.wh.file" && : >"$HOSTILE/whiteouts/file" && : >"$HOSTILE/whiteouts/.wh..wh..opq" && : >"$HOSTILE/whiteouts/.wh."
}

write_sparse_files() {
  truncate -s 6G "$HOSTILE/sparse/all-hole"
  truncate -s 20M "$HOSTILE/sparse/data-in-the-middle"
  printf 'island' | dd of="$HOSTILE/sparse/data-in-the-middle" bs=1 seek=10000000 conv=notrunc status=none
  truncate -s 400G "$ROOT/var/log/lastlog"
}

write_hostile_links() {
  local i
  # One name is left out by the default rules, the other stays: whichever comes first in a stream must have the content.
  printf 'linked over the border of a rule\n' >"$ROOT/root/linked"
  ln "$ROOT/root/linked" "$HOSTILE/links/linked"
  printf 'many\n' >"$HOSTILE/links/many-000"
  for i in $(seq -w 1 200); do ln "$HOSTILE/links/many-000" "$HOSTILE/links/many-$i"; done
  ln -s loop-b "$HOSTILE/links/loop-a" && ln -s loop-a "$HOSTILE/links/loop-b"
  ln -s ../../../../../../../../etc "$HOSTILE/links/up" && ln -s / "$HOSTILE/links/top" && ln -s . "$HOSTILE/links/self"
  ln -s "$(printf 't%.0s' $(seq 4000))" "$HOSTILE/links/long-target" && ln -s $'a\nb\xff' "$HOSTILE/links/odd-target"
  ln -s /opt/app/conf/app.conf "$HOSTILE/links/twice" && ln -P "$HOSTILE/links/twice" "$HOSTILE/links/twice-again"
  mkfifo "$HOSTILE/links/fifo" && ln "$HOSTILE/links/fifo" "$HOSTILE/links/fifo-again"
}

write_dates_and_modes() {
  touch -d '1969-07-20 20:17:40.5 UTC' "$HOSTILE/dates/before-1970"
  touch -d '2100-01-01 00:00:00.000000001 UTC' "$HOSTILE/dates/after-2038"
  touch -d '@0' "$HOSTILE/dates/zero"
  printf 'nobody reads\n' >"$HOSTILE/modes/none" && chmod 0000 "$HOSTILE/modes/none"
  : >"$HOSTILE/modes/all" && chmod 7777 "$HOSTILE/modes/all"
  mkdir "$HOSTILE/modes/closed" && : >"$HOSTILE/modes/closed/inside" && chmod 0000 "$HOSTILE/modes/closed"
  : >"$HOSTILE/modes/nobodys" && chown 4294967294:2097152 "$HOSTILE/modes/nobodys"
}

write_hostile_attributes() {
  local file="$HOSTILE/attributes"
  : >"$file/selinux" && setfattr -n security.selinux -v 'system_u:object_r:etc_t:s0' "$file/selinux"
  : >"$file/trusted" && setfattr -n trusted.origin -v 0x00010203fffe "$file/trusted"
  : >"$file/large" && setfattr -n user.large -v "$(printf 'v%.0s' $(seq 3000))" "$file/large"
  : >"$file/odd-name" && setfattr -n $'user.with =\n\xe9' -v x "$file/odd-name"
  : >"$file/empty" && setfattr -n user.empty "$file/empty"
  mkdir "$file/acl" && setfacl -m u:3000000:rwx,d:u:33:rx,d:g:8:- "$file/acl"
  cp "$ROOT/bin/true" "$file/capable" && setcap cap_net_raw,cap_sys_ptrace=eip "$file/capable"
}
