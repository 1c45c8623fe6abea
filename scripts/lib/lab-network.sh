# shellcheck shell=bash
# A lab server's network: a namespace of its own, reached over a veth pair by an address of its own; no way out.

# make_network NAME STATE: leaves the free number it took in STATE/number; the address is 10.77.NUMBER.2.
make_network() {
  local name=$1 state=$2 number
  ip netns add "p2c-$name"
  for ((number = 1; number < 255; number++)); do
    [ -z "$(ip -4 route show root "10.77.$number.0/24")" ] || continue
    # Making the link is what takes the number: of two that try at once, one fails.
    if ip link add "p2clab$number" type veth peer name eth0 netns "p2c-$name" 2>/dev/null; then
      printf '%s\n' "$number" >"$state/number"
      configure_network "$name" "$number"
      return
    fi
  done
  fail "no free network 10.77.N.0/30 is left: take servers down with '$0 down NAME'"
}

configure_network() {
  local name=$1 number=$2
  ip link set "p2clab$number" alias "p2c-$name"
  ip addr add "10.77.$number.1/30" dev "p2clab$number"
  ip link set "p2clab$number" up
  ip -n "p2c-$name" link set lo up
  ip -n "p2c-$name" addr add "10.77.$number.2/30" dev eth0
  ip -n "p2c-$name" link set eth0 up
  ip -n "p2c-$name" route add default via "10.77.$number.1"
}

# remove_network NAME: safe when there is little or nothing of it.
remove_network() {
  local link
  for link in $(ip -o link show type veth | awk -v alias="p2c-$1" '$0 ~ "alias " alias "( |\\\\|$)" { sub(/[@:].*/, "", $2); print $2 }'); do
    ip link del "$link" 2>/dev/null || true
  done
  if [ -e "/run/netns/p2c-$1" ]; then ip netns del "p2c-$1"; fi
}

# answers ADDRESS PORT PATTERN [REQUEST]: whether what the port says begins as the pattern asks, within two seconds.
answers() {
  timeout 2 bash -c '
    exec 3<>"/dev/tcp/$1/$2" || exit 1
    [ -z "${4:-}" ] || printf "%b" "$4" >&3
    while IFS= read -r -u 3 line; do case $line in $3*) exit 0 ;; esac; done
    exit 1' answers "$@" 2>/dev/null
}
