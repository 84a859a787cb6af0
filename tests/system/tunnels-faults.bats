#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# A mesh whose frames the switches carry: what becomes of them while ways are blocked, relays die,
# peers come and go, configurations change, and switches restart.

bats_require_minimum_version 1.5.0
load tunnels

setup_file() {
    tunnel_lab
    # Host 4 is on the segment of host 1.
    lab_host 4
    lab_underlay_switch 4
    lab_lan 1 4
    lab_client 4 1
}

teardown() {
    lab_ofctl 2 del-flows br-under cookie=0x7/-1
    ip -n "$LAB-u" link set h2 mtu 1500
    lab_relay_stop 4 2> /dev/null || true
    end_mesh
}

# lost COUNT RUN NODE: how many of COUNT did not come?
lost() { echo $(($1 - $(distinct "$2" "$3"))); }

# tell WHAT COUNT NODE...: prints what was lost, and what came twice, of run 1 from host 1's client to
# these.
tell() {
    local what=$1 count=$2 node
    shift 2
    for node; do
        echo "# $what: of $count at $node lost $(lost "$count" 1 "$node")," \
            "twice $(duplicates 1 "$node")" >&3
    done
}

# ---- the way of the tunnel is blocked

# falls_back: frames from relay 1 to 2 go by datagram again, the way back and that to others by
# tunnel; each side says so once.
falls_back() {
    lab_wait 10 goes 1 172.30.0.2 udp
    goes 1 172.30.0.3 vxlan
    goes 2 172.30.0.1 vxlan
    goes 2 172.30.0.3 vxlan
    [ "$(logged 1 'peer 172.30.0.2: frames go to it by udp')" -eq 1 ]
    [ "$(logged 2 'peer 172.30.0.1: nothing comes out of the tunnel from it any more')" -eq 1 ]
    [ "$(peer 2 172.30.0.1 tunnel.heard)" = false ]
    [ "$(peer 1 172.30.0.2 tunnel.hears)" = false ]
}

@test "a blocked tunnel is found out, datagrams go instead, and the tunnel again when it is free" {
    relays 1 2 3
    listen 1 5076 h2c1 h3c1
    transmit 1 h1c1 4000 1000
    sleep 0.5
    lab_ofctl 2 add-flow br-under 'cookie=0x7,priority=100,udp,nw_src=172.30.0.1,tp_dst=4789,actions=drop'
    falls_back
    lab_ofctl 2 del-flows br-under cookie=0x7/-1
    transmitted
    lab_wait 10 carried_between 1 2 3
    listened
    tell "the tunnel blocked for three hellos of 200 ms" 4000 h2c1 h3c1
    [ "$(lost 4000 1 h3c1)" -eq 0 ]
    [ "$(lost 4000 1 h2c1)" -gt 0 ]
    [ "$(lost 4000 1 h2c1)" -lt 2000 ]
    never_twice 1 h2c1 h3c1
    exchanged 1 2 3
}

@test "a path that only short packets pass: datagrams go instead" {
    relays 1 2 3
    # A link drops what is too long for it both ways.
    ip -n "$LAB-u" link set h2 mtu 1400
    for n in 1 3; do
        lab_wait 10 goes "$n" 172.30.0.2 udp
        lab_wait 10 goes 2 "172.30.0.$n" udp
    done
    goes 1 172.30.0.3 vxlan
    goes 3 172.30.0.1 vxlan
    exchanged 1 2 3
    ip -n "$LAB-u" link set h2 mtu 1500
    lab_wait 10 carried_between 1 2 3
    exchanged 1 2 3
}

# ---- nothing is lost or comes twice

# meanwhile CMD...: while CMD runs, 1,000 broadcasts a second come to host 2's segment, each once.
meanwhile() {
    listen 1 5076 h2c1
    transmit 1 h1c1 4000 1000
    sleep 0.3
    "$@" || return
    transmitted
    listened
    came_once 1 4000 h2c1
}

a_third_comes_and_goes() {
    configure 3
    start 3 && lab_wait 5 goes 1 172.30.0.3 vxlan && lab_relay_stop 3 && lab_wait 5 goes 1 172.30.0.3 udp
}

@test "no frame is lost, and none comes twice, while a third relay comes and goes" {
    configure 1
    configure 2
    start 1 2
    lab_wait 10 goes 1 172.30.0.2 vxlan
    meanwhile a_third_comes_and_goes
}

peers_are_changed() {
    for _ in 1 2 3; do
        appctl 1 mesh/add-peer "172.30.0.3" && sleep 0.3 &&
            appctl 1 mesh/del-peer "172.30.0.3" && sleep 0.2 || return
    done
}

@test "nor while peers are added and deleted" {
    relays 1 2
    configure 3
    start 3
    meanwhile peers_are_changed
}

