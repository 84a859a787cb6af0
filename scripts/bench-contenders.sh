# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# bench-contenders.sh - whom bench-relay measures. It sources this.
#
# A contender carries broadcasts from host `from` to host `to` of the lab. For each there are:
#
#     start_X    starts it. Sets `pids` to its process on host `from` and that on host `to`; some
#                have none
#     stop_X     ends it, and takes away what it has left on the switches
#     passed_X   prints how many frames the former has passed on, and how many the latter has handed
#                to its switch; 0 where nobody counts them
#     version_X  prints what it is
#
# shellcheck disable=SC2154 # what bench-relay has set: PORT, from, to, work...

# ---- socat

# Open vSwitch's userspace datapath leaves the ports of a bridge to the kernel as well, which hands
# broadcasts that come in through them to everybody on the host. Bound to the bridge, socat sees a
# frame once.
start_socat() {
    local buffer
    buffer=$(< /proc/sys/net/core/rmem_max)
    lab_in_background "h$from" socat -u "UDP4-RECV:$PORT,so-bindtodevice=br0,rcvbuf=$buffer" \
        "UDP4-SENDTO:172.30.0.$to:$MESH_PORT"
    pids=("$LAB_PID")
    lab_in_background "h$to" socat -u "UDP4-RECV:$MESH_PORT,rcvbuf=$buffer" \
        "UDP4-DATAGRAM:10.$to.0.255:$PORT,broadcast"
    pids+=("$LAB_PID")
}

stop_socat() { lab_kill "${pids[@]}"; }

passed_socat() { datagrams_sent && sent_through_bridge; }

version_socat() { socat -V | awk '/ version / { print $3 }'; }

# Nothing else on host `from` sends any.
datagrams_sent() { lab_on "h$from" cat /proc/net/snmp | awk '/^Udp: [0-9]/ { print $5 }'; }

# What goes out of a socket goes through the card of the bridge, if there is room in its queue.
sent_through_bridge() {
    lab_on "h$to" ip -s -j link show dev br0 | jq '.[0].stats64.tx | .packets + .dropped'
}

# ---- snowrelay

# start_relays CONFIG: CONFIG is JSON, what there is besides a limit out of the way.
start_relays() {
    jq -n --argjson config "$1" '{ relay: { max_pps: 1000000 } } + $config' \
        > "$work/snowrelay.json"
    lab_relay "$from" --config "$work/snowrelay.json" --other-relays "172.30.0.$to"
    lab_relay "$to" --config "$work/snowrelay.json" --other-relays "172.30.0.$from"
    pids=("$(lab_relay_pid "$from")" "$(lab_relay_pid "$to")")
}

start_datagram() { start_relays '{}'; }

stop_datagram() {
    lab_relay_stop "$from"
    lab_relay_stop "$to"
}

passed_datagram() { datagrams_sent && lab_status "$to" .counters.emitted; }

version_datagram() { "$SNOWRELAYD" --version | awk 'NR == 1 { print $NF }'; }

# Whatever else an older one does not know it need not.
start_before() { SNOWRELAYD=$SNOWRELAYD_BEFORE start_datagram; }

stop_before() { stop_datagram; }

passed_before() { passed_datagram; }

version_before() { "$SNOWRELAYD_BEFORE" --version | awk 'NR == 1 { print $NF }'; }

start_sealed() {
    rm -f "$work/key"
    "$SNOWRELAYD" --generate-key "$work/key"
    start_relays '{ "mesh": { "key_file": "key" } }'
}

stop_sealed() { stop_datagram; }

passed_sealed() { passed_datagram; }

version_sealed() { version_datagram; }

start_datagram-under() { start_datagram; }

stop_datagram-under() { stop_datagram; }

passed_datagram-under() { passed_datagram; }

version_datagram-under() { version_datagram; }

# ---- snowrelay through tunnels of the switches

start_vxlan() { start_tunnels vxlan; }

start_geneve() { start_tunnels geneve; }

start_tunnels() {
    start_relays "{ \"mesh\": { \"transport\": \"$1\" } }"
    lab_wait 15 all_go_through "$1" ||
        die "$1: frames still go to the peers in another way: $(
            lab_status "$from" '[.peers[].transport] | join(" ")')"
}

all_go_through() {
    local n
    for n in "$from" "$to"; do
        [[ "$(lab_status "$n" '[.peers[].transport] | join(" ")')" == "$1" ]] || return 1
    done
}

stop_vxlan() { stop_datagram; }

