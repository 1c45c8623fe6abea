# shellcheck shell=bash
# What lies on a lab server's disks: kernel files, an application with its data, and one of each kind of file that a
# careless capture loses. Works on $ROOT; part of lab-boot.sh.

write_application() {
  write_kernel_files
  write_site
  write_data
}

# random_bytes COUNT FILE
random_bytes() { head -c "$1" /dev/urandom >"$2"; }

write_kernel_files() {
  local version=5.10.0-28-amd64
  random_bytes 6000000 "$ROOT/boot/vmlinuz-$version"
  random_bytes 20000000 "$ROOT/boot/initrd.img-$version"
  printf 'CONFIG_64BIT=y\nCONFIG_EXT4_FS=y\n' >"$ROOT/boot/config-$version"
  mkdir -p "$ROOT/boot/grub" "$ROOT/lib/modules/$version/kernel/fs/ext4"
  printf 'menuentry "Debian GNU/Linux" { linux /vmlinuz-%s root=LABEL=root ro }\n' "$version" >"$ROOT/boot/grub/grub.cfg"
  random_bytes 700000 "$ROOT/lib/modules/$version/kernel/fs/ext4/ext4.ko"
  ln -s "boot/vmlinuz-$version" "$ROOT/vmlinuz"
}

# The page lies on the data disk, its site in nginx's configuration.
write_site() {
  mkdir -p "$ROOT/data/www/img"
  printf '<!doctype html><title>%s</title><h1>Hello from %s, an old server</h1>\n' "$LAB_NAME" "$LAB_NAME" \
    >"$ROOT/data/www/index.html"
  # A line of its own for clients that look for the beginning of one.
  printf 'Hello from %s, an old server\n' "$LAB_NAME" >>"$ROOT/data/www/index.html"
  random_bytes 40000 "$ROOT/data/www/img/logo.png"
  chroot "$ROOT" chown -R www-data:www-data /data/www
  cat >"$ROOT/etc/nginx/sites-available/shop" <<'SITE'
server {
  listen 80 default_server;
  server_name _;
  root /data/www;
  access_log /var/log/nginx/shop.log;
}
SITE
  rm -f "$ROOT/etc/nginx/sites-enabled/default"
  ln -s ../sites-available/shop "$ROOT/etc/nginx/sites-enabled/shop"
}

write_data() {
  local i
  mkdir -p "$ROOT/data/shop/orders" "$ROOT/data/shop/archive" "$ROOT/var/log/app" "$ROOT/tmp/upload"
  for i in $(seq -w 1 40); do printf '%s;%s;%s\n' "$i" "$LAB_NAME" "$RANDOM" >"$ROOT/data/shop/orders/$i.csv"; done
  random_bytes 3000000 "$ROOT/data/shop/orders.db"
  ln "$ROOT/data/shop/orders/01.csv" "$ROOT/data/shop/archive/first.csv"
  chroot "$ROOT" chown -R admin:www-data /data/shop
  random_bytes 20000 "$ROOT/tmp/upload/part.0001"
  printf 'started\n' >"$ROOT/var/log/app/report.log"
}

# One of each kind, under /opt/app.
write_odd_files() {
  local app="$ROOT/opt/app" deep i
  mkdir -p "$app"/{conf,lib,share,run,names,links,special,attributes}
  printf 'port=8080\n' >"$app/conf/app.conf"

  # What unanchored excludes of `root`, `dev`, `run` and `sys` take along.
  mkdir -p "$app/root" "$app/lib/dev" "$app/include/sys" "$app/run/proc"
  printf 'kept\n' | tee "$app/root/keep.txt" "$app/lib/dev/null.txt" "$app/include/sys/types.h" "$app/run/proc/keep" >/dev/null

  cp "$ROOT/bin/cat" "$app/bin/serve"
  setcap cap_net_bind_service+ep "$app/bin/serve"
  cp "$ROOT/bin/true" "$app/bin/as-root"
  chmod 4755 "$app/bin/as-root"
  cp "$ROOT/bin/true" "$app/bin/as-group"
  chgrp 33 "$app/bin/as-group" && chmod 2755 "$app/bin/as-group"

  printf 'labelled\n' >"$app/attributes/user"
  setfattr -n user.origin -v 'branch office' "$app/attributes/user"
  setfattr -n user.binary -v 0x00ff0a80 "$app/attributes/user"
  printf 'shared\n' >"$app/attributes/acl"
  setfacl -m u:33:rw "$app/attributes/acl"

  printf 'one file, two names\n' >"$app/share/linked"
  ln "$app/share/linked" "$app/links/linked"
  ln -s /opt/app/conf/app.conf "$app/links/absolute"
  ln -s ../conf/app.conf "$app/links/relative"
  ln -s /nowhere/at/all "$app/links/dangling"
  ln -s ../conf "$app/links/directory"

  mkfifo "$app/special/fifo"
  mknod "$app/special/null" c 1 3
  mknod "$app/special/disk" b 7 200
  make_socket "$app/special/socket"
  mkdir "$app/special/empty" && chmod 3731 "$app/special/empty"
  : >"$app/special/zero-length"
  printf 'old\n' >"$app/special/nanoseconds" && touch -d '2009-02-13 23:31:30.123456789 UTC' "$app/special/nanoseconds"
  printf 'far\n' >"$app/special/big-owner" && chown 3000000:3000001 "$app/special/big-owner"

  : >"$app/names/with space" && : >"$app/names/-rf" && : >"$app/names/*" && : >"$app/names/"$'new\nline'
  : >"$app/names/"$'latin-1-\xe9\xff' && : >"$app/names/grüße"
  deep="$app/names"
  for i in 1 2 3 4 5 6; do deep+="/a-folder-with-a-rather-long-name-of-fifty-five-bytes-$i"; done
  mkdir -p "$deep" && printf 'deep\n' >"$deep/file"
}

# perl is in every Debian's essential set; a bound socket stays behind when its process ends.
make_socket() {
  (cd "$(dirname "$1")" && perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0) && bind(S, sockaddr_un($ARGV[0])) or die "$!\n"' "$(basename "$1")")
}
