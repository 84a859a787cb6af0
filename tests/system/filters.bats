#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Which broadcasts are relayed: relay.from, which the switch looks after, and relay.filter, which is
# libpcap's. Two hosts with a switch and a relay each, two clients on the first segment, one on the
# second.

bats_require_minimum_version 1.5.0
load common

setup_file() {
    lab_init
    lab_host 1
    lab_host 2
    lab_client 1 1
    lab_client 1 2
    lab_client 2 1
}

# Each test starts the relays that it needs.
teardown() {
    lab_relay_stop 1
    lab_relay_stop 2
}

# start N RELAY...: starts the relay of host N, 1 or 2, with the keys of "relay".
start() {
    local n=$1
    shift
    echo "{ \"relay\": { $* } }" > "$LAB_DIR/h$n.json"
    lab_relay "$n" --config "$LAB_DIR/h$n.json" --other-relays "172.30.0.$((3 - n))"
}

# crosses FROM TEXT: whether what client FROM, on segment 1, says arrives on the other segment. A
# broadcast that does is sent after it, by client 1, so that there is an end to waiting.
crosses() {
    local file=$BATS_TEST_TMPDIR/crosses.pcap n
    record h2c1 "$file" udp port 5076
    broadcast "$1" "$2" 10.1.0.255
    sleep 0.3
    stop_recording "$file" 0
    n=$(tcpdump -nAr "$file" 2> /dev/null | grep -c -- "$2")
    [ "$n" -le 1 ] && [ "$n" -eq 1 ]
}

# punted N: prints how many frames the switch of host N has punted.
punted() { lab_status "$1" .counters.punted; }

@test "only broadcasts from relay.from are punted, by a flow match" {
    start 1 '"from": ["10.1.0.10", "192.0.2.0/24"]'
    start 2
    run -0 our_flows 1
    # Those of the program on the host, and those of the segment; for each of the subnets.
    if [ "${LAB_TRANSPORT:-udp}" = udp ]; then
        [ "$(grep -ci 'nw_src=10.1.0.10,.*controller' <<< "$output")" -eq 2 ]
    fi
    [ "$(grep -c 'nw_src=192.0.2.0/24' <<< "$output")" -ge 2 ]
    crosses h1c1 right
    local before
    before=$(punted 1)
    run ! crosses h1c2 wrong
    [ "$(punted 1)" -eq "$before" ]
    # On its own segment it goes where it went.
    local file=$BATS_TEST_TMPDIR/same.pcap
    record h1c1 "$file" udp port 5076
    broadcast h1c2 "own segment" 10.1.0.255
    stop_recording "$file" 1
    [ "$(count "$file")" -eq 1 ]
}

@test "relay.from is asked again before emission" {
    start 1
    start 2 '"from": "10.1.0.11"'
    run ! crosses h1c1 wrong
    crosses h1c2 right
    [ "${LAB_TRANSPORT:-udp}" != udp ] || [ "$(dropped 2 source)" -eq 1 ]
}

@test "relay.from follows a reload" {
    start 1 '"from": "10.1.0.11"'
    start 2
    run ! crosses h1c1 before
    echo '{ "relay": { "from": ["10.1.0.10"] }, "mesh": { "peers": ["172.30.0.2"] } }' > "$LAB_DIR/h1.json"
    appctl 1 config/reload
    lab_wait 5 crosses h1c1 after
    run ! crosses h1c2 later
}

# bats test_tags=datagrams
@test "a filter leaves out what it does not match, before the mesh" {
    # 0x6e6f6e65 is "none". What asks for bytes beyond a frame's end does not match.
    start 1 '"filter": "not src host 10.1.0.11 and udp[8:4] != 0x6e6f6e65"'
    start 2
    crosses h1c1 everything
    run ! crosses h1c2 everything
    run ! crosses h1c1 none-of-it
    run ! crosses h1c1 no
    [ "$(lab_status 1 .counters.punt_dropped.filter)" -eq 3 ]
    [ "$(lab_status 2 .counters.mesh_rx)" -eq 1 ]
}

