#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Peers found by names, from a real name server: those of a Docker Swarm's service, of hosts, and of
# SRV records; as they come, move and go, and while the server is dead.

bats_require_minimum_version 1.5.0
load common

setup_file() {
    local n
    lab_init
    for n in 1 2 3 4 5; do
        lab_host "$n"
    done
    for n in 1 2 5; do
        lab_client "$n" 1
    done
}

teardown() {
    local n
    for n in 1 2 3 4 5; do
        lab_relay_stop "$n" || true
    done 2> /dev/null
    end_name_server
    [ -z "${PROBE:-}" ] || lab_kill "$PROBE"
}

# discover N NAME: starts the relay of host N, which discovers its peers by NAME.
discover() {
    jq -n --arg name "$2" '{mesh: {discover: [$name]}}' > "$LAB_DIR/h$1.json"
    lab_relay "$1" --config "$LAB_DIR/h$1.json" "${@:3}"
}

all_up() { [ "$(lab_status "$1" '[.peers[].state] | unique | join(" ")')" = up ]; }

@test "a Swarm's service grows from 2 hosts to 5 and shrinks again; those that stay lose nothing" {
    local n file=$BATS_TEST_TMPDIR/probe sent=$BATS_TEST_TMPDIR/sent
    serve_names '172.30.0.1 tasks.relays' '172.30.0.2 tasks.relays'
    ask_name_server 1 2 3 4 5
    for n in 1 2; do
        SERVICENAME=relays lab_relay "$n"
    done
    lab_wait 10 all_up 1
    peers_are 1 172.30.0.2
    peers_are 2 172.30.0.1

    probe_receive h2c1 "$file"
    lab_in_background h1c1 "$BUILD/bench-probe" send 10.1.0.255 5076 --rate 200 --seconds 100 > "$sent"
    local sender=$LAB_PID

    for n in 3 4 5; do
        SERVICENAME=relays lab_relay "$n"
    done
    local changed=$EPOCHREALTIME
    serve_names 172.30.0.{1,2,3,4,5}' tasks.relays'
    lab_wait 15 peers_are 1 '172.30.0.2 172.30.0.3 172.30.0.4 172.30.0.5'
    echo "# five hosts were known $((${EPOCHREALTIME//[!0-9]/} / 1000 - ${changed//[!0-9]/} / 1000)) ms" \
        "after the name server knew them" >&3
    lab_wait 15 peers_are 2 '172.30.0.1 172.30.0.3 172.30.0.4 172.30.0.5'
    lab_wait 15 peers_are 5 '172.30.0.1 172.30.0.2 172.30.0.3 172.30.0.4'
    lab_wait 10 all_up 1
    record h5c1 "$BATS_TEST_TMPDIR/new.pcap" udp port 5076
    lab_wait 5 has_frames "$BATS_TEST_TMPDIR/new.pcap" 10
    lab_kill "$LAB_PID"

    serve_names '172.30.0.1 tasks.relays' '172.30.0.2 tasks.relays'
    lab_wait 15 peers_are 1 172.30.0.2
    lab_wait 15 peers_are 2 172.30.0.1

    kill "$sender"
    wait "$sender" || true
    run -0 probe_received "$file"
    [ "${output% 0}" -gt 1000 ]
    all_punted() { [ "$output" = "$(lab_status 1 .counters.punted) 0" ]; }
    lab_wait 5 all_punted
    [ "$(peer 2 172.30.0.1 lost)" -eq 0 ]
    [ "$(logged 1 '172.30.0.2:7124 is (down|a peer no longer)')" -eq 0 ]
    [ "$(logged 1 '172.30.0.5:7124 is a peer no longer')" -eq 1 ]
}

@test "a relay leaves out its own addresses, on every network that it is on" {
    lab_on h1 ip link add other type bridge
    lab_on h1 ip address add 172.31.0.1/24 dev other
    serve_names '172.30.0.1 tasks.relays' '172.31.0.1 tasks.relays' '172.30.0.2 tasks.relays'
    ask_name_server 1
    SERVICENAME=relays lab_relay 1
    lab_wait 5 peers_are 1 172.30.0.2
    # An address that comes later is known for its own as well.
    serve_names '172.30.0.1 tasks.relays' '172.30.0.2 tasks.relays' '172.31.0.9 tasks.relays'
    lab_wait 15 peers_are 1 '172.30.0.2 172.31.0.9'
    lab_on h1 ip address add 172.31.0.9/24 dev other
    lab_wait 5 peers_are 1 172.30.0.2
    # So is one that the mesh does not listen on.
    lab_relay_stop 1
    jq -n '{mesh: {address: "172.30.0.1", discover: ["tasks.relays"]}}' > "$LAB_DIR/h1.json"
    lab_relay 1 --config "$LAB_DIR/h1.json"
    lab_wait 5 peers_are 1 172.30.0.2
    lab_on h1 ip link del other
    lab_wait 5 peers_are 1 '172.30.0.2 172.31.0.9'
}

