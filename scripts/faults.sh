# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# faults.sh - what breaks around a relay in the field, for tests and for the soak. They source it
# after lab.sh; their hosts have a segment of their own each.
#
#     faults_prepare N        before the first relay of hN starts: its log gets a small disk of its
#                             own, its wall clock can be stepped, and its clients get what they need
#                             to hear broadcasts to another subnet
#     faults_relay N          start the relay of hN with the file $LAB_DIR/hN.json
#     faults_mend N           undo what a fault that was interrupted has left
#     fault_FAULT N           one of those below; returns when its cause is gone
#
#     switch_killed           kill -9 of ovs-vswitchd, and a start
#     database_killed         the same of ovsdb-server
#     bridge_deleted          the bridge is deleted, and made again with its ports
#     flows_deleted           our flows, by hand
#     flows_changed           they drop what they match
#     groups_deleted          our groups, and with them the flows that use them
#     groups_changed          they copy nothing any more
#     meters_deleted          our meters, and with them the flows that use them
#     meters_changed          they let one frame a second pass
#     flows_meddled_with      our flows are deleted or changed a hundred times a second
#     switch_halted           ovs-vswitchd gets SIGSTOP, and after a while SIGCONT
#     underlay_down           the card that leads to the other relays is down for a while
#     address_changed         the bridge has an address in another subnet for a while
#     clock_stepped           the wall clock is an hour ahead, then an hour behind, then right
#     log_full                the disk of the relay's log is full for a while
#     relay_killed            kill -9 of the relay, and a start
#
# FAULT_SECONDS says for how long, where it goes on for a while.
#
# And what has to hold, of the relays of h1 and h2, which are each other's peer:
#
#     whole                   they are connected, know each other, and forward
#     remember                what they have on their switches now is what they are to have
#     healed                  they are whole, have that, and emit what comes from the other
#     counters_add_up         everything that came to them is accounted for; says what is not
#     ours N                  print what relay N has on its switch: flows, groups and meters
#     descriptors N           print how many files and sockets relay N has open
#     resident N              print its memory, in kB
#     cpu_ms N                print the CPU time that it has used

FAULT_SECONDS=2
# shellcheck disable=SC2034 # for those who source this
FAULTS=(switch_killed database_killed bridge_deleted flows_deleted flows_changed groups_deleted
    groups_changed meters_deleted meters_changed flows_meddled_with switch_halted underlay_down
    address_changed clock_stepped log_full relay_killed)

# The first of our meters and groups.
FAULT_ID_BASE=5459456

# ---- making ready

faults_prepare() {
    local n=$1 dir=$LAB_DIR/h$1 client
    mkdir -p "$dir/log" "$dir/clock" &&
        mount -t tmpfs -o size=128k tmpfs "$dir/log" &&
        ln -sf log/snowrelayd.log "$dir/snowrelayd.log" &&
        printf +0000000 > "$dir/clock/ahead" || return
    # A program of the same name, so that whoever starts it finds its files. A sanitizer that is
    # not the first library may be in its place all the same.
    cat > "$dir/clock/snowrelayd" << END || return
#!/bin/sh
export STEP_CLOCK=$dir/clock/ahead LD_PRELOAD=${BUILD:-$LAB_ROOT/build}/step-clock.so
export ASAN_OPTIONS=verify_asan_link_order=0:\$ASAN_OPTIONS
exec ${SNOWRELAYD:-$LAB_ROOT/build/snowrelayd} "\$@"
END
    chmod +x "$dir/clock/snowrelayd" || return
    for client in $(lab_namespaces | sed -n "s/^$LAB-\(h${n}c[1-9]\)\$/\1/p"); do
        lab_on "$client" ip address add "10.1$n.0.$((9 + ${client#*c}))/16" brd + dev eth0 || return
    done
}

faults_relay() {
    SNOWRELAYD=$LAB_DIR/h$1/clock/snowrelayd lab_relay "$1" --config "$LAB_DIR/h$1.json"
}

faults_mend() {
    local n=$1
    kill -CONT "$(< "$LAB_DIR/h$n/ovs-vswitchd.pid")" 2> /dev/null || true
    rm -f "$LAB_DIR/h$n/log/filler"
    fault_clock "$n" 0
    fault_underlay_up "$n"
    fault_own_address "$n" 2> /dev/null || true
}

