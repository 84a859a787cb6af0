#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Several relays on one segment that do not know of each other, or cannot: nothing goes round for
# ever. Hosts 1 and 2 are on one segment, hosts 4 and 5 on another; hosts 6 and 7 are on them as well,
# in the place of clients of hosts 1 and 4, for nodes of SnowSignal's kind that are made by hand.

bats_require_minimum_version 1.5.0
load segment

NODE_MAC=02:00:00:01:09:0a
FAR_NODE_MAC=02:00:00:04:09:0a
NODE_ADDRESS=10.1.0.18

# A client is deaf for what claims to be from itself; every segment has two of them, or three.
REMOTE=(h4c1 h5c1)
EVERYWHERE=(h1c1 h1c2 h2c1 "${REMOTE[@]}")

setup_file() {
    local n
    lab_init
    for n in 1 2 4 5; do
        lab_host "$n"
    done
    lab_lan 1 2
    lab_lan 4 5
    for n in 1 2 4 5; do
        lab_client "$n" 1
    done
    lab_client 1 2
    lab_host 6 --bare
    lab_guest 6 1 9
    lab_host 7 --bare
    lab_guest 7 4 9
}

teardown() {
    end_listening
    [ -z "${RECORDERS[*]:-}" ] || lab_kill "${RECORDERS[@]}"
    [ -z "${NODES[*]:-}" ] || lab_kill "${NODES[@]}"
    NODES=()
    end_relays 1 2 4 5
}

# peers_of "N..." "PEER..." [FILTER]: configures these relays with these peers, hosts or addresses.
peers_of() {
    local peer peers=
    for peer in $2; do
        [[ "$peer" == *.* ]] || peer=172.30.0.$peer
        peers+="\"$peer\","
    done
    configure "$1" ".mesh.peers = [${peers%,}] | ${3:-.}"
}

# storm FROM NODE...: FROM broadcasts 20 times; prints how many of these each NODE hears and how
# many copies of one on the average, rounded up, and waits until nothing moves any more.
storm() {
    local from=$1 node file
    shift
    RUN=$((RUN + 1))
    listen "$RUN" 5076 "$@"
    # To where everybody listens, whoever brings it there and does not change the destination.
    transmit "$RUN" "$from" 20 20 255.255.255.255
    transmitted
    listened
    for node; do
        file=$BATS_TEST_TMPDIR/$RUN-$node
        jq -r "\"$from to $node: \(.distinct) of 20, \((.received + 19) / 20 | floor) times\"" "$file"
    done
    it_has_ended
}

# Does nothing go round any more?
it_has_ended() {
    local before
    before=$(traffic_so_far)
    sleep 1
    diff <(echo "$before") <(traffic_so_far)
}

traffic_so_far() {
    local n
    local n
    for n in 1 2 4 5; do
        lab_status "$n" '.counters | "\(.punted) \(.relayed) \(.mesh_rx) \(.emitted)"' || true
    done 2> /dev/null
}

# at_most COPIES [HEARD]: does what storm printed say no more than that for any, and HEARD of 20, or
# all of them, heard everywhere?
at_most() {
    # shellcheck disable=SC2154 # run's
    echo "$output"
    awk -v most="$1" -v heard="${2:-20}" '$4 < heard || $7 > most { exit 1 }' <<< "$output"
}

# most N TUNNELS: prints N, or, where the switch carries until the relay has noticed, TUNNELS.
most() { if lab_tunnels; then echo "$2"; else echo "$1"; fi; }

# node PEER...: begins to be a node on host 6, far_node PEER... one on host 7.
node() { start_node h6 seg1 "$@"; }
far_node() { start_node h7 seg4 "$@"; }

start_node() {
    local host=$1
    shift
    lab_in_background "$host" "$BATS_TEST_DIRNAME/snowsignal.py" "$@"
    NODES+=("$LAB_PID")
    lab_wait 5 lab_on "$host" sh -c 'ss -lun | grep -q :7124'
}

# ---- no election

@test "no election, all peers: one broadcast causes one extra copy for each relay at most" {
    peers_of "1 2" "1 2 4" '.segment.election = false'
    peers_of 4 "1 2"
    start 1 2 4
    lab_wait 5 peers_known 1 2 4
    run -0 storm h1c1 "${EVERYWHERE[@]}"
    at_most 3
    run -0 storm h4c1 "${EVERYWHERE[@]}"
    at_most 3
}

@test "no election, no peers: two relays make two copies at most" {
    peers_of "1 2" 4 '.segment.election = false'
    peers_of 4 "1 2"
    start 1 2 4
    lab_wait 5 peers_known 1 2 4
    run -0 storm h1c1 "${EVERYWHERE[@]}"
    at_most 2
    run -0 storm h4c1 "${EVERYWHERE[@]}"
    at_most 2
}

