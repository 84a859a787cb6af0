#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Several relays on one segment when the one that forwards leaves, dies, is cut off, halts or
# returns, and when their priorities change: another one takes over, and there is still one copy.

bats_require_minimum_version 1.5.0
load segment

setup_file() { segment_lab; }

teardown() {
    local n
    end_listening
    for n in 1 2 3; do
        lab_link 1 "$n" up
    done
    ! lab_gone "$(< "$LAB_DIR/h1/ovs-vswitchd.pid")" || lab_switch_start 1
    end_relays 1 2 3 4
}

# What is relayed, and what traffic is spread over.
PORTS="5076"

three_relays() {
    configure "1 2 4" ".relay.ports = [${PORTS// /, }]"
    start_in_turn 1 2 4
    settle 1 2
    states_are "forwarding standby" 1 2
}

# traffic COUNT [NODE...]: begins to send 1,000 a second each way, run 1 from the segment to the
# remote one and run 2 back, and to count at the NODES and at the remote client.
traffic() {
    local count=$1 n port
    shift
    n=$(wc -w <<< "$PORTS")
    listen 1 "$PORTS" "$@" "${REMOTE[@]}"
    listen 2 "$PORTS" "$@" "${REMOTE[@]}"
    for port in $PORTS; do
        transmit 1 "h2c1/$port" $((count / n)) $((1000 / n))
        transmit 2 "h4c1/$port" $((count / n)) $((1000 / n))
    done
    sleep 1
}

# lost COUNT RUN NODE: how many of COUNT did not come?
lost() { echo $(($1 - $(distinct "$2" "$3"))); }

# ---- leaving

# hands_over CMD...: CMD ends the relay of host 1, which forwards, and that of host 2 takes over. A
# switch that does not get its turn for a while drops what it cannot keep: one more attempt is made.
hands_over() {
    three_relays
    hand_over "$@" && return
    echo "# some were lost, once more" >&3
    end_relays 1 2 4
    three_relays
    hand_over "$@"
}

hand_over() {
    local node pid lost=0
    pid=$(lab_relay_pid 1)
    traffic 3000 h1c1 h2c1 h3c1
    "$@" || return
    lab_wait 5 lab_gone "$pid" || return
    state_is 2 forwarding || return
    transmitted
    listened
    echo "# handed over: $(duplicates 1 h4c1) of 3,000 came twice to the remote segment," \
        "$(duplicates 2 h3c1) to this one" >&3
    for node in h1c1 h2c1 h3c1 h4c1 h4c2; do
        echo "lost at $node: $(lost 3000 1 "$node") of the segment, $(lost 3000 2 "$node") of the remote one"
        lost=$((lost + $(lost 3000 1 "$node") + $(lost 3000 2 "$node")))
    done
    [ "$lost" -eq 0 ] && flows_are 1 punt 0 && flows_are 1 announcements 0 && once_both_ways
}

@test "a forwarder that is told to exit hands over without a loss" {
    hands_over appctl 1 exit
    [ "$(lab_status 2 '.segment.relays | length')" -eq 0 ]
    run -0 appctl 2 segment/show
    [[ "$output" == *"the forwarder before it left"* ]]
}

terminate() { kill -TERM "$(lab_relay_pid "$1")"; }

@test "so does one that gets SIGTERM" {
    hands_over terminate 1
}

@test "a lone relay leaves at once" {
    configure "1 4"
    start 1 4
    local begin
    begin=$(milliseconds)
    lab_relay_stop 1
    # Not even after the time that it would wait for another one.
    [ $(($(milliseconds) - begin)) -lt 450 ]
    flows_are 1 own-host 0
}

# ---- dying

# takes_over WHAT "NODE..." CMD...: CMD ends the forwarder, host 1, for those of the segment who are
# with host 2; these NODES are served by host 2 then.
takes_over() {
    local what=$1 nodes=$2 begin
    shift 2
    # shellcheck disable=SC2086 # several nodes
    traffic 4000 $nodes
    begin=$(milliseconds)
    "$@"
    lab_wait 3 state_is 2 forwarding
    echo "# $what: another one forwards after $(($(milliseconds) - begin)) ms" >&3
    transmitted
    listened
    echo "#   lost $(lost 4000 1 h4c1) of 1,000 a second to the remote segment," \
        "$(lost 4000 2 h3c1) to this one; twice $(duplicates 1 h4c1) and $(duplicates 2 h3c1)" >&3
    [ "$(lost 4000 1 h4c1)" -lt 2000 ]
    [ "$(lost 4000 2 h3c1)" -lt 2000 ]
    # shellcheck disable=SC2086 # several nodes
    once_both_ways $nodes
}