# ---- the switch

fault_switch_killed() { lab_switch_kill "$1" && lab_switch_start "$1"; }

fault_database_killed() {
    local pid
    pid=$(< "$LAB_DIR/h$1/ovsdb-server.pid") &&
        kill -KILL "$pid" && lab_wait 5 lab_gone "$pid" &&
        lab_daemon "$1" ovsdb-server --remote=punix:db.sock conf.db
}

fault_bridge_deleted() {
    local n=$1 port
    local -a ports
    mapfile -t ports < <(lab_on "h$n" ovs-vsctl list-ports br0)
    lab_on "h$n" ovs-vsctl del-br br0 && lab_bridge "$n" || return
    for port in "${ports[@]}"; do
        lab_switch_port "$n" "$port" || return
    done
}

fault_switch_halted() {
    local pid
    pid=$(< "$LAB_DIR/h$1/ovs-vswitchd.pid") &&
        kill -STOP "$pid" && sleep "$FAULT_SECONDS" && kill -CONT "$pid"
}

# ---- what we have on it

fault_flows_deleted() { lab_ofctl "$1" del-flows br0 "cookie=$LAB_COOKIE"; }

fault_flows_changed() { lab_ofctl "$1" mod-flows br0 "cookie=$LAB_COOKIE,actions=drop"; }

fault_flows_meddled_with() {
    lab_on "h$1" "$LAB_ROOT/scripts/meddle.py" "$LAB_DIR/h$1/br0.mgmt" \
        "${LAB_COOKIE%/*}" "${LAB_COOKIE#*/}" 100 "$FAULT_SECONDS" > /dev/null
}

# fault_ids N DUMP KEY: prints the ids of our groups or meters.
fault_ids() {
    lab_ofctl "$1" "$2" br0 | sed -n "s/.*\b$3=\([0-9]*\).*/\1/p" |
        awk -v base=$FAULT_ID_BASE '$1 >= base && $1 < base + 256'
}

fault_groups_deleted() {
    local id
    for id in $(fault_ids "$1" dump-groups group_id); do
        lab_ofctl "$1" del-groups br0 "group_id=$id" || return
    done
}

fault_groups_changed() {
    local id
    for id in $(fault_ids "$1" dump-groups group_id); do
        lab_ofctl "$1" mod-group br0 "group_id=$id,type=all" || return
    done
}

fault_meters_deleted() {
    local id
    for id in $(fault_ids "$1" dump-meters meter); do
        lab_ofctl "$1" del-meter br0 "meter=$id" || return
    done
}

fault_meters_changed() {
    local id
    for id in $(fault_ids "$1" dump-meters meter); do
        lab_ofctl "$1" mod-meter br0 \
            "meter=$id,pktps,burst,band=type=drop,rate=1,burst_size=1" || return
    done
}

# ---- the host

fault_underlay_down() {
    lab_on "h$1" ip link set eth0 down && sleep "$FAULT_SECONDS" && fault_underlay_up "$1"
}

# The routes and the IPv6 address went with the link.
fault_underlay_up() {
    local n=$1 m
    {
        echo "link set eth0 up"
        echo "address replace fd30::$n/64 dev eth0 nodad"
        for m in {1..9}; do
            [[ "$m" == "$n" ]] || echo "route replace 10.$m.0.0/24 via 172.30.0.$m"
        done
    } | ip -n "$LAB-h$n" -batch -
}

fault_address_changed() {
    fault_other_address "$1" && sleep "$FAULT_SECONDS" && fault_own_address "$1"
}

fault_other_address() {
    lab_on "h$1" ip address del "10.$1.0.1/24" dev br0 &&
        lab_on "h$1" ip address add "10.1$1.0.1/16" brd + dev br0
}

fault_own_address() {
    lab_on "h$1" ip address del "10.1$1.0.1/16" dev br0 && lab_segment_address "$1" br0
}

# fault_clock N SECONDS: the wall clock that the relay of hN sees is ahead by this.
fault_clock() { printf %+08d "$2" 1<> "$LAB_DIR/h$1/clock/ahead"; }

fault_clock_stepped() {
    fault_clock "$1" 3600 && sleep 0.5 && fault_clock "$1" -3600 && sleep 0.5 && fault_clock "$1" 0
}

