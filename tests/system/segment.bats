#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Several relays on one segment, of which one forwards: who it is, that there is one copy of
# everything, what the others do meanwhile.

bats_require_minimum_version 1.5.0
load segment

setup_file() { segment_lab; }

teardown() {
    end_listening
    [ -z "${RECORDERS[*]:-}" ] || lab_kill "${RECORDERS[@]}"
    end_relays 1 2 3 4
}

# ---- who forwards

@test "two relays that are no peers find each other: the lower id forwards, the other stands by" {
    configure "1 2" '.mesh.peers = ["172.30.0.4"]'
    configure 4
    start 2 1 4
    settle 1 2
    states_are "forwarding standby forwarding" 1 2 4
    [ "$(lab_status 1 .segment.forwarder.self)" = true ]
    [ "$(lab_status 1 .segment.forwarder.relay_id)" = "$(relay_id 1)" ]
    [ "$(lab_status 2 .segment.forwarder.self)" = false ]
    [ "$(lab_status 2 .segment.forwarder.relay_id)" = "$(relay_id 1)" ]
    [ "$(lab_status 2 .relay_id)" = "$(relay_id 2)" ]
    run -0 lab_status 1 '.segment.relays[] | "\(.relay_id) \(.mac) \(.priority) \(.state)"'
    [ "$output" = "$(relay_id 2) $(mac 2) 100 standby" ]
    run -0 lab_status 2 '.segment.relays[] | "\(.relay_id) \(.mac) \(.priority) \(.state)"'
    [ "$output" = "$(relay_id 1) $(mac 1) 100 forwarding" ]
    [ "$(lab_status 4 '.segment.relays | length')" -eq 0 ]

    # Of the flows a standby has none that punts what is on the segment.
    lab_wait 5 flows_are 2 punt 0
    flows_are 1 punt 1
    for n in 1 2; do
        flows_are "$n" own-host 1
        flows_are "$n" announcements 1
        flows "$n" announcements | grep -q dl_type=0x88b5
        filters "$n" "$(mac 1)"
        filters "$n" "$(mac 2)"
    done

    # It drops what the mesh brings.
    once_both_ways
    lab_tunnels || counter_is 2 mesh_dropped.standby 100 # Else its switch drops it.
    counter_is 2 emitted 0
    counter_is 2 punted 0
    lab_wait 5 counter_is 1 emitted 100
    counter_is 1 mesh_dropped.standby 0
}

@test "a relay that starts beside one that forwards listens, and does not forward for a moment" {
    local seen=$BATS_TEST_TMPDIR/states now
    configure "1 2 4"
    start 2 4
    settle 2
    listen 1 5076 "${EVERYWHERE[@]}"
    listen 2 5076 "${EVERYWHERE[@]}"
    transmit 1 h3c1 2500
    transmit 2 h4c1 2500
    # Its id is the lower one.
    lab_daemon 1 "$SNOWRELAYD" --config "$LAB_DIR/h1.json"
    local end=$(($(milliseconds) + 1800))
    while now=$(milliseconds) && [ "$now" -lt "$end" ]; do
        lab_status 1 '"\(.segment.state) \(.connected)"' 2> /dev/null || true
    done | uniq > "$seen"
    transmitted
    listened
    cat "$seen"
    # For a moment it may not have all flows of a standby.
    [ "$(paste -s -d , "$seen" | sed 's/^null false,//; s/,standby false//')" = \
        "listening false,standby true" ]
    states_are "standby forwarding" 1 2
    [ "$(logged 1 'this relay forwards')" -eq 0 ]
    came_once 1 2500 "${EVERYWHERE[@]}"
    came_once 2 2500 "${EVERYWHERE[@]}"
}

