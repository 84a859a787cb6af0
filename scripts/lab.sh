#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# lab.sh - hosts and clients in network namespaces, for tests, benchmarks and a look around.
#
#     scripts/lab.sh up [N]          make N hosts (2) with two clients each, start the relays where
#                                    snowrelayd is built, wait; Ctrl-C takes all of it away again
#     scripts/lab.sh on NODE CMD...  run CMD on a node (h1, h1c2, u) of the lab that is up
#     scripts/lab.sh down            take away what labs whose owner died have left behind
#
# A script sources this file and calls the verbs below; it owns the lab and cleans up:
#
#     . scripts/lab.sh
#     trap lab_destroy EXIT; trap 'exit 130' INT TERM    # in bats: from teardown or teardown_file
#     lab_init
#     lab_host 1; lab_host 2; lab_client 1 1; lab_client 2 1
#     lab_relay 1 --other-relays 172.30.0.2
#     lab_on h1c1 socat - UDP-DATAGRAM:10.1.0.255:5076,broadcast
#
# The network: every host N has a card `eth0` in the underlay (172.30.0.N/24, fd30::N/64, MTU 1500)
# and a segment of its own (10.N.0.0/24, MTU 9000) on which it is 10.N.0.1 and client K is
# 10.N.0.(9+K). The segment hangs on the host's Open vSwitch bridge br0, userspace datapath, or,
# on a bare host after lab_segment, on a plain card `seg0`. Hosts route between the segments.
#
# lab_lan puts several hosts on the segment of one of them, M: through a switch in the namespace lM
# the port `lan` of each host's br0 leads to those of the others. There host N, unless it is M, is
# 10.M.0.(100+N) and its client K, from 1 to 9, is 10.M.0.(100+10*N+K); M and M's clients stay what
# they are, and other hosts still reach the segment through M.
#
#     lab_init                         start a lab: LAB (its id), LAB_DIR (its folder), the underlay
#     lab_host N [--bare]              host hN, N from 1 to 9; --bare: without Open vSwitch
#     lab_bridge N                     make the bridge br0 of hN again, without its ports, after
#                                      somebody has deleted it
#     lab_segment N                    bare host hN gets the card seg0, and clients can follow
#     lab_lan M N...                   the hosts hN get onto the segment of hM, and so do the clients
#                                      that they get later
#     lab_link M N up|down|silent      mend the link between hN and the switch of hM's segment, or cut
#                                      it: `down` takes the carrier from hN's port, `silent` does not
#     lab_client H K [--offload]       client hHcK on the segment of hH, the port cK of its br0;
#                                      --offload leaves the UDP checksums to a card it has not
#     lab_guest N H K                  host hN is a guest on the segment of hH as well, in the place of
#                                      a client hHcK, with its card segH
#     lab_behind H K                   client hHcK becomes a router; behind it is the node hHcKb, which
#                                      is 10.10H.K.2 and fd01:10H:K::2
#     lab_underlay_card N              print which card of hN has its addresses in the underlay
#     lab_underlay_switch N            the underlay's card of hN becomes a port of the bridge br-under,
#                                      which takes its addresses: tunnels need it
#     lab_on NODE CMD...               run CMD on hN, hNcK, hNcKb or u (the underlay's switch)
#     lab_in_background NODE CMD...    the same, in the background; its pid is in LAB_PID
#     lab_kill PID...                  end what lab_in_background started, and wait for it
#     lab_relay N [OPTION...]          start snowrelayd on hN; returns once it is relaying, and where
#                                      there are to be tunnels, once all that can be used are, or
#                                      have not been for three seconds
#     lab_tunnelled                    whether all tunnels that can be used are
#     lab_relay_stop N                 ask it to leave, and wait until it has
#     lab_relay_pid N                  print its pid
#     lab_status N [JQ-FILTER]         print its `status json`, or what the filter makes of it
#     lab_switch_kill N                kill -9 ovs-vswitchd of hN
#     lab_switch_start N               start it again on the same database
#     lab_ofctl N ARG...               ovs-ofctl, speaking OpenFlow 1.5, on hN
#     lab_resolv NODE ADDRESS|FILE     programs started later ask this name server, or read FILE as
#                                      their /etc/hosts
#     lab_wait SECONDS CMD...          until CMD succeeds; 1 when it has not in time
#     lab_destroy                      take everything away; also twice, or half-way through
#
# SNOWRELAYD names the daemon to run, build/snowrelayd unless set. Where LAB_TRANSPORT is vxlan or
# geneve, the relays carry the frames so (their --transport), and each host has a br-under for that.

