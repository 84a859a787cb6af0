#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Regional hubs, as docs/scaling.md has them. Hosts 1 and 3 are hubs: beside br0 they have a bridge
# br-hub, joined to it by patch ports, with a relay of its own, which is in the mesh of the hubs.
# Host 2 is in the region of host 1, host 4 in that of host 3, host 5 has no relay but in one test.

bats_require_minimum_version 1.5.0
load common

HUBS_PORT=7125

setup_file() {
    local n
    lab_init
    for n in 1 2 3 4 5; do
        lab_host "$n"
        lab_client "$n" 1
    done
    for n in 1 3 5; do
        make_hub "$n"
    done
}

make_hub() {
    lab_on "h$1" ovs-vsctl add-br br-hub -- set Bridge br-hub datapath_type=netdev \
        other-config:hwaddr="02:00:00:00:1$1:01" -- \
        add-port br-hub to-br0 -- set Interface to-br0 type=patch options:peer=to-hub -- \
        add-port br0 to-hub -- set Interface to-hub type=patch options:peer=to-br0
}

teardown() {
    local n
    for n in 1 2 3 4 5; do
        lab_relay_stop "$n" 2> /dev/null || true
        [ ! -e "$LAB_DIR/h$n/hub.pid" ] || hub "$n" exit
    done
}

# The key "segment" of all relays. With an election one would stand by where its hub's other relay
# forwards.
SEGMENT='{ "election": false }'

# The same, with a loop guard that waits for 2.2 s of copies: longer than what send_from() sends.
PATIENT='{ "election": false, "hello_ms": 2000, "dead_ms": 6000 }'

# region N PEER...: the relay of br0.
region() {
    local n=$1
    shift
    jq -n --argjson segment "$SEGMENT" '{ $segment, mesh: { peers: $ARGS.positional } }' \
        --args "${@/#/172.30.0.}" > "$LAB_DIR/region$n.json"
    lab_relay "$n" --config "$LAB_DIR/region$n.json"
}

# hub_relay N PEER...: the relay of br-hub, whose peers are other hubs. A switch with tunnels of two
# meshes needs a VNI for each.
hub_relay() {
    local n=$1 dir=$LAB_DIR/h$1
    shift
    jq -n --argjson port "$HUBS_PORT" --argjson segment "$SEGMENT" '{ bridge: "br-hub", $segment,
            mesh: { port: $port, vni: $port, peers: [$ARGS.positional[] | "\(.):\($port)"] } }' \
        --args "${@/#/172.30.0.}" > "$LAB_DIR/hub$n.json"
    lab_on "h$n" "$SNOWRELAYD" --config "$LAB_DIR/hub$n.json" --pidfile="$dir/hub.pid" \
        --unixctl="$dir/hub.ctl" --log-file="$dir/hub.log" -vconsole:off --detach 3>&-
    lab_record "$(< "$dir/hub.pid")"
    lab_wait 5 punts_at_hub "$n"
}

punts_at_hub() { lab_ofctl "$1" dump-flows br-hub "cookie=$LAB_COOKIE" | grep -q priority=20000; }

# Waits until the hubs N... reach all of their peers in the way that the lab has.
hubs_reach_each_other() {
    local n
    for n; do
        lab_wait 10 hub_reaches_all "$n"
    done
}

hub_reaches_all() {
    hub "$1" status json |
        jq -e --arg way "${LAB_TRANSPORT:-udp}" \
            'all(.peers[]; .state == "up" and .transport == $way)' > /dev/null
}

hub() { lab_on "h$1" ovs-appctl -t "$LAB_DIR/h$1/hub.ctl" "${@:2}"; }

# send_from N [COUNT]: sends COUNT broadcasts on the segment of host N, 300 unless told; $LAB_DIR/at-M
# has what came to client hMc1.
run_id=0
send_from() {
    local n=$1 count=${2:-300} m
    local -a receivers=()
    run_id=$((run_id + 1))
    for m in 1 2 3 4 5; do
        lab_in_background "h${m}c1" "$BUILD/bench-probe" recv 5076 --run "$run_id" --seconds 60 \
            > "$LAB_DIR/at-$m"
        receivers+=("$LAB_PID")
    done
    for m in 1 2 3 4 5; do
        lab_wait 5 lab_on "h${m}c1" grep -q ':13D4 00000000:' /proc/net/udp
    done
    lab_on "h${n}c1" "$BUILD/bench-probe" send "10.$n.0.255" 5076 --run "$run_id" --rate 500 \
        --count "$count" > "$LAB_DIR/sent"
    sleep 1
    kill "${receivers[@]}"
    wait "${receivers[@]}"
}