# Meanwhile it has something to say.
fault_log_full() {
    local n=$1 _
    dd if=/dev/zero of="$LAB_DIR/h$n/log/filler" bs=4k 2> /dev/null || true
    for _ in 1 2 3; do
        lab_on "h$n" ovs-appctl -t snowrelayd config/reload > /dev/null || return
        sleep 0.3
    done
    rm "$LAB_DIR/h$n/log/filler"
}

# ---- the relay itself

fault_relay_killed() {
    local pid
    pid=$(lab_relay_pid "$1") &&
        kill -KILL "$pid" && lab_wait 5 lab_gone "$pid" &&
        faults_relay "$1"
}

# ---- what has to hold

ours() {
    lab_ofctl "$1" --no-stats dump-flows br0 "cookie=$LAB_COOKIE" | grep cookie= | sort
    lab_ofctl "$1" dump-groups br0 |
        awk -v base=$FAULT_ID_BASE 'match($0, /group_id=[0-9]+/) {
            id = substr($0, RSTART + 9, RLENGTH - 9) + 0
            if (id >= base && id < base + 256) print }' | sort
    # A meter has several lines.
    lab_ofctl "$1" dump-meters br0 |
        awk -v base=$FAULT_ID_BASE 'match($0, /meter=[0-9]+/) {
            id = substr($0, RSTART + 6, RLENGTH - 6) + 0
            ours = id >= base && id < base + 256 } ours'
}

remember() {
    local n
    for n in 1 2; do
        ours "$n" > "$LAB_DIR/h$n/ours"
    done
}

is_as_remembered() { [[ "$(ours "$1" 2> /dev/null)" == "$(< "$LAB_DIR/h$1/ours")" ]]; }

whole() {
    local n
    for n in 1 2; do
        [[ "$(lab_status "$n" '"\(.connected) \(.flows_in_place) \(.segment.state) " +
            ([.peers[].state] | sort | join(" "))' 2> /dev/null)" == "true true forwarding own up" ]] ||
            return
    done
}

crossing() {
    local n at
    for n in 1 2; do
        at=$(lab_status "$n" .counters.emitted) &&
            lab_wait 1 has_emitted "$n" $((at + 20)) || return
    done
}

has_emitted() { (($(lab_status "$1" .counters.emitted) >= $2)); }

# A relay that is asked how it is looks at its switch: it is asked last, or what it finds only then
# would pass for healed.
healed() { is_as_remembered 1 && is_as_remembered 2 && whole && crossing; }

counters_add_up() {
    local n wrong
    for n in 1 2; do
        # shellcheck disable=SC2016 # the variables are of jq
        wrong=$(lab_status "$n" '.counters |
            (.punt_dropped | [.[]] | add // 0) as $punt | (.mesh_dropped | [.[]] | add // 0) as $mesh |
            if .punted != .relayed + $punt then
                "punted \(.punted), relayed \(.relayed), dropped \($punt)" else empty end,
            if .mesh_rx != .emitted + $mesh + .queued then
                "mesh_rx \(.mesh_rx), emitted \(.emitted), dropped \($mesh), queued \(.queued)"
            else empty end') || return
        [[ -z "$wrong" ]] || { echo "the counters of relay $n do not add up: $wrong"; return 1; }
    done
}

# family PID: prints the process and its children.
family() {
    local pid
    echo "$1"
    while read -r -d ' ' pid; do
        family "$pid"
    done < <(cat /proc/"$1"/task/*/children 2> /dev/null)
}

descriptors() {
    local pid n=0
    for pid in $(family "$(lab_relay_pid "$1")"); do
        n=$((n + $(find "/proc/$pid/fd" -mindepth 1 -maxdepth 1 | wc -l)))
    done
    echo "$n"
}

resident() {
    local pid n=0
    for pid in $(family "$(lab_relay_pid "$1")"); do
        n=$((n + $(awk '/^VmRSS:/ { print $2 }' "/proc/$pid/status")))
    done
    echo "$n"
}

cpu_ms() {
    local -a pids
    mapfile -t pids < <(family "$(lab_relay_pid "$1")")
    "${BUILD:-$LAB_ROOT/build}/bench-probe" cpu "${pids[@]}" |
        awk '{ n += $1 } END { print int(n / 1000000) }'
}
