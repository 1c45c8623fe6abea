# shellcheck shell=bash
# What packages that `--with` added need before a lab server of sysvinit can run them all at once. Works on $ROOT; part of
# lab-boot.sh.

write_packages() {
  if [ -e "$ROOT/etc/apache2/ports.conf" ]; then write_apache; fi
  if [ -e "$ROOT/usr/share/tomcat10/bin/catalina.sh" ]; then write_tomcat; fi
}

# nginx has port 80.
write_apache() {
  sed -i 's/^Listen 80$/Listen 8081/' "$ROOT/etc/apache2/ports.conf"
  sed -i 's/<VirtualHost \*:80>/<VirtualHost *:8081>/' "$ROOT/etc/apache2/sites-available/000-default.conf"
}

# Debian's tomcat10 comes with a unit of systemd only; this is what administrators of sysvinit write for it.
write_tomcat() {
  cat >"$ROOT/etc/init.d/tomcat10" <<'SCRIPT'
#!/bin/sh
### BEGIN INIT INFO
# Provides:          tomcat10
# Required-Start:    $local_fs $remote_fs $network
# Required-Stop:     $local_fs $remote_fs $network
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: Apache Tomcat 10
### END INIT INFO
. /lib/lsb/init-functions
export CATALINA_HOME=/usr/share/tomcat10 CATALINA_BASE=/var/lib/tomcat10 CATALINA_TMPDIR=/tmp
export CATALINA_PID=/run/tomcat10/tomcat.pid JAVA_OPTS='-Djava.awt.headless=true -Xmx96m'
case $1 in
  start)
    . /usr/libexec/tomcat10/tomcat-locate-java.sh
    install -d -o tomcat -g tomcat /run/tomcat10 /var/cache/tomcat10
    start-stop-daemon --start --quiet --oknodo --chuid tomcat --pidfile $CATALINA_PID \
      --startas "$CATALINA_HOME/bin/catalina.sh" -- start
    ;;
  stop) start-stop-daemon --stop --quiet --oknodo --remove-pidfile --retry 60 --user tomcat --pidfile $CATALINA_PID ;;
  restart) "$0" stop && "$0" start ;;
  status) status_of_proc -p $CATALINA_PID java tomcat10 ;;
  *) echo "Usage: $0 start|stop|restart|status" >&2 && exit 3 ;;
esac
SCRIPT
  chmod 0755 "$ROOT/etc/init.d/tomcat10"
  ln -s ../init.d/tomcat10 "$ROOT/etc/rc2.d/S03tomcat10"
}