LAB_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
LAB_COOKIE=0x534e4f5700000000/0xffffffff00000000
LAB_SCHEMA=/usr/share/openvswitch/vswitch.ovsschema

# ---- a lab and its end

lab_init() {
    LAB_DIR=$(mktemp -d /tmp/snowrelay-lab.XXXXXX) || return
    chmod 755 "$LAB_DIR"    # for programs that give up root
    LAB=sr${LAB_DIR##*.}
    export LAB LAB_DIR
    lab_identity $$ > "$LAB_DIR/owner"
    ip netns add "$LAB-u" &&
        lab_quiet_ipv6 u &&
        ip -n "$LAB-u" link add underlay type bridge forward_delay 0 &&
        ip -n "$LAB-u" link set underlay up &&
        lab_on u ethtool -K underlay tx off > /dev/null &&
        lab_plain_bridge u
}

# A bridge that only bridges: where the module br_netfilter is loaded, every frame would pass through
# the hooks of iptables.
lab_plain_bridge() {
    local hook
    for hook in iptables ip6tables arptables; do
        lab_on "$1" sysctl -eqw "net.bridge.bridge-nf-call-$hook=0" 2> /dev/null || true
    done
}

lab_destroy() {
    [[ -n "${LAB_DIR:-}" && -d "$LAB_DIR" ]] || return 0
    lab_kill_recorded
    lab_kill_inhabitants
    local ns
    awk -v below="$LAB_DIR/" 'index($2, below) == 1 { print $2 }' /proc/mounts | xargs -r umount
    for ns in $(lab_namespaces); do
        ip netns del "$ns" || true
        rm -rf "/etc/netns/$ns"
    done
    rm -rf "$LAB_DIR"
}

lab_namespaces() { ip netns list | awk -v lab="$LAB-" 'index($1, lab) == 1 { print $1 }'; }

# ---- hosts and clients

lab_host() {
    local n=$1 bare=${2:-} ns=$LAB-h$1 m
    [[ "$n" == [1-9] ]] || { echo "lab_host: $n is not a number from 1 to 9" >&2; return 1; }
    lab_namespace "h$n" &&
        ip link add eth0 netns "$ns" type veth peer name "h$n" netns "$LAB-u" &&
        ip -n "$LAB-u" link set "h$n" master underlay up &&
        lab_on "h$n" ethtool -K eth0 tx off > /dev/null &&
        {
            echo "link set eth0 up"
            echo "address add 172.30.0.$n/24 brd 172.30.0.255 dev eth0"
            echo "address add fd30::$n/64 dev eth0 nodad"
            for m in {1..9}; do
                [[ "$m" == "$n" ]] || echo "route add 10.$m.0.0/24 via 172.30.0.$m"
            done
        } | ip -n "$ns" -batch - &&
        lab_on "h$n" sysctl -qw net.ipv4.ip_forward=1 \
            net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
            net.ipv4.conf.eth0.rp_filter=0 || return
    [[ "$bare" == --bare ]] || lab_switch "$n" || return
    [[ "$bare" == --bare ]] || ! lab_tunnels || lab_underlay_switch "$n"
}

# lab_tunnels: whether the mesh is to be one of tunnels.
lab_tunnels() { [[ "${LAB_TRANSPORT:-udp}" != udp ]]; }

lab_segment() {
    local n=$1
    lab_namespace "s$n" &&
        ip -n "$LAB-s$n" link add segment mtu 9000 type bridge forward_delay 0 &&
        ip -n "$LAB-s$n" link set segment up &&
        ip link add seg0 netns "$LAB-h$n" mtu 9000 address "02:00:00:00:0$n:01" \
            type veth peer name "h$n" netns "$LAB-s$n" mtu 9000 &&
        ip -n "$LAB-s$n" link set "h$n" master segment up &&
        lab_segment_address "$n" seg0
}

lab_lan() {
    local m=$1 n
    [[ -e /run/netns/$LAB-l$m ]] || {
        lab_namespace "l$m" &&
            ip -n "$LAB-l$m" link add segment mtu 9000 type bridge forward_delay 0 mcast_snooping 0 &&
            ip -n "$LAB-l$m" link set segment up &&
            lab_plain_bridge "l$m" &&
            lab_lan_port "$m" "$m"
    } || return
    shift
    for n; do
        lab_lan_port "$m" "$n" &&
            echo "$m" > "$LAB_DIR/h$n/lan" &&
            ip -n "$LAB-h$n" -batch - << END || return
address del 10.$n.0.1/24 dev br0
route del 10.$m.0.0/24
address add 10.$m.0.$((100 + n))/24 brd 10.$m.0.255 dev br0
END
    done
}

lab_lan_port() {
    local m=$1 n=$2
    ip link add lan netns "$LAB-h$n" mtu 9000 \
        type veth peer name "h$n" netns "$LAB-l$m" mtu 9000 &&
        lab_on "h$n" ethtool -K lan tx off > /dev/null &&
        lab_on "l$m" ethtool -K "h$n" tx off > /dev/null &&
        ip -n "$LAB-h$n" link set lan up &&
        lab_link "$m" "$n" up &&
        lab_switch_port "$n" lan
}

lab_link() {
    local ns=$LAB-l$1 port=h$2
    case ${3:-} in
        up) ip -n "$ns" link set "$port" master segment up ;;
        down) ip -n "$ns" link set "$port" down ;;
        silent) ip -n "$ns" link set "$port" nomaster ;;
        *) echo "lab_link: ${3:-nothing} is neither up, down nor silent" >&2; return 1 ;;
    esac
}