@test "two relays with one id: the log says so, and still one forwards" {
    configure "1 2" '.mesh.peers = ["172.30.0.4"] | .mesh.relay_id = "00000000000000aa"'
    configure 4 '.mesh.peers = ["172.30.0.1", "172.30.0.2"]'
    start_in_turn 1 2 4
    lab_wait 5 one_forwards 1 2
    [ "$(logged 1 "has this relay's id 00000000000000aa")" -ge 1 ]
    [ "$(logged 2 "has this relay's id 00000000000000aa")" -ge 1 ]
    # The remote relay takes the two for one, and may listen to the one that does not forward.
    listen 1 5076 "${EVERYWHERE[@]}"
    listen 2 5076 "${EVERYWHERE[@]}"
    transmit 1 h3c1 100 500
    transmit 2 h4c1 100 500
    transmitted
    listened
    came_once 1 100 "${ON_SEGMENT[@]}"
    [ "$(duplicates 1 h4c1)" -eq 0 ]
    [ "$(duplicates 2 h3c1)" -eq 0 ]
    one_forwards 1 2
}

@test "a relay that relays nothing neither announces itself nor stands for election" {
    local file=$BATS_TEST_TMPDIR/announcements.pcap
    configure "1 4"
    configure 2 '{relay: {ports: []}}'
    record_more h3c1 "$file" ether proto 0x88b5
    start_in_turn 1 2 4
    lab_wait 5 peer_is 1 172.30.0.4 up
    sleep 1.3
    lab_kill "${RECORDERS[@]}"
    [ "$(count "$file" ether src "$(mac 1)")" -ge 5 ]
    [ "$(count "$file" ether src "$(mac 2)")" -eq 0 ]
    states_are "forwarding off" 1 2
    [ "$(lab_status 1 '.segment.relays | length')" -eq 0 ]
    [ "$(lab_status 2 '.segment.relays // [] | length')" -eq 0 ]
    once_both_ways
}

# record_more NODE FILE FILTER...: as record, and the test may fail before it is ended.
record_more() {
    record "$@"
    RECORDERS+=("$LAB_PID")
}

@test "ports that the forwarder does not relay are forwarded by another one" {
    configure 1 '.relay.ports = [5076, 5065]'
    configure 2 '.relay.ports = [5076, 5064]'
    configure 3 '.relay.ports = [5064]'
    configure 4 '.relay.ports = [5076, 5065, 5064]'
    start_in_turn 1 2 3 4
    settle 1 2 3
    states_are "forwarding standby standby" 1 2 3
    lab_wait 5 flows_are 2 punt 1
    flows 2 punt | grep -q tp_dst=5064
    flows_are 1 punt 2
    flows_are 3 punt 0
    local run=$((RUN + 1)) port
    listen "$run" "5076 5065 5064" "${EVERYWHERE[@]}"
    listen "$((run + 1))" "5076 5065 5064" "${EVERYWHERE[@]}"
    for port in 5076 5065 5064; do
        transmit "$run" "h3c1/$port" 200 200
        transmit "$((run + 1))" "h4c1/$port" 200 200
    done
    transmitted
    listened
    came_once "$run" 200 "${EVERYWHERE[@]}"
    came_once "$((run + 1))" 200 "${EVERYWHERE[@]}"
}

# ---- one copy of everything

# ten_thousand PORT...: both ways, 1,000 a second each way.
ten_thousand() {
    local attempt there back
    for attempt in 1 2 3; do
        there=$((2 * attempt)) back=$((2 * attempt + 1))
        send_ten_thousand "$there" "$back" "$@"
        never_twice "$there" "${EVERYWHERE[@]}"
        never_twice "$back" "${EVERYWHERE[@]}"
        if came_once "$there" $((10000 / $#)) "${EVERYWHERE[@]}" &&
            came_once "$back" $((10000 / $#)) "${EVERYWHERE[@]}"; then
            return 0
        fi
        # A switch that does not get its turn for a while drops what it cannot keep.
        echo "# some were lost in attempt $attempt" >&3
    done
    return 1
}

# send_ten_thousand THERE BACK PORT...: as the runs THERE and BACK.
send_ten_thousand() {
    local there=$1 back=$2 port
    shift 2
    listen "$there" "$*" "${EVERYWHERE[@]}"
    listen "$back" "$*" "${EVERYWHERE[@]}"
    for port; do
        transmit "$there" "h1c1/$port" $((10000 / $#)) $((1000 / $#))
        transmit "$back" "h4c1/$port" $((10000 / $#)) $((1000 / $#))
    done
    transmitted
    listened
}

@test "two relays on a segment: each of 10,000 broadcasts arrives once, both ways" {
    configure "1 2 4"
    start_in_turn 1 2 4
    settle 1 2
    ten_thousand 5076
    states_are "forwarding standby" 1 2
}

@test "three relays on a segment: each of 10,000 broadcasts arrives once, both ways" {
    configure "1 2 3 4"
    start_in_turn 1 2 3 4
    settle 1 2 3
    ten_thousand 5076
    states_are "forwarding standby standby" 1 2 3
}

@test "three relays, four ports: each of 10,000 broadcasts arrives once, both ways" {
    configure "1 2 3 4" '.relay.ports = [5076, 5064, 5065, 137]'
    start_in_turn 1 2 3 4
    settle 1 2 3
    ten_thousand 5076 5064 5065 137
    states_are "forwarding standby standby" 1 2 3
}

# ---- programs on the relays' own hosts

@test "what a program on a standby's host, or the forwarder's, broadcasts is relayed once" {
    local host
    configure "1 2 3 4"
    start_in_turn 1 2 3 4
    settle 1 2 3
    for host in 1 2 3; do
        once "h$host" "${EVERYWHERE[@]}"
        [ "$(counter "$host" relayed)" -eq 100 ]
    done
    # By hand as well, and what comes is the frame of that very host.
    local file=$BATS_TEST_TMPDIR/arrived.pcap
    record_more h4c1 "$file" udp port 5076
    broadcast h2 "from a standby's host" 10.1.0.255
    stop_recording "$file" 1
    [ "$(count "$file")" -eq 1 ]
    [ "$(count "$file" src 10.1.0.102 and ether src "$(mac 4)" and dst 10.4.0.255)" -eq 1 ]
}

@test "when the forwarder dies its host's programs are relayed by the next one" {
    configure "1 2 3 4"
    start_in_turn 1 2 3 4
    settle 1 2 3
    relay_kill 1
    lab_wait 5 state_is 2 forwarding
    lab_wait 5 filters_not 2 "$(mac 1)"
    once h1 "${EVERYWHERE[@]}"
    once h2 "${EVERYWHERE[@]}"
    once h3 "${EVERYWHERE[@]}"
    [ "$(counter 3 relayed)" -eq 100 ]
    [ "$(counter 2 relayed)" -eq 200 ]
}

@test "when a standby dies its host's programs are relayed by the forwarder within a second" {
    configure "1 2 3 4"
    start_in_turn 1 2 3 4
    settle 1 2 3
    listen 1 5076 "${EVERYWHERE[@]}"
    relay_kill 2
    transmit 1 h2 3000
    transmitted
    listened
    echo "# of 1,000 a second $((3000 - $(distinct 1 h4c1))) were lost" \
        "after the relay of their host was killed" >&3
    [ "$(distinct 1 h4c1)" -gt 1000 ]
    [ "$(duplicates 1 h4c1)" -eq 0 ]
    came_once 1 3000 "${ON_SEGMENT[@]}"
    once h2 "${EVERYWHERE[@]}"
}

# ---- the mesh

@test "relays of one segment that are peers send each other no frames, and drop those that come" {
    local to_1=$BATS_TEST_TMPDIR/to-1.pcap to_2=$BATS_TEST_TMPDIR/to-2.pcap
    configure "1 2 3 4"
    start_in_turn 1 2 3 4
    settle 1 2 3
    [ "$(peer 1 172.30.0.2 state)" = segment ]
    [ "$(peer 1 172.30.0.3 state)" = segment ]
    [ "$(peer 2 172.30.0.1 state)" = segment ]
    [ "$(peer 1 172.30.0.4 state)" = up ]
    [ "$(peer 4 172.30.0.2 state)" = up ]

    record_more h1 "$to_1" "udp port 7124 and $MESH_FRAME and src net 172.30.0.2/31"
    record_more h2 "$to_2" "udp port 7124 and $MESH_FRAME and src host 172.30.0.1"
    once_both_ways
    once h1 "${EVERYWHERE[@]}"
    once h2 "${EVERYWHERE[@]}"
    LAB_PID=${RECORDERS[0]} stop_recording "$to_1"
    LAB_PID=${RECORDERS[1]} stop_recording "$to_2"
    [ "$(count "$to_1")" -eq 0 ]
    [ "$(count "$to_2")" -eq 0 ]
    [ "$(peer 1 172.30.0.2 tx)" -eq 0 ]
    [ "$(peer 1 172.30.0.3 tx)" -eq 0 ]
    [ "$(peer 2 172.30.0.1 tx)" -eq 0 ]
    counter_is 1 mesh_dropped.segment 0

    # What comes anyway: in our format, and in SnowSignal's, to the forwarder and to a standby.
    local emitted
    emitted=$(counter 1 emitted)
    say_frame 2 1
    lab_wait 5 counter_is 1 mesh_dropped.segment 1
    snowsignal_datagram > "$BATS_TEST_TMPDIR/datagram"
    lab_on h2 socat -b 10000 -u "OPEN:$BATS_TEST_TMPDIR/datagram" UDP4-SENDTO:172.30.0.1:7124
    lab_wait 5 counter_is 1 mesh_dropped.segment 2
    say_frame 1 2
    lab_wait 5 counter_is 2 mesh_dropped.segment 1
    counter_is 1 emitted "$emitted"
    counter_is 2 emitted 0
}

# say_frame FROM TO: host FROM says to relay TO what its relay might.
say_frame() {
    local session
    session=$(sed -n 's/.*relay id is .*session \([0-9a-f]*\)$/\1/p' "$LAB_DIR/h$1/snowrelayd.log" |
        tail -n 1)
    captured_frame | lab_on "h$1" "$BATS_TEST_DIRNAME/say.py" frame "to=172.30.0.$2" \
        "id=0x$(relay_id "$1")" "session=0x$session" seq=1000
}

# ---- announcements

@test "announcements reach the other bridges, and never the mesh" {
    local here=$BATS_TEST_TMPDIR/here.pcap there=$BATS_TEST_TMPDIR/there.pcap
    local mesh=$BATS_TEST_TMPDIR/mesh.pcap beyond=$BATS_TEST_TMPDIR/beyond.pcap
    configure "1 2 4"
    record_more h3c1 "$here" ether proto 0x88b5
    record_more h4c1 "$there" ether proto 0x88b5
    record_more h4 "$mesh" "udp port 7124 and $MESH_FRAME"
    start_in_turn 1 2 4
    settle 1 2
    record_more h2c1 "$beyond" ether proto 0x88b5
    sleep 1.3
    lab_kill "${RECORDERS[@]}"
    [ "$(count "$here" ether src "$(mac 1)" and ether dst 03:53:4e:4f:57:01)" -ge 5 ]
    [ "$(count "$here" ether src "$(mac 2)" and ether dst 03:53:4e:4f:57:01)" -ge 5 ]
    [ "$(count "$here" not ether src "$(mac 1)" and not ether src "$(mac 2)")" -eq 0 ]
    # A bridge whose relay takes them passes them on nevertheless.
    [ "$(count "$beyond" ether src "$(mac 1)")" -ge 5 ]
    [ "$(count "$there" ether src "$(mac 4)")" -ge 5 ]
    [ "$(count "$there" not ether src "$(mac 4)")" -eq 0 ]
    [ "$(count "$mesh")" -eq 0 ]
    for n in 1 2 4; do
        counter_is "$n" punted 0
    done
}

@test "malformed announcements do no harm" {
    local changes before after
    configure "1 2 4"
    start_in_turn 1 2 4
    settle 1 2
    before=$(lab_status 1 '.segment | [.state, .since, .relays[].relay_id] | join(" ")')
    # What each would be if it were well-formed is a forwarder that goes before the others.
    for changes in cut=1 cut=3 cut=62 n_ports=2 n_ports=65 n_ports=255 state=0 state=7 state=255 \
        priority=0 id=0 session=0 version=0 version=2 version=255 replace=14:00 replace=17:58 \
        mac=ff:ff:ff:ff:ff:ff mac=03:53:4e:4f:57:01 mac=00:00:00:00:00:00 \
        replace=0:03534e4f5702 "raw=03534e4f5701020000000a0188b5"; do
        lab_on h1c1 "$BATS_TEST_DIRNAME/announce.py" priority=200 "$changes"
    done
    sleep 0.5
    after=$(lab_status 1 '.segment | [.state, .since, .relays[].relay_id] | join(" ")')
    [ "$after" = "$before" ]
    states_are "forwarding standby" 1 2
    once_both_ways

    # Whereas this one is taken for what it says, until it has been silent for its dead time.
    lab_on h1c1 "$BATS_TEST_DIRNAME/announce.py" priority=200 more=40
    state_is 1 standby
    [ "$(lab_status 1 .segment.forwarder.relay_id)" = 000000000000000a ]
    [ "$(lab_status 2 .segment.forwarder.address)" = 172.30.0.10 ]
    lab_wait 5 one_forwards 1 2
    [ "$(lab_status 1 '.segment.relays | length')" -eq 1 ]
}

# ---- what it tells

@test "segment/show, mesh/show and status tell who forwards, since when and why" {
    # It is told where its mesh is, the others announce themselves with the address of their bridge.
    configure 1 '.mesh.address = "172.30.0.1"'
    configure "2 4"
    start_in_turn 1 2 4
    settle 1 2
    run -0 appctl 1 segment/show
    echo "$output"
    [ "${lines[0]}" = "forwarder: self" ]
    [[ "$output" == *"since: 20"[0-9][0-9]-* ]]
    [[ "$output" == *"$(relay_id 2) "*10.1.0.102*"$(mac 2)"*100*standby* ]]
    run -0 appctl 2 segment/show
    echo "$output"
    [ "${lines[0]}" = "forwarder: $(relay_id 1) 172.30.0.1" ]
    [[ "$output" == *"since: 20"[0-9][0-9]-* ]]
    [[ "$output" == *"$(relay_id 1)"*"$(mac 1)"*100*forwarding* ]]

    run -0 appctl 1 mesh/show
    [[ "$output" == *"forwarder: self"* ]]
    [[ "$output" == *172.30.0.2:7124*segment* ]]
    run -0 appctl 2 mesh/show
    [[ "$output" == *"forwarder: $(relay_id 1) 172.30.0.1"* ]]
    run -0 appctl 1 status
    [[ "$output" == *"forwarder: self"* ]]
    run -0 appctl 2 status
    [[ "$output" == *"forwarder: $(relay_id 1) 172.30.0.1"* ]]

    relay_kill 1
    lab_wait 5 state_is 2 forwarding
    run -0 appctl 2 segment/show
    echo "$output"
    [ "${lines[0]}" = "forwarder: self" ]
    [[ "$output" == *"the forwarder before it fell silent"* ]]
}