@test "two segments with two relays each, no election, no peers of each other: it ends" {
    peers_of "1 2" "4 5" '.segment.election = false'
    peers_of "4 5" "1 2" '.segment.election = false'
    start 1 2 4 5
    lab_wait 5 peers_known 1 2 4 5
    # They pause the port, so that not all is relayed.
    run -0 storm h1c1 "${EVERYWHERE[@]}"
    at_most "$(most 5 1000)" 1
    run -0 storm h4c1 "${EVERYWHERE[@]}"
    at_most 5 1
}

@test "two segments with two relays each, and an election: one copy" {
    peers_of "1 2" "4 5"
    peers_of "4 5" "1 2"
    start 1 2 4 5
    settle 1 2
    settle 4 5
    once h1c1 "${EVERYWHERE[@]}"
    once h4c1 "${EVERYWHERE[@]}"
    once h5 "${EVERYWHERE[@]}"
    once h2 "${EVERYWHERE[@]}"
}

# ---- SnowSignal

@test "beside a SnowSignal-like node made by hand, its MAC configured: it ends" {
    peers_of "1 2" "1 2 4" ".segment.local_macs = [\"$NODE_MAC\"]"
    peers_of 4 "1 2 6"
    start 1 2 4
    node 172.30.0.4
    settle 1 2
    filters 1 "$NODE_MAC"
    filters 2 "$NODE_MAC"
    run -0 storm h1c1 "${EVERYWHERE[@]}"
    at_most 2
    run -0 storm h4c1 "${EVERYWHERE[@]}"
    at_most 2
    counter_is 1 punt_dropped.loop 0
}

@test "beside a SnowSignal-like node made by hand, its MAC learnt from its address: it ends" {
    peers_of "1 2" "1 2 4 $NODE_ADDRESS"
    peers_of 4 "1 2 6"
    node 10.1.0.1 10.1.0.102 172.30.0.4
    start 1 2 4
    settle 1 2
    # A peer that has said nothing may be no relay at all.
    filters_not 1 "$NODE_MAC"
    broadcast h1c1 "to be heard of" 255.255.255.255
    lab_wait 5 filters 1 "$NODE_MAC"
    lab_wait 5 filters 2 "$NODE_MAC"
    run -0 storm h1c1 "${EVERYWHERE[@]}"
    at_most 2
    run -0 storm h4c1 "${EVERYWHERE[@]}"
    at_most 2
}

@test "beside a SnowSignal-like node made by hand that nobody told of: it ends" {
    peers_of 1 4
    peers_of 4 "1 6"
    start 1 4
    node 172.30.0.4
    settle 1
    run -0 storm h4c1 "${EVERYWHERE[@]}"
    at_most 2
}

# By way of two relays that never punt it.
@test "two segments with a SnowSignal-like node each, made by hand: what goes round ends" {
    peers_of 1 "4 7" ".segment.local_macs = [\"$NODE_MAC\"]"
    peers_of 4 "1 6" ".segment.local_macs = [\"$FAR_NODE_MAC\"]"
    node 172.30.0.4 172.30.0.7
    far_node 172.30.0.1 172.30.0.6
    start 1 4
    settle 1
    # Eight times by the relay, and by the node what that brings.
    run -0 storm h1c1 h1c1 h1c2 h4c1
    at_most 30
    run -0 storm h4c1 h1c1 h1c2 h4c1
    at_most 30
}

# ---- loops that the relay cannot know of

reflect() {
    lab_in_background "$1" "$BATS_TEST_DIRNAME/reflect.py" eth0 "${@:2}"
    NODE=$LAB_PID
    lab_wait 5 has_packet_socket "$1"
}

has_packet_socket() { [ "$(lab_on "$1" sed 1d /proc/net/packet | wc -l)" -gt 0 ]; }

paused_is() { [ "$(lab_status 1 '.segment.paused | map(.port? // .) | join(" ")')" = "$1" ]; }

two_ports() {
    peers_of "1 2" "1 2 4" '.relay.ports = [5076, 5064]'
    peers_of 4 "1 2" '.relay.ports = [5076, 5064]'
    start_in_turn 1 2 4
    settle 1 2
    states_are "forwarding standby" 1 2
}

@test "a stray copy of what the relay emitted is dropped, and pauses nothing" {
    two_ports
    reflect h2c1 "$(mac 1)" 5076 1
    once h4c1 h1c1 h5c1 > "$BATS_TEST_TMPDIR/once" || true
    # The segment hears the copy, and nobody else does.
    [ "$(copies "$RUN" h1c1)" = "100 1" ]
    if lab_tunnels; then
        # The relay has noticed, and looks at what follows.
        [ "$(logged 1 'a broadcast of 10.4.0.10 has come back; the relay carries')" -eq 1 ]
    else
        [ "$(copies "$RUN" h5c1)" = "100 0" ]
        counter_is 1 punt_dropped.loop 1
    fi
    paused_is ""
    flows_are 1 punt 2
    once_both_ways h1c1 h1c2 h2c1
}