# lab_lan_of H: prints whose segment host hH is on.
lab_lan_of() {
    if [[ -e "$LAB_DIR/h$1/lan" ]]; then cat "$LAB_DIR/h$1/lan"; else echo "$1"; fi
}

# lab_host_address H: prints the address of host hH on its segment, lab_client_address H K that of
# its client K.
lab_host_address() {
    local m
    m=$(lab_lan_of "$1")
    echo "10.$m.0.$((m == $1 ? 1 : 100 + $1))"
}

lab_client_address() {
    local m
    m=$(lab_lan_of "$1")
    echo "10.$m.0.$((m == $1 ? 9 + $2 : 100 + 10 * $1 + $2))"
}

lab_client() {
    local h=$1 k=$2 node=h$1c$2 switch=h$1
    [[ ! -e /run/netns/$LAB-s$h ]] || switch=s$h
    lab_namespace "$node" &&
        ip link add eth0 netns "$LAB-$node" mtu 9000 \
            address "$(printf '02:00:00:%02x:%02x:0a' "$h" "$k")" \
            type veth peer name "c$k" netns "$LAB-$switch" mtu 9000 &&
        ip -n "$LAB-$switch" link set "c$k" up &&
        ip -n "$LAB-$node" -batch - << END || return
link set eth0 up
address add $(lab_client_address "$h" "$k")/24 brd + dev eth0
route add default via $(lab_host_address "$h")
END
    if [[ "${3:-}" != --offload ]]; then
        lab_on "$node" ethtool -K eth0 tx off > /dev/null || return
    fi
    if [[ "$switch" == s* ]]; then
        ip -n "$LAB-$switch" link set "c$k" master segment
    else
        lab_switch_port "$h" "c$k"
    fi
}