stop_geneve() { stop_datagram; }

# The switches do it without telling anybody.
passed_vxlan() { printf '0\n0\n'; }

passed_geneve() { passed_vxlan; }

version_vxlan() { version_datagram; }

version_geneve() { version_datagram; }

# knows_transport NAME: whether this snowrelayd does.
knows_transport() {
    echo "{ \"mesh\": { \"transport\": \"$1\" } }" > "$work/transport.json"
    "$SNOWRELAYD" --check-config --config "$work/transport.json" > /dev/null 2>&1
}

# ---- the same flows, by hand

start_by-hand() {
    local n peer
    for n in "$from" "$to"; do
        peer=$((from + to - n))
        lab_on "h$n" ovs-vsctl add-port br0 by-hand -- set Port by-hand trunks=4095 -- \
            set Interface by-hand type=vxlan options:remote_ip=flow options:key=5459533
        lab_ofctl "$n" add-group br0 \
            "group_id=1,type=all,bucket=set_field:172.30.0.$peer->tun_dst,output:by-hand"
        lab_ofctl "$n" add-flows br0 - << END
priority=20010,in_port=by-hand,tun_src=172.30.0.$peer,$broadcast,actions=$(came_in "$n"),set_field:ANY->in_port,NORMAL
priority=20009,in_port=by-hand,actions=drop
priority=20001,dl_src=$(mac "$n"),$broadcast,actions=NORMAL
priority=20001,dl_src=$(mac "$peer"),$broadcast,actions=NORMAL
priority=20000,$broadcast,actions=group:1,NORMAL
END
    done
}

# The flow of the group goes with it.
stop_by-hand() {
    local n
    for n in "$from" "$to"; do
        lab_ofctl "$n" del-flows br0 "$broadcast"
        lab_ofctl "$n" del-flows br0 in_port=by-hand
        lab_ofctl "$n" del-groups br0 group_id=1
        lab_on "h$n" ovs-vsctl del-port br0 by-hand
    done
}

passed_by-hand() { printf '0\n0\n'; }

version_by-hand() { ovs-vswitchd --version | awk 'NR == 1 { print $NF }'; }

# mac N: the local MAC of host N.
mac() { echo "02:00:00:00:0$1:01"; }

# came_in N: what is written into a frame that came to host N.
came_in() { echo "set_field:$(mac "$1")->eth_src,set_field:10.$1.0.255->ip_dst"; }

# ---- what the switches alone allow

# The punt flow is the relay's own, but for the meter's limit.
start_switch() {
    "$SNOWRELAYD" --print-flows --config <(echo '{ "relay": { "max_pps": 1000000 } }') \
        > "$work/flows"
    lab_on "h$from" bash -e "$work/flows"
    lab_in_background "h$from" "$SWITCH" "unix:$LAB_DIR/h$from/br0.mgmt" \
        "unix:$LAB_DIR/h$to/br0.mgmt" "$(came_in "$to"),NORMAL" "$work/counts" \
        > "$work/switch.log" 2>&1
    lab_wait 5 grep -q '^[0-9]' "$work/switch.log" || die "bench-switch does not come up"
    read -ra pids < "$work/switch.log"
}

# The second process ends with the first.
stop_switch() {
    lab_kill "${pids[0]}"
    lab_wait 5 lab_gone "${pids[1]}" || die "bench-switch does not end"
    lab_ofctl "$from" del-flows br0 "cookie=$LAB_COOKIE"
    lab_ofctl "$from" del-meters br0
}

passed_switch() { od -An -v -t u8 -w8 "$work/counts" | awk 'NR == 1 || NR == 3 { print $1 }'; }

version_switch() { version_by-hand; }

# ---- SnowSignal

start_SnowSignal() {
    local -a command
    read -ra command <<< "$SNOWSIGNAL"
    command+=(--target-interface br0 --broadcast-port "$PORT" --mesh-port "$MESH_PORT")
    lab_in_background "h$from" "${command[@]}" --other-relays "10.$to.0.1" \
        > "$work/SnowSignal.log" 2>&1
    pids=("$LAB_PID")
    lab_in_background "h$to" "${command[@]}" --other-relays "10.$from.0.1" \
        >> "$work/SnowSignal.log" 2>&1
    pids+=("$LAB_PID")
}

stop_SnowSignal() { lab_kill "${pids[@]}"; }

passed_SnowSignal() { passed_socat; }

version_SnowSignal() { echo "$SNOWSIGNAL"; }