# bats test_tags=datagrams
@test "a relay that is killed and started again takes over the flows about its peers" {
    local pid
    serve_names '172.30.0.1 tasks.relays' '172.30.0.2 tasks.relays'
    ask_name_server 1 2
    SERVICENAME=relays lab_relay 2
    SERVICENAME=relays lab_relay 1
    filtered() { [ "$(our_flows 1 | grep -c 'dl_src=02:00:00:00:02:01,')" -eq 1 ]; }
    lab_wait 5 filtered
    sleep 2
    pid=$(lab_relay_pid 1)
    kill -KILL "$pid"
    lab_wait 5 lab_gone "$pid"
    SERVICENAME=relays lab_relay 1
    filtered
    # A flow installed again would be young.
    [ "$(lab_ofctl 1 dump-flows br0 "cookie=$LAB_COOKIE" | grep -o 'duration=[0-9]*' |
        cut -d = -f 2 | sort -n | head -n 1)" -ge 2 ]
}

@test "a host that moves to another address is found there, and is still the same relay" {
    serve_names '172.30.0.2 relay-b'
    ask_name_server 1
    discover 1 relay-b
    lab_relay 2 --other-relays 172.30.0.1
    lab_wait 5 peer_is 1 172.30.0.2 up
    local id
    id=$(peer 1 172.30.0.2 relay_id)

    move_host 2 172.30.0.2 172.30.0.22
    serve_names '172.30.0.22 relay-b'
    lab_wait 15 peer_is 1 172.30.0.22 up
    peers_are 1 172.30.0.22
    [ "$(peer 1 172.30.0.22 relay_id)" = "$id" ]

    local file=$BATS_TEST_TMPDIR/moved.pcap
    record h2c1 "$file" udp port 5076
    broadcast h1c1 moved 10.1.0.255
    stop_recording "$file" 1
    [ "$(count "$file")" -eq 1 ]
    move_host 2 172.30.0.22 172.30.0.2
}

# move_host N FROM TO: its card in the underlay gets another address. The routes go with the old one.
move_host() {
    local m
    lab_on "h$1" ip address del "$2/24" dev "$(lab_underlay_card "$1")"
    lab_on "h$1" ip address add "$3/24" brd 172.30.0.255 dev "$(lab_underlay_card "$1")"
    for m in 1 2 3 4 5; do
        [ "$m" = "$1" ] || lab_on "h$1" ip route add "10.$m.0.0/24" via "172.30.0.$m"
    done
}

@test "a reload that finds the peers by a name instead loses nothing, though its server is slow" {
    local file=$BATS_TEST_TMPDIR/probe config=$LAB_DIR/h1.json
    serve_names '172.30.0.2 tasks.relays'
    ask_name_server 1
    # A first name server that is dead costs a second.
    sed -i '1i nameserver 172.30.0.251' "/etc/netns/$LAB-h1/resolv.conf"
    echo '{"mesh": {"peers": ["172.30.0.2"]}}' > "$config"
    lab_relay 1 --config "$config"
    lab_relay 2 --other-relays 172.30.0.1
    lab_wait 5 peer_is 1 172.30.0.2 up
    probe_receive h2c1 "$file"
    lab_in_background h1c1 "$BUILD/bench-probe" send 10.1.0.255 5076 --rate 1000 --count 5000 \
        > "$BATS_TEST_TMPDIR/sent"
    local sender=$LAB_PID
    sleep 0.5
    echo '{"mesh": {"discover": ["tasks.relays"]}}' > "$config"
    run -0 appctl 1 config/reload
    discovered() { [ "$(peer 1 172.30.0.2 source)" = discovered ]; }
    lab_wait 8 discovered
    wait "$sender"
    run -0 probe_received "$file"
    [ "$output" = "5000 0" ]
    [ "$(peer 1 172.30.0.2 tx)" -eq 5000 ]
    [ "$(logged 1 '172.30.0.2:7124 is (down|a peer no longer)')" -eq 0 ]
}