came_to() { jq -r '"\(.distinct) \(.duplicates)"' "$LAB_DIR/at-$1"; }

@test "a broadcast of any segment reaches all segments of all regions, once" {
    local from to
    region 1 2
    region 2 1
    region 3 4
    region 4 3
    hub_relay 1 3
    hub_relay 3 1
    hubs_reach_each_other 1 3
    for from in 1 2 3 4; do
        send_from "$from"
        for to in 1 2 3 4; do
            echo "from $from to $to: $(came_to "$to")"
            [ "$(came_to "$to")" = "300 0" ]
        done
    done
    # Nothing went round.
    for from in 1 2 3 4; do
        [ "$(lab_status "$from" .counters.dropped)" = "{}" ]
    done
    [ "$(hub 1 status json | jq -c .counters.dropped)" = "{}" ]
    # A relay of a region knows those of its region only.
    peers_are 2 172.30.0.1
    peers_are 1 172.30.0.2
}

# Region 1, 2, 5 has two hubs, 1 and 5.
two_hubs() {
    region 1 2 5
    region 5 2 1
    region 2 1 5
    region 3 4
    region 4 3
    hub_relay 1 3 5
    hub_relay 5 3 1
    hub_relay 3 1 5
    hubs_reach_each_other 1 3 5
}

@test "with two hubs in one region there are copies, all the same to an end" {
    local n SEGMENT=$PATIENT
    two_hubs
    send_from 2 150
    for n in 1 3 4 5; do
        echo "to $n: $(came_to "$n")"
        [ "$(jq .distinct "$LAB_DIR/at-$n")" -eq 150 ]
        [ "$(jq .duplicates "$LAB_DIR/at-$n")" -gt 0 ]
    done
    lab_wait 20 nothing_goes_round
}

# One by one, they meet themselves coming back the other way. All at once they may go round one way,
# from the same MAC each time, as if somebody said it again.
@test "what comes in by both hubs at once goes round to an end, too" {
    local from n
    two_hubs
    for from in 3 4 3; do
        send_from "$from" 20
        for n in 1 2 5; do
            echo "from $from to $n: $(came_to "$n")"
            [ "$(jq .distinct "$LAB_DIR/at-$n")" -eq 20 ]
        done
        lab_wait 20 nothing_goes_round
    done
    [ "$(lab_status 1 '.counters.dropped.loop // 0')" -gt 0 ]
    [ "$(lab_status 5 '.counters.dropped.loop // 0')" -gt 0 ]
}

@test "the loop guard has the port rest where copies go on coming, and names the other hub" {
    rm -f "$LAB_DIR"/h*/*.log # Those of other tests.
    two_hubs
    lab_in_background h2c1 "$BUILD/bench-probe" send 10.2.0.255 5076 --run 1 --rate 100 \
        --count 6000 > "$LAB_DIR/sent"
    lab_wait 30 rests_because_of "02:00:00:00:1[135]:01"
    lab_kill "$LAB_PID"
}

# rests_because_of MAC: on some relay the port rests, and MAC, a regular expression, is the last that a
# copy came from.
rests_because_of() {
    grep -qE "WARN\|port 5076: .* have just come back, the last one from $1; not punting" \
        "$LAB_DIR"/h*/*.log
}

# Succeeds if no relay sees a frame within a second.
nothing_goes_round() {
    local before after
    before=$(counters_of_all)
    sleep 1
    after=$(counters_of_all)
    [ "$(wc -l <<< "$after")" -eq 8 ] && [ "$after" = "$before" ]
}

# A line for each of the eight relays that answers.
counters_of_all() {
    local n
    for n in 1 2 3 4 5; do
        lab_status "$n" '.counters | "\(.punted) \(.mesh_rx) \(.emitted)"'
    done
    for n in 1 3 5; do
        hub "$n" status json | jq -r '.counters | "\(.punted) \(.mesh_rx) \(.emitted)"'
    done
}