# The kernel still gets every frame that comes in through the port, and would answer for the bridge's
# addresses with the port's own MAC.
lab_switch_port() {
    lab_on "h$1" sysctl -qw "net.ipv4.conf.$2.rp_filter=1" "net.ipv4.conf.$2.arp_ignore=1" \
        "net.ipv6.conf.$2.disable_ipv6=1" &&
        lab_on "h$1" ovs-vsctl add-port br0 "$2"
}

lab_guest() {
    local n=$1 h=$2 k=$3
    ip link add "seg$h" netns "$LAB-h$n" mtu 9000 \
        address "$(printf '02:00:00:%02x:%02x:0a' "$h" "$k")" \
        type veth peer name "c$k" netns "$LAB-h$h" mtu 9000 &&
        ip -n "$LAB-h$h" link set "c$k" up &&
        lab_on "h$n" ethtool -K "seg$h" tx off > /dev/null &&
        ip -n "$LAB-h$n" -batch - << END &&
link set seg$h up
route del 10.$(lab_lan_of "$h").0.0/24
address add $(lab_client_address "$h" "$k")/24 brd + dev seg$h
END
        lab_switch_port "$h" "c$k"
}

# The subnet behind it is for its hosts to route to; nothing does by itself.
lab_behind() {
    local h=$1 k=$2 router=$LAB-h$1c$2 node=h$1c$2b
    lab_namespace "$node" &&
        ip link add eth0 netns "$LAB-$node" type veth peer name eth1 netns "$router" &&
        lab_on "h${h}c$k" ethtool -K eth1 tx off > /dev/null &&
        lab_on "$node" ethtool -K eth0 tx off > /dev/null &&
        lab_on "h${h}c$k" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
            net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0 &&
        ip -n "$router" -batch - << END &&
link set eth1 up
address add 10.10$h.$k.1/24 dev eth1
address add fd01:10$h:$k::1/64 dev eth1 nodad
END
        ip -n "$LAB-$node" -batch - << END
link set eth0 up
address add 10.10$h.$k.2/24 dev eth0
address add fd01:10$h:$k::2/64 dev eth0 nodad
route add default via 10.10$h.$k.1
route add default via fd01:10$h:$k::1
END
}

lab_namespace() {
    ip netns add "$LAB-$1" &&
        ip -n "$LAB-$1" link set lo up &&
        lab_quiet_ipv6 "$1"
}

# Addresses that are usable at once, and no chatter that a test would have to ignore.
lab_quiet_ipv6() {
    lab_on "$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
        net.ipv6.conf.default.router_solicitations=0
}

# The userspace datapath sends what it gets: a checksum left to a card would stay half done.
lab_segment_address() {
    local n=$1 dev=$2
    lab_on "h$n" ethtool -K "$dev" tx off > /dev/null &&
        ip -n "$LAB-h$n" -batch - << END
link set $dev up
address replace 10.$n.0.1/24 brd 10.$n.0.255 dev $dev
END
}

# ---- their switches

lab_switch() {
    local n=$1
    mkdir -p "$LAB_DIR/h$n" &&
        ovsdb-tool create "$LAB_DIR/h$n/conf.db" "$LAB_SCHEMA" &&
        lab_daemon "$n" ovsdb-server --remote=punix:db.sock conf.db &&
        lab_on "h$n" ovs-vsctl --no-wait init -- set Open_vSwitch . \
            other_config:n-handler-threads=1 other_config:n-revalidator-threads=1 &&
        lab_daemon "$n" ovs-vswitchd &&
        lab_bridge "$n"
}

lab_bridge() {
    local n=$1
    lab_on "h$n" ovs-vsctl add-br br0 -- set Bridge br0 datapath_type=netdev \
        other-config:hwaddr="02:00:00:00:0$n:01" -- set Interface br0 mtu_request=9000 &&
        lab_segment_address "$n" br0
}