transport_is_changed() {
    local transport
    for transport in udp vxlan udp vxlan; do
        configure 1 ".mesh.transport = \"$transport\" | .mesh.peers = [\"172.30.0.2\"]"
        reload 1 && sleep 0.8 || return
    done
    lab_wait 5 goes 1 172.30.0.2 vxlan
}

# The port goes, and the peers are told so, while the switch is told not to send there any more.
@test "a reload that changes the transport and back costs some frames, and none comes twice" {
    relays 1 2
    meanwhile transport_is_changed > "$BATS_TEST_TMPDIR/once" || true
    lab_wait 5 goes 1 172.30.0.2 vxlan
    tell "the transport changed four times" 4000 h2c1
    never_twice 1 h2c1
    [ "$(lost 4000 1 h2c1)" -lt 200 ]
    exchanged 1 2
}

# ---- relays leave and die

# with_fourth N: the configuration of relay N, where relay 4 takes part.
with_fourth() { configure "$1" ".mesh.peers = [\"172.30.0.1\", \"172.30.0.2\", \"172.30.0.4\"]"; }

@test "a relay that exits hands over to another one of its segment without a loss" {
    local n
    for n in 1 2 4; do
        with_fourth "$n"
    done
    start_in_turn 1 2 4
    settle 1 4
    states_are "forwarding standby" 1 4
    lab_wait 10 goes 1 172.30.0.2 vxlan
    lab_wait 10 goes 2 172.30.0.1 vxlan
    listen 1 5076 h2c1
    listen 2 5076 h1c2
    transmit 1 h1c1 4000 1000
    transmit 2 h2c1 4000 1000
    sleep 0.5
    lab_relay_stop 1
    state_is 4 forwarding
    transmitted
    listened
    echo "# handed over: to the remote segment lost $(lost 4000 1 h2c1), twice $(duplicates 1 h2c1);" \
        "to this one lost $(lost 4000 2 h1c2), twice $(duplicates 2 h1c2)" >&3
    [ "$(lost 4000 1 h2c1)" -eq 0 ]
    [ "$(lost 4000 2 h1c2)" -eq 0 ]
    lab_wait 5 goes 4 172.30.0.2 vxlan
    lab_wait 5 goes 2 172.30.0.4 vxlan
    once h4c1 h2c1
    once h2c1 h1c2 h4c1
}

# both_ways COUNT: begins to send 1,000 a second from host 1's client to host 2's, and back.
both_ways() {
    RUN=$((RUN + 2))
    listen "$RUN" 5076 h2c1
    listen "$((RUN + 1))" 5076 h1c1
    transmit "$RUN" h1c1 "$1" 1000
    transmit "$((RUN + 1))" h2c1 "$1" 1000
}

@test "the switch of a killed relay goes on carrying for three hellos, and the next relay takes it over" {
    relays 1 2 '.mesh.hello_ms = 2000'
    relay_kill 1
    both_ways 1000
    transmitted
    listened
    came_once "$RUN" 1000 h2c1
    came_once "$((RUN + 1))" 1000 h1c1

    start 1
    lab_wait 10 carried_between 1 2
    relay_kill 1
    both_ways 6000
    start 1
    lab_wait 10 carried_between 1 2
    transmitted
    listened
    echo "# the relay started again: of 6,000 lost $(lost 6000 "$RUN" h2c1) from its segment," \
        "$(lost 6000 "$((RUN + 1))" h1c1) to it; twice $(duplicates "$RUN" h2c1)," \
        "$(duplicates "$((RUN + 1))" h1c1)" >&3
    never_twice "$RUN" h2c1
    never_twice "$((RUN + 1))" h1c1
    # While it listens, for 700 ms, whether another one forwards for its segment.
    [ "$(lost 6000 "$RUN" h2c1)" -lt 3000 ]
    [ "$(lost 6000 "$((RUN + 1))" h1c1)" -lt 3000 ]
    exchanged 1 2
}

# restarted N M: the switch of host N is killed and started, its relay has noticed, and the switch
# knows again where host M is: until then the first frames into the tunnel are lost.
restarted() {
    lab_switch_kill "$1"
    not_connected() { [ "$(lab_status "$1" .connected)" = false ]; }
    lab_wait 5 not_connected "$1"
    lab_switch_start "$1"
    lab_wait 10 carried_between 1 2
    knows() { lab_on "h$1" ovs-appctl tnl/neigh/show | grep -q "172.30.0.$2 "; }
    lab_wait 5 knows "$1" "$2"
}

@test "the switch restarts, and carries again" {
    relays 1 2
    restarted 1 2
    exchanged 1 2
    restarted 2 1
    exchanged 1 2
}