@test "addresses that no relay can have are no peers" {
    serve_names '0.0.0.0 tasks.relays' '224.0.0.1 tasks.relays' '255.255.255.255 tasks.relays' \
        'ff02::1 tasks.relays' '172.30.0.2 tasks.relays'
    ask_name_server 1
    SERVICENAME=relays lab_relay 1
    lab_wait 5 peers_are 1 172.30.0.2
}

@test "a name that stops resolving keeps its peers and is told once; so does a dead server" {
    serve_names '172.30.0.2 tasks.relays' '172.30.0.3 tasks.relays'
    ask_name_server 1
    SERVICENAME=relays lab_relay 1
    lab_wait 5 peers_are 1 '172.30.0.2 172.30.0.3'

    serve_names '172.30.0.9 somebody-else'
    told() { [ "$(logged 1 'tasks.relays: no address found .*; its last known ones stay')" -eq 1 ]; }
    lab_wait 20 told
    sleep 9 # The next round.
    told
    peers_are 1 '172.30.0.2 172.30.0.3'

    serve_names '172.30.0.2 tasks.relays'
    lab_wait 15 peers_are 1 172.30.0.2
    [ "$(logged 1 'tasks.relays: address found again')" -eq 1 ]

    end_name_server
    told_again() { [ "$(logged 1 'tasks.relays: no address found')" -eq 2 ]; }
    lab_wait 30 told_again
    sleep 9
    told_again
    peers_are 1 172.30.0.2
}

@test "SRV records give the hosts and their ports" {
    serve_names '172.30.0.2 relay-b' '172.30.0.3 relay-c' \
        --srv-host=_snowrelay._udp.example.org,relay-b.example.org,7200 \
        --srv-host=_snowrelay._udp.example.org,relay-c.example.org,7300
    ask_name_server 1 2
    lab_relay 2 -m 7200 --other-relays 172.30.0.1:7124
    discover 1 _snowrelay._udp.example.org
    lab_wait 5 peers_are 1 '172.30.0.2:7200 172.30.0.3:7300'
    [ "$(lab_status 1 '.peers[0].name')" = _snowrelay._udp.example.org ]
    up() { [ "$(lab_status 1 '.peers[0].state')" = up ]; }
    lab_wait 5 up

    # The host of one moves, and the other record goes.
    serve_names '172.30.0.4 relay-b' --srv-host=_snowrelay._udp.example.org,relay-b.example.org,7200
    lab_wait 15 peers_are 1 172.30.0.4:7200
}

@test "a server that answers late or is dead holds nobody up" {
    lab_resolv h1 172.30.0.251
    jq -n '{mesh: {peers: ["172.30.0.2"], discover: ["tasks.relays", "_snowrelay._udp.example.org"]}}' \
        > "$LAB_DIR/h1.json"
    lab_relay 1 --config "$LAB_DIR/h1.json"
    lab_relay 2 --other-relays 172.30.0.1
    lab_wait 5 peer_is 1 172.30.0.2 up
    local file=$BATS_TEST_TMPDIR/probe
    probe_receive h2c1 "$file"
    lab_on h1c1 "$BUILD/bench-probe" send 10.1.0.255 5076 --rate 100 --count 1000 > /dev/null
    run -0 probe_received "$file"
    [ "$output" = "1000 0" ]
    peers_are 1 172.30.0.2
    lab_wait 15 told_of_both
    sleep 9
    told_of_both
}

told_of_both() { [ "$(logged 1 'no address found')" -eq 2 ]; }

@test "a first name server that is dead costs a second, not the peers" {
    serve_names '172.30.0.2 tasks.relays'
    ask_name_server 1
    sed -i '1i nameserver 172.30.0.251' "/etc/netns/$LAB-h1/resolv.conf"
    SERVICENAME=relays lab_relay 1
    lab_wait 10 peers_are 1 172.30.0.2
    serve_names '172.30.0.2 tasks.relays' '172.30.0.3 tasks.relays'
    lab_wait 15 peers_are 1 '172.30.0.2 172.30.0.3'
    [ "$(logged 1 'no address found')" -eq 0 ]
}