# As with the ports of br0, the kernel is not to take what comes in through the card for its own.
lab_underlay_switch() {
    local n=$1 m
    lab_on "h$n" sysctl -qw net.ipv4.conf.eth0.rp_filter=1 net.ipv4.conf.eth0.arp_ignore=1 &&
        ip -n "$LAB-h$n" address flush dev eth0 &&
        lab_on "h$n" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1 &&
        lab_on "h$n" ovs-vsctl add-br br-under -- set Bridge br-under datapath_type=netdev \
            other-config:hwaddr="02:00:00:00:1$n:01" -- add-port br-under eth0 &&
        lab_on "h$n" ethtool -K br-under tx off > /dev/null &&
        {
            echo "link set br-under up"
            echo "address add 172.30.0.$n/24 brd 172.30.0.255 dev br-under"
            echo "address add fd30::$n/64 dev br-under nodad"
            for m in {1..9}; do
                [[ "$m" == "$n" ]] || echo "route replace 10.$m.0.0/24 via 172.30.0.$m"
            done
        } | ip -n "$LAB-h$n" -batch -
}

lab_underlay_card() {
    if lab_on "h$1" test -e /proc/sys/net/ipv4/conf/br-under; then
        echo br-under
    else
        echo eth0
    fi
}

lab_switch_kill() {
    local pid
    pid=$(< "$LAB_DIR/h$1/ovs-vswitchd.pid")
    kill -KILL "$pid" && lab_wait 5 lab_gone "$pid"
}

# br0, a tap device, outlives its ovs-vswitchd with its address.
lab_switch_start() { lab_daemon "$1" ovs-vswitchd; }

lab_ofctl() {
    local n=$1
    shift
    lab_on "h$n" ovs-ofctl -O OpenFlow15 "$@"
}