@test "another one takes over from a relay that is killed" {
    three_relays
    takes_over "the relay killed" "${ON_SEGMENT[*]}" relay_kill 1
    [ "$(lab_status 2 '.segment.relays | length')" -eq 0 ]
    run -0 appctl 2 segment/show
    [[ "$output" == *"the forwarder before it fell silent"* ]]
}

@test "another one takes over from a relay whose switch is killed, and goes on when it returns" {
    three_relays
    takes_over "its switch killed" "h2c1 h3c1" lab_switch_kill 1
    lab_switch_start 1
    lab_wait 10 state_is 1 standby
    state_is 2 forwarding
    lab_wait 5 peers_known 1 2
    once_both_ways
    [ "$(logged 1 'this relay forwards')" -eq 1 ]
}

@test "another one takes over from a relay whose link is cut, and one remains when it is mended" {
    three_relays
    takes_over "its link cut" "h2c1 h3c1" lab_link 1 1 down
    lab_link 1 1 up
    lab_wait 5 one_forwards 1 2
    lab_wait 5 peers_known 1 2
    once_both_ways
}

@test "another one takes over from a relay whose link is silent, and one remains when it is mended" {
    three_relays
    takes_over "its link silent" "h2c1 h3c1" lab_link 1 1 silent
    lab_link 1 1 up
    lab_wait 5 one_forwards 1 2
    lab_wait 5 peers_known 1 2
    once_both_ways
}

@test "four ports are taken over like one, from a forwarder that exits and from one that is killed" {
    PORTS="5076 5064 5065 137"
    hands_over appctl 1 exit
    end_relays 1 2 4
    three_relays
    takes_over "the relay of four ports killed" "${ON_SEGMENT[*]}" relay_kill 1
}

# ---- a split

@test "the parts of a segment that is cut relay to each other; one relay remains when it is mended" {
    local node sent=400
    configure "1 2 3 4"
    start_in_turn 1 2 3 4
    settle 1 2 3
    lab_link 1 1 silent
    lab_wait 5 states_are "forwarding forwarding standby" 1 2 3
    lab_wait 5 peer_is 1 172.30.0.2 up
    lab_wait 5 peer_is 1 172.30.0.3 up
    lab_wait 5 peer_is 2 172.30.0.1 up
    [ "$(peer 2 172.30.0.3 state)" = segment ]
    once h1c1 "${EVERYWHERE[@]}"
    once h2c1 "${EVERYWHERE[@]}"
    once h3 "${EVERYWHERE[@]}"
    once h4c1 "${EVERYWHERE[@]}"
    listen 1 5076 "${EVERYWHERE[@]}"
    listen 2 5076 "${EVERYWHERE[@]}"
    listen 3 5076 "${EVERYWHERE[@]}"
    transmit 1 h1c1 "$sent" 100
    transmit 2 h2c1 "$sent" 100
    transmit 3 h4c1 "$sent" 100
    sleep 0.5
    local begin
    begin=$(milliseconds)
    lab_link 1 1 up
    lab_wait 5 states_are "forwarding standby standby" 1 2 3
    echo "# one forwards $(($(milliseconds) - begin)) ms after the link was mended" >&3
    lab_wait 5 peer_is 1 172.30.0.2 segment
    transmitted
    listened
    for node in h1c2 h3c1 h4c2; do
        echo "#   copies too many at $node, of $sent each: $(duplicates 1 "$node")," \
            "$(duplicates 2 "$node"), $(duplicates 3 "$node")" >&3
        for run in 1 2 3; do
            [ "$(distinct "$run" "$node")" -eq "$sent" ]
            [ "$(duplicates "$run" "$node")" -le $((sent * 2)) ]
        done
    done
    lab_wait 5 peers_known 1 2 3
    once_both_ways
    states_are "forwarding standby standby" 1 2 3
}

# ---- returning, and priorities

@test "who returns does not take over from one like itself, and does with a greater priority" {
    three_relays
    relay_kill 1
    lab_wait 5 state_is 2 forwarding
    start 1
    settle 1 2
    states_are "standby forwarding" 1 2
    sleep 1
    states_are "standby forwarding" 1 2
    once_both_ways

    lab_relay_stop 1
    configure 1 '.segment.priority = 101'
    traffic 3000 h1c1 h3c1
    start 1
    lab_wait 5 states_are "forwarding standby" 1 2
    transmitted
    listened
    echo "# taken over for the priority: $(lost 3000 1 h4c1) and $(lost 3000 2 h3c1) lost," \
        "$(duplicates 1 h4c1) and $(duplicates 2 h3c1) twice" >&3
    [ "$(lost 3000 1 h4c1)" -eq 0 ]
    [ "$(lost 3000 2 h3c1)" -eq 0 ]
    run -0 appctl 1 segment/show
    [[ "$output" == *"its priority is the highest"* ]]
    once_both_ways
}