# bats test_tags=datagrams
@test "a filter leaves out what it does not match, before emission" {
    start 1
    start 2 '"filter": "not src net 10.1.0.11/32"'
    crosses h1c1 all
    run ! crosses h1c2 all
    [ "$(dropped 2 filter)" -eq 1 ]
}

# bats test_tags=datagrams
@test "the long searches of EPICS clients, and no others" {
    start 1 '"filter": "udp[11] == 3 and greater 200"'
    start 2
    local arrived=$BATS_TEST_TMPDIR/arrived.pcap n
    n=$(count "$CAPTURES/epics-client-segment.pcap" "ether broadcast and udp port 5076 and udp[11] == 3 and greater 200")
    [ "$n" -gt 0 ]
    [ "$n" -lt "$(count "$CAPTURES/epics-client-segment.pcap" "ether broadcast and udp port 5076")" ]
    record h2c1 "$arrived" udp
    lab_on h1c1 tcpreplay --quiet --intf1=eth0 --pps=200 "$CAPTURES/epics-client-segment.pcap" > /dev/null
    stop_recording "$arrived" "$n"
    [ "$(count "$arrived" udp port 5076)" -eq "$n" ]
    [ "$(count "$arrived" "udp port 5076 and less 199")" -eq 0 ]
}

# bats test_tags=datagrams
@test "a filter that is wrong is refused, at the start and by a reload, with libpcap's message" {
    echo '{ "relay": { "filter": "udp prot 5076" } }' > "$LAB_DIR/h1.json"
    run -2 lab_on h1 "$SNOWRELAYD" --config "$LAB_DIR/h1.json" --check-config
    [ "$output" = "snowrelayd: $LAB_DIR/h1.json: relay.filter: \"udp prot 5076\": can't parse filter expression: syntax error" ]
    start 1 '"filter": "udp port 5076"'
    start 2
    echo '{ "relay": { "filter": "src host relay-b" }, "mesh": { "peers": ["172.30.0.2"] } }' > "$LAB_DIR/h1.json"
    run -2 appctl 1 config/reload
    grep -qF "relay.filter: \"src host relay-b\": unknown host 'relay-b': names are not looked up" <<< "$output"
    crosses h1c1 still
    echo '{ "relay": { "filter": "not src host 10.1.0.10" }, "mesh": { "peers": ["172.30.0.2"] } }' > "$LAB_DIR/h1.json"
    appctl 1 config/reload
    run ! crosses h1c1 after
    crosses h1c2 after
}

# bats test_tags=datagrams
@test "a frame's way is one line of the log, at level debug" {
    start 1
    start 2 '"filter": "not src host 10.1.0.11"'
    appctl 1 vlog/set frames:file:dbg
    appctl 2 vlog/set frames:file:dbg
    crosses h1c1 all
    run ! crosses h1c2 all
    lab_wait 5 logged_once 1 '10[.]1[.]0[.]10:[0-9]+ > 10[.]1[.]0[.]255:5076, frame of [0-9]+ bytes: punted, sent to 1 peer$'
    logged_once 2 '10[.]1[.]0[.]10:[0-9]+ > 10[.]1[.]0[.]255:5076, frame of [0-9]+ bytes: received from 172[.]30[.]0[.]1:7124, emitted with its destination rewritten$'
    logged_once 2 '10[.]1[.]0[.]11:[0-9]+ > 10[.]1[.]0[.]255:5076, frame of [0-9]+ bytes: received from 172[.]30[.]0[.]1:7124, dropped: filter$'
    # What holds no frame is told of as well.
    echo junk | lab_on h1 socat -u - UDP-SENDTO:172.30.0.2:7124
    lab_wait 5 logged_once 2 'datagram of 5 bytes: received from 172[.]30[.]0[.]1:[0-9]+, dropped: format$'
    [ "$(logged 2 'frames[|]DBG')" -eq 3 ]
}

logged_once() { [ "$(logged "$1" "$2")" -eq 1 ]; }
