#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Who is sent to and who is listened to: addresses of both families, names from a hosts file and
# from a real name server, SnowSignal's datagrams, strangers.

bats_require_minimum_version 1.5.0
load common

setup_file() {
    lab_init
    lab_host 1
    lab_host 2
    lab_host 3
    lab_client 1 1
    lab_client 2 1
    lab_client 3 1
}

teardown() {
    local n
    for n in 1 2 3; do
        lab_relay_stop "$n" || true
    done 2> /dev/null
    end_name_server
}

# send FROM [SOCAT-OPTION]: the standard input, as one datagram, from host FROM to h2's mesh. It is
# put together first: socat would make a datagram of each piece that it reads.
send() {
    cat > "$BATS_TEST_TMPDIR/datagram"
    lab_on "$1" socat -b 10000 -u "OPEN:$BATS_TEST_TMPDIR/datagram" "UDP4-SENDTO:172.30.0.2:7124${2:+,$2}"
}

@test "IPv6 between the relays" {
    lab_relay 1 --other-relays fd30::2
    lab_relay 2 --other-relays '[fd30::1]:7124'
    [ "$(heard h2c1)" -eq 1 ]
    [ "$(lab_status 2 '.peers[0].rx')" -eq 1 ]
    run -0 appctl 1 mesh/show
    [[ "$output" == *"[fd30::2]:7124"* ]]
}

@test "a mesh of three, one of them by IPv6" {
    lab_relay 1 --other-relays fd30::2 172.30.0.3
    lab_relay 2 --other-relays fd30::1 fd30::3
    lab_relay 3 --other-relays 172.30.0.1 fd30::2
    [ "$(heard h2c1)" -eq 1 ]
    [ "$(heard h3c1)" -eq 1 ]
    lab_wait 5 counts 1 mesh_tx 4
}

@test "one list of peers for all: a relay sets its own address aside" {
    lab_relay 1 --other-relays 172.30.0.1 172.30.0.2
    lab_relay 2 --other-relays 172.30.0.1 172.30.0.2
    [ "$(heard h2c1)" -eq 1 ]
    [ "$(lab_status 1 '[.peers[].state] | join(",")')" = own,up ]
    lab_wait 5 counts 1 mesh_tx 1
}

@test "another mesh port" {
    lab_relay 1 -m 9000 --other-relays 172.30.0.2:9001
    MESH_PORT=9001 lab_relay 2 --other-relays 172.30.0.1:9000
    [ "$(heard h2c1)" -eq 1 ]
}

@test "a peer by name, from the hosts file" {
    printf '127.0.0.1 localhost\n172.30.0.2 relay-b relay-b.example.org\n' > "$BATS_TEST_TMPDIR/hosts"
    lab_resolv h1 "$BATS_TEST_TMPDIR/hosts"
    lab_relay 1 --other-relays relay-b
    lab_relay 2 --other-relays 172.30.0.1
    lab_wait 5 lab_ready_peers 1 1
    [ "$(heard h2c1)" -eq 1 ]
}

# lab_ready_peers N COUNT
lab_ready_peers() { [ "$(lab_status "$1" '[.peers[] | select(.state == "up" or .state == "silent")] | length')" -eq "$2" ]; }

@test "a peer by name, from a name server: it moves, its name goes, its server dies" {
    serve_names '172.30.0.2 relay-b'
    ask_name_server 1
    lab_relay 1 --other-relays relay-b
    lab_relay 2 --other-relays 172.30.0.1
    lab_relay 3 --other-relays 172.30.0.1
    lab_wait 5 lab_ready_peers 1 1
    [ "$(heard h2c1)" -eq 1 ]

    serve_names '172.30.0.3 relay-b'
    moved() { [ "$(lab_status 1 '.peers[0].address')" = 172.30.0.3:7124 ]; }
    lab_wait 20 moved
    [ "$(heard h3c1)" -eq 1 ]

    serve_names '172.30.0.9 somebody-else'
    told() { grep -q "relay-b: no address found .*; its last known ones stay" "$LAB_DIR/h1/snowrelayd.log"; }
    lab_wait 20 told
    [ "$(heard h3c1)" -eq 1 ]

    end_name_server
    [ "$(heard h3c1)" -eq 1 ]
}