# lab_daemon N PROGRAM ARG...: a daemon of Open vSwitch, or one made like them, on host hN. Our file
# descriptors from 3 on are not for it: bats waits until everybody has closed its own.
lab_daemon() {
    local n=$1 program=$2 name=${2##*/}
    shift 2
    (
        cd "$LAB_DIR/h$n" &&
            lab_on "h$n" "$program" -vconsole:warn --pidfile --log-file --detach "$@" \
                3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
    ) && lab_record "$(< "$LAB_DIR/h$n/$name.pid")"
}

# ---- their relays

lab_relay() {
    local n=$1 program=${SNOWRELAYD:-$LAB_ROOT/build/snowrelayd}
    shift
    mkdir -p "$LAB_DIR/h$n" &&
        lab_daemon "$n" "$program" "$@" || return
    lab_wait 10 lab_relay_ready "$n" || {
        echo "lab_relay: the relay of h$n is not relaying after 10 s; its log ends:" >&2
        tail -n 20 "$LAB_DIR/h$n/snowrelayd.log" >&2
        return 1
    }
    ! lab_tunnels || lab_wait 3 lab_tunnelled || true
}

# lab_tunnelled: whether every relay that runs sends through tunnels to all peers that it could.
lab_tunnelled() {
    local dir
    for dir in "$LAB_DIR"/h[1-9]; do
        [[ ! -e "$dir/snowrelayd.pid" ]] || lab_through_tunnels "${dir##*/h}" || return
    done
}

lab_through_tunnels() {
    [[ "$(lab_status "$1" '[.peers[] | select(.state == "up") | select(.transport == "udp")]
        | length' 2> /dev/null)" == 0 ]] &&
        { [[ "$(lab_status "$1" .transport.peers)" == 0 ]] ||
            [[ "$(lab_status "$1" '.transport.carrying or .segment.state != "forwarding"')" == true ]]; }
}

lab_relay_ready() {
    local bridge
    [[ "$(lab_status "$1" .connected 2> /dev/null)" == true ]] || return 1
    [[ "$(lab_status "$1" '.ports | length')" != 0 ]] || return 0
    bridge=$(lab_status "$1" .bridge) &&
        [[ "$(lab_ofctl "$1" dump-flows "$bridge" "cookie=$LAB_COOKIE")" == *cookie=* ]]
}

lab_relay_stop() {
    local pid
    pid=$(lab_relay_pid "$1") &&
        lab_on "h$1" ovs-appctl -t snowrelayd exit &&
        lab_wait 5 lab_gone "$pid"
}

lab_relay_pid() { cat "$LAB_DIR/h$1/snowrelayd.pid"; }

lab_status() {
    local json
    json=$(lab_on "h$1" ovs-appctl -t snowrelayd status json) && jq -r "${2:-.}" <<< "$json"
}

# ---- running programs

lab_on() {
    local node=$1
    local -a env=()
    shift
    [[ "$node" != h[1-9] ]] || lab_host_environment "${node#h}"
    ip netns exec "$LAB-$node" env "${env[@]}" "$@"
}

lab_in_background() {
    local node=$1
    local -a env=()
    shift
    [[ "$node" != h[1-9] ]] || lab_host_environment "${node#h}"
    # With exec all along the way, $! is the program itself.
    (exec ip netns exec "$LAB-$node" env "${env[@]}" "$@" 3>&-) &
    LAB_PID=$!
    lab_record "$LAB_PID"
}

# Adds to the caller's array `env`.
lab_host_environment() {
    local dir=$LAB_DIR/h$1
    env+=("OVS_RUNDIR=$dir" "OVS_DBDIR=$dir" "OVS_LOGDIR=$dir" "OVS_SYSCONFDIR=$dir")
    ! lab_tunnels || env+=("MESH_TRANSPORT=$LAB_TRANSPORT")
}

lab_resolv() {
    local dir=/etc/netns/$LAB-$1
    mkdir -p "$dir"
    if [[ -f "$2" ]]; then
        cp "$2" "$dir/hosts"
    else
        echo "nameserver $2" > "$dir/resolv.conf"
    fi
}

lab_wait() {
    local until=$((${EPOCHREALTIME//[!0-9]/} + $1 * 1000000))
    shift
    until "$@"; do
        ((${EPOCHREALTIME//[!0-9]/} < until)) || return 1
        sleep 0.05
    done
}

# ---- ending them: a pid counts only together with the time its process started, so that a number
# ---- used again by a stranger is left alone

lab_identity() {
    local stat
    stat=$(cat "/proc/$1/stat" 2> /dev/null) || return 1
    # The name, in parentheses, may hold anything; the start time is the 20th word after it.
    # shellcheck disable=SC2086 # the words are wanted
    set -- "$1" ${stat##*) }
    [[ "$2" != Z ]] && echo "$1 ${21}"
}

lab_record() { lab_identity "$1" >> "$LAB_DIR/pids" || true; }

lab_alive() { [[ "$(lab_identity "$1")" == "$1 $2" ]]; }

lab_gone() { ! lab_identity "$1" > /dev/null; }

lab_kill() {
    local pid
    kill "$@" 2> /dev/null || true
    for pid; do
        lab_wait 5 lab_gone "$pid" || kill -KILL "$pid" 2> /dev/null || true
        # Its epitaph is for nobody; where it is no child of ours there is nothing to wait for.
        wait "$pid" 2> /dev/null || true
    done
}

lab_kill_recorded() {
    local pid start
    [[ -e "$LAB_DIR/pids" ]] || return 0
    local -a alive=()
    while read -r pid start; do
        ! lab_alive "$pid" "$start" || alive+=("$pid")
    done < "$LAB_DIR/pids"
    ((${#alive[@]} == 0)) || lab_kill "${alive[@]}"
}

# What was started in one of our namespaces and not recorded: it can only be ours.
lab_kill_inhabitants() {
    local -a pids
    mapfile -t pids < <(lab_namespaces | xargs -r -n 1 ip netns pids | grep -vx $$)
    ((${#pids[@]} == 0)) || lab_kill "${pids[@]}"
}

# ---- run as a program

lab_main() {
    set -eu
    case ${1:-} in
        up) (($# <= 2)) || lab_usage "up: '$3' is more than it takes"; lab_main_up "${2-2}" ;;
        on) shift && lab_main_on "$@" ;;
        down) (($# == 1)) || lab_usage "down: '$2' is more than it takes"; lab_main_down ;;
        -h | --help) sed -n '3,/^$/s/^# \{0,1\}//p' "$0" ;;
        '') lab_usage "say what to do" ;;
        *) lab_usage "'$1' is none of up, on, down" ;;
    esac
}

lab_usage() {
    printf 'lab.sh: %s (usage: lab.sh up [N] | on NODE CMD... | down)\n' "${1//[[:cntrl:]]/?}" >&2
    exit 2
}

lab_main_up() {
    local n count=$1
    [[ "$count" == [1-9] ]] || lab_usage "up: '$count' is not a number from 1 to 9"
    trap lab_destroy EXIT
    trap 'exit 130' INT TERM HUP
    lab_init
    for ((n = 1; n <= count; n++)); do
        lab_host "$n"
        lab_client "$n" 1
        lab_client "$n" 2
        echo "h$n 172.30.0.$n; its clients h${n}c1 10.$n.0.10 and h${n}c2 10.$n.0.11"
    done
    lab_main_relays "$count"
    cat << END

Look around from another terminal:
    $0 on h1 ovs-ofctl dump-flows br0
    $0 on h1c1 bash
Logs and databases are in $LAB_DIR. Ctrl-C ends the lab.
END
    # In the background, since bash runs a trap only between commands.
    sleep infinity &
    lab_record $!
    wait
}

lab_main_relays() {
    local n count=$1
    local -a others
    if [[ ! -x "${SNOWRELAYD:-$LAB_ROOT/build/snowrelayd}" ]]; then
        echo "No relays: snowrelayd is not built yet (make)."
        return
    fi
    for ((n = 1; n <= count; n++)); do
        mapfile -t others < <(seq 1 "$count" | grep -vx "$n" | sed 's/^/172.30.0./')
        lab_relay "$n" ${others[0]:+--other-relays "${others[@]}"}
    done
    echo "Every host runs a relay: ovs-appctl -t snowrelayd status"
}

lab_main_on() {
    local dir
    (($# >= 2)) || lab_usage "on: needs a node and a command"
    if [[ -z "${LAB_DIR:-}" ]]; then
        for dir in /tmp/snowrelay-lab.*; do
            if [[ -d "$dir" && "$dir" -nt "${LAB_DIR:-}" ]] && lab_owned "$dir"; then
                LAB_DIR=$dir
            fi
        done
    fi
    [[ -n "${LAB_DIR:-}" ]] || { echo "$0: no lab is up; start one with: $0 up" >&2; exit 1; }
    LAB=sr${LAB_DIR##*.}
    [[ "$1" =~ ^[a-z0-9]+$ && -e /run/netns/$LAB-$1 ]] ||
        lab_usage "on: '$1' is not a node of the lab $LAB"
    lab_on "$@"
}

lab_main_down() {
    local dir
    for dir in /tmp/snowrelay-lab.*; do
        if [[ ! -d "$dir" ]] || lab_owned "$dir"; then continue; fi
        LAB_DIR=$dir LAB=sr${dir##*.}
        echo "Removing $LAB"
        lab_destroy
    done
}

# A folder without an owner is one that is just being made, unless it has been so for a while.
lab_owned() {
    local pid start
    if read -r pid start 2> /dev/null < "$1/owner"; then
        lab_alive "$pid" "$start"
    else
        [[ -z "$(find "$1" -maxdepth 0 -mmin +1)" ]]
    fi
}

[[ "${BASH_SOURCE[0]}" != "$0" ]] || lab_main "$@"