@test "priorities change with a reload" {
    three_relays
    configure 2 '.segment.priority = 101'
    reload 2
    lab_wait 5 states_are "standby forwarding" 1 2
    [ "$(lab_status 1 '.segment.relays[0].priority')" -eq 101 ]
    once_both_ways
    # Lowered again, it goes on: only a greater one than its own takes over.
    configure 2 '.segment.priority = 100'
    reload 2
    sleep 1
    states_are "standby forwarding" 1 2
    configure 2 '.segment.priority = 99'
    reload 2
    lab_wait 5 states_are "forwarding standby" 1 2
    once_both_ways
}

@test "election is switched off and on with a reload" {
    three_relays
    configure 2 '.segment.election = false'
    reload 2
    both_punt() { flows_are 1 punt 1 && flows_are 2 punt 1; }
    lab_wait 5 both_punt
    [ "$(lab_status 2 .segment.forwarder.self)" = true ]
    run -0 appctl 2 segment/show
    [ "${lines[0]}" = "forwarder: self" ]
    [[ "$output" == *"its election is off"* ]]
    # Whoever does not take part is no candidate.
    gone() { [ "$(lab_status 1 '.segment.relays | length')" -eq 0 ]; }
    lab_wait 5 gone

    configure 2
    reload 2
    lab_wait 5 states_are "forwarding standby" 1 2
    lab_wait 5 flows_are 2 punt 0
    lab_wait 5 peers_known 1 2
    once_both_ways
}

@test "a forwarder that has nothing to relay any more hands over, and stands by when it has again" {
    three_relays
    configure 1 '.relay.ports = []'
    reload 1
    lab_wait 5 states_are "off forwarding" 1 2
    run -0 appctl 2 segment/show
    [[ "$output" == *"the forwarder before it left"* ]]
    [ "$(our_flows 1 | wc -l)" -eq 0 ]
    once h1 "${EVERYWHERE[@]}"
    configure 1
    reload 1
    lab_wait 5 states_are "standby forwarding" 1 2
    lab_wait 5 peers_known 1 2 4
    once_both_ways
    once h1 "${EVERYWHERE[@]}"
}

# ---- restarts and halts

@test "a lone relay that is restarted forwards again" {
    configure "1 4"
    start 1 4
    settle 1
    lab_relay_stop 1
    start 1
    state_is 1 forwarding
    relay_kill 1
    start 1
    state_is 1 forwarding
    lab_wait 5 peers_known 1 4
    once_both_ways
}

@test "when the forwarder is killed and restarted within its dead time, one forwards" {
    three_relays
    relay_kill 1
    start 1
    settle 1 2
    once_both_ways
    one_forwards 1 2
}

@test "a forwarder that halts for 3 s is replaced, and does not send what piled up meanwhile" {
    local pid sent=500
    three_relays
    pid=$(lab_relay_pid 1)
    listen 1 5076 "${EVERYWHERE[@]}"
    listen 2 5076 "${EVERYWHERE[@]}"
    transmit 1 h2c1 "$sent" 100
    transmit 2 h4c1 "$sent" 100
    sleep 0.5
    kill -STOP "$pid"
    lab_wait 3 state_is 2 forwarding
    sleep 2
    kill -CONT "$pid"
    lab_wait 5 one_forwards 1 2
    transmitted
    listened
    echo "# halted for 3 s: $(lost "$sent" 1 h4c1) and $(lost "$sent" 2 h3c1) of $sent lost," \
        "$(duplicates 1 h4c1) and $(duplicates 2 h3c1) twice" >&3
    # Until the others have heard that it was replaced, its switch goes on.
    local most=20
    ! lab_tunnels || most=150
    [ "$(duplicates 1 h4c1)" -le "$most" ]
    [ "$(duplicates 2 h3c1)" -le "$most" ]
    [ "$(lost "$sent" 1 h4c1)" -lt 200 ]
    [ "$(lost "$sent" 2 h3c1)" -lt 200 ]
    lab_wait 5 peers_known 1 2
    states_are "standby forwarding" 1 2
    once_both_ways
}