@test "a name that does not resolve yet is asked for again, and holds nobody up" {
    lab_resolv h1 172.30.0.251
    lab_relay 1 --other-relays relay-b 172.30.0.2
    lab_relay 2 --other-relays 172.30.0.1
    [ "$(heard h2c1)" -eq 1 ]
    [ "$(lab_status 1 '.peers[0].state')" = unresolved ]
    [ "$(lab_status 1 '.peers[0].address')" = null ]
}

@test "a hand-made SnowSignal datagram is emitted, from any source port" {
    local file=$BATS_TEST_TMPDIR/made.pcap
    lab_relay 2 --other-relays 172.30.0.1
    record h2c1 "$file" udp port 5076
    snowsignal_datagram | send h1
    snowsignal_datagram | send h1 bind=172.30.0.1:40000
    stop_recording "$file" 2
    [ "$(count "$file" ether src 02:00:00:00:02:01 and src 10.1.0.10 and dst 10.2.0.255)" -eq 2 ]
}

@test "what comes from an unknown sender is dropped, counted and told" {
    local file=$BATS_TEST_TMPDIR/stranger.pcap
    lab_relay 2 --other-relays 172.30.0.1
    record h2c1 "$file" udp port 5076
    snowsignal_datagram | send h3
    stop_recording "$file"
    [ "$(count "$file")" -eq 0 ]
    [ "$(dropped 2 unknown_sender)" -eq 1 ]
    grep -q "datagram from 172.30.0.3 dropped" "$LAB_DIR/h2/snowrelayd.log"
}

@test "a sender in mesh.accept is heard without being a peer" {
    local file=$BATS_TEST_TMPDIR/accepted.pcap
    echo '{"mesh": {"peers": ["172.30.0.1"], "accept": ["172.30.0.2/31"]}}' > "$LAB_DIR/accept.json"
    lab_relay 2 --config "$LAB_DIR/accept.json"
    record h2c1 "$file" udp port 5076
    snowsignal_datagram | send h3
    stop_recording "$file" 1
    [ "$(count "$file")" -eq 1 ]
}

@test "what a peer sends is judged: format, port, checksum, length" {
    local file=$BATS_TEST_TMPDIR/judged.pcap good=$BATS_TEST_TMPDIR/good
    lab_relay 2 --other-relays 172.30.0.1
    snowsignal_datagram > "$good"
    record h2c1 "$file" udp
    printf 'PP%s' garbage | send h1
    printf 'S' | send h1
    printf 'SS' | send h1
    # A byte of the payload changed, and one cut off.
    { head -c 60 "$good"; printf x; tail -c +62 "$good"; } | send h1
    head -c -1 "$good" | send h1
    head -c 9300 /dev/zero | send h1
    stop_recording "$file"
    [ "$(count "$file")" -eq 0 ]
    [ "$(dropped 2 format)" -eq 2 ]
    [ "$(dropped 2 short)" -eq 1 ]
    [ "$(dropped 2 udp_checksum)" -eq 1 ]
    [ "$(dropped 2 ip_header)" -eq 1 ]
    [ "$(dropped 2 oversize)" -eq 1 ]

    # A port that this relay does not relay.
    lab_relay_stop 2
    lab_relay 2 -b 5064 --other-relays 172.30.0.1
    send h1 < "$good"
    lab_wait 5 counted
}

counted() { [ "$(dropped 2 port)" -eq 1 ]; }

@test "a relay without peers relays to itself, and warns" {
    lab_relay 1
    grep -q "WARN|no peers: relaying to this relay itself" "$LAB_DIR/h1/snowrelayd.log"
    # What was sent does not come back to the sender's port, but a copy from the local MAC does.
    local file=$BATS_TEST_TMPDIR/self.pcap
    record h1c1 "$file" udp port 5076
    broadcast h1c1 self 10.1.0.255
    stop_recording "$file" 1
    [ "$(count "$file" ether src 02:00:00:00:01:01)" -eq 1 ]
    [ "$(count "$file")" -eq 1 ]
}