@test "a stray copy of what the relay took from the segment is dropped, too" {
    two_ports
    reflect h2c1 02:00:00:01:01:0a 5076 1
    if lab_tunnels; then
        once h1c1 "${REMOTE[@]}" > "$BATS_TEST_TMPDIR/once" || true
        [ "$(copies "$RUN" h5c1)" = "100 1" ]
        [ "$(logged 1 'a broadcast of 10.1.0.10 has come back; the relay carries')" -eq 1 ]
    else
        once h1c1 "${REMOTE[@]}"
        counter_is 1 punt_dropped.loop 1
    fi
    paused_is ""
}

@test "a loop that the relay cannot know of pauses its port, and only that, until it is gone" {
    two_ports
    reflect h2c1 "$(mac 1)" 5076
    listen 1 5076 h1c1 "${REMOTE[@]}"
    listen 2 5064 h1c1 "${REMOTE[@]}"
    transmit 1 h4c1 600 100
    lab_wait 5 paused_is 5076
    flows_are 1 punt 1
    flows 1 punt | grep -q tp_dst=5064
    [ "$(logged 1 'port 5076')" -ge 1 ]
    # Others go on, and what the mesh brings for it is emitted.
    transmit 2 h1c2/5064 100 200
    transmit 2 h4c1/5064 100 200
    transmitted
    listened
    echo "# a loop: $(copies 1 h1c1) on its segment, $(copies 1 h5c1) on the remote one" >&3
    [ "$(distinct 1 h1c1)" -eq 600 ]
    [ "$(distinct 1 h5c1)" -eq 600 ]
    [ "$(duplicates 1 h5c1)" -le "$(most 0 100)" ]
    [ "$(lab_status 1 '.counters.punted')" -lt 600 ]
    [ "$(copies 2 h1c1)" = "100 100" ]
    [ "$(copies 2 h4c1)" = "100 100" ]
    [ "$(copies 2 h5c1)" = "100 100" ]

    lab_kill "$NODE"
    local begin
    begin=$(milliseconds)
    lab_wait 30 paused_is ""
    lab_wait 5 flows_are 1 punt 2
    echo "#   over $(($(milliseconds) - begin)) ms after the reflector was gone" >&3
    once_both_ways h1c1 h1c2 h2c1
}

@test "what a program repeats word for word is no loop" {
    local capture=$BATS_TEST_TMPDIR/one.pcap file=$BATS_TEST_TMPDIR/arrived.pcap node
    two_ports
    record h1c2 "$capture" udp port 5076
    RECORDERS+=("$LAB_PID")
    broadcast h1c1 "word for word" 10.1.0.255
    stop_recording "$capture" 1
    for node in h1c1 h2c1; do
        # From behind the bridge that forwards, and from behind another one.
        record h4c1 "$file" udp port 5076
        RECORDERS+=("$LAB_PID")
        lab_on "$node" tcpreplay --quiet --intf1=eth0 --pps=200 --loop=50 "$capture" > /dev/null
        stop_recording "$file" 50
        [ "$(count "$file")" -eq 50 ]
    done
    paused_is ""
    counter_is 1 punt_dropped.loop 0

    # The other way the relay emits all of them.
    record h4:c1 "$capture" udp port 5076
    RECORDERS+=("$LAB_PID")
    broadcast h4c1 "word for word" 10.4.0.255
    stop_recording "$capture" 1
    record h2c1 "$file" udp port 5076
    RECORDERS+=("$LAB_PID")
    lab_on h4c1 tcpreplay --quiet --intf1=eth0 --pps=200 --loop=50 "$capture" > /dev/null
    stop_recording "$file" 50
    [ "$(count "$file")" -eq 50 ]
}

@test "a broadcast that another relay of the segment brings before its sender does is no loop" {
    local datagram=$BATS_TEST_TMPDIR/datagram
    peers_of 1 4
    start 1
    settle 1
    snowsignal_datagram > "$datagram"
    for _ in {1..30}; do
        # Without an election another relay may be faster than this one's own switch.
        lab_on h4 socat -b 10000 -u "OPEN:$datagram" UDP4-SENDTO:172.30.0.1:7124
        lab_on h1c1 tcpreplay --quiet --intf1=eth0 --limit=1 \
            "$CAPTURES/epics-client-segment.pcap" > /dev/null
    done
    [ "$(logged 1 'not punting the port')" -eq 0 ]
    [ "$(counter 1 punt_dropped.loop)" -ge 20 ]
}
