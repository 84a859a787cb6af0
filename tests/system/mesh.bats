#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Relays that watch each other: hellos, formats, liveness, loss, duplicates, the loop filter, peers
# that come and go while the relay runs.

bats_require_minimum_version 1.5.0
load common

setup_file() {
    local n
    lab_init
    for n in 1 2 3; do
        lab_host "$n"
        lab_client "$n" 1
    done
}

teardown() {
    local n
    for n in 1 2 3; do
        lab_relay_stop "$n" || true
    done 2> /dev/null
    [ -z "${PROBE:-}" ] || lab_kill "$PROBE"
    [ -z "${NODE:-}" ] || lab_kill "$NODE"
    lab_on h1 ip route del blackhole 172.30.0.2/32 2> /dev/null || true
}

# say N KIND [KEY=VALUE...]: host N sends a datagram made by hand, to 172.30.0.2 unless told
# otherwise. A frame is the first search of the capture.
say() {
    local n=$1 kind=$2
    shift 2
    case $kind in
        frame) captured_frame ;;
    esac | lab_on "h$n" "$BATS_TEST_DIRNAME/say.py" "$kind" "$@"
}

two_relays() {
    lab_relay 1 --other-relays 172.30.0.2
    lab_relay 2 --other-relays 172.30.0.1
    lab_wait 5 peer_is 1 172.30.0.2 up
    lab_wait 5 peer_is 2 172.30.0.1 up
}

dropped_is() { [ "$(dropped "$1" "$2")" -eq "$3" ]; }

filter_has() { our_flows "$1" | grep -q "dl_src=$2,"; }

filter_has_not() { ! filter_has "$@"; }

# milliseconds_since TIME
milliseconds_since() { echo $(((${EPOCHREALTIME//[!0-9]/} - ${1//[!0-9]/}) / 1000)); }

@test "two relays find out each other's format, id, MAC, ports and distance" {
    two_relays
    measured() { [ "$(peer 1 172.30.0.2 rtt_us)" != null ]; }
    lab_wait 5 measured
    [ "$(peer 1 172.30.0.2 format)" = snowrelay ]
    local dpid
    dpid=$(lab_on h2 ovs-vsctl --bare --columns=datapath_id list bridge br0)
    [ "$(peer 1 172.30.0.2 relay_id)" = "$dpid" ]
    [ "$(lab_status 2 .relay_id)" = "$dpid" ]
    [ "$(peer 1 172.30.0.2 'local_macs | join(" ")')" = 02:00:00:00:02:01 ]
    [ "$(peer 1 172.30.0.2 'ports | join(" ")')" = 5076 ]
    [ "$(peer 1 172.30.0.2 rtt_us)" -gt 0 ]
    [ "$(peer 1 172.30.0.2 rtt_last_us)" -gt 0 ]

    [ "$(heard h2c1)" -eq 1 ]
    [ "$(peer 1 172.30.0.2 tx)" -eq 1 ]
    [ "$(peer 2 172.30.0.1 rx)" -eq 1 ]
    [ "$(peer 1 172.30.0.2 tx_bytes)" -gt 40 ]
    [ "$(peer 1 172.30.0.2 tx_bytes)" -eq "$(peer 2 172.30.0.1 rx_bytes)" ]
    [ "$(peer 2 172.30.0.1 lost)" -eq 0 ]

    run -0 appctl 1 mesh/show
    [[ "${lines[0]}" == PEER*NAME*FORMAT*STATE*UP\ SINCE*RX*TX*LOST*RTT ]]
    [[ "${lines[1]}" == 172.30.0.2:7124*172.30.0.2*snowrelay*up*20[0-9][0-9]-*\ us ]]
}

# bats test_tags=datagrams
@test "frames between relays of ours have our header, and their order" {
    local file=$BATS_TEST_TMPDIR/mesh.pcap
    two_relays
    # The type follows the magic and the version; SR is 0x5352.
    record h2 "$file" 'udp port 7124 and src host 172.30.0.1 and udp[8:4] = 0x53520101'
    broadcast h1c1 one 10.1.0.255
    broadcast h1c1 two 10.1.0.255
    stop_recording "$file" 2
    [ "$(count "$file")" -eq 2 ]
    # The last byte of each number.
    [ "$(count "$file" 'udp[37] = 0')" -eq 1 ]
    [ "$(count "$file" 'udp[37] = 1')" -eq 1 ]
}

@test "an id from the configuration, and its session, which each start changes" {
    echo '{"mesh": {"peers": ["172.30.0.1"], "relay_id": "00000000DEADBEEF"}}' > "$LAB_DIR/id.json"
    lab_relay 1 --other-relays 172.30.0.2
    lab_relay 2 --config "$LAB_DIR/id.json"
    lab_wait 5 peer_is 1 172.30.0.2 up
    [ "$(peer 1 172.30.0.2 relay_id)" = 00000000deadbeef ]
    local pid
    pid=$(lab_relay_pid 2)
    kill -KILL "$pid"
    lab_wait 5 lab_gone "$pid"
    lab_relay 2 --config "$LAB_DIR/id.json"
    restarted() { [ "$(logged 1 'relay 00000000deadbeef has started anew')" -eq 1 ]; }
    lab_wait 5 restarted
    [ "$(heard h2c1)" -eq 1 ]
}

@test "a killed relay is suspect, then down after three hellos, and up again with its first" {
    two_relays
    local pid killed
    pid=$(lab_relay_pid 2)
    killed=$EPOCHREALTIME
    kill -KILL "$pid"
    lab_wait 10 peer_is 1 172.30.0.2 suspect
    lab_wait 10 peer_is 1 172.30.0.2 down
    echo "# the killed relay was down $(milliseconds_since "$killed") ms after, with a hello a second" >&3
    [ "$(logged 1 '172.30.0.2:7124 is suspect: a hello missed')" -ge 1 ]
    [ "$(logged 1 '172.30.0.2:7124 is down: three hellos missed')" -eq 1 ]
    # Its MAC stays in the filter as long as it is a peer.
    filter_has 1 02:00:00:00:02:01

    lab_relay 2 --other-relays 172.30.0.1
    killed=$EPOCHREALTIME
    lab_wait 10 peer_is 1 172.30.0.2 up
    echo "# and up $(milliseconds_since "$killed") ms after it was relaying again" >&3
    [ "$(heard h2c1)" -eq 1 ]
}

@test "hellos ten times a second make that as much faster" {
    echo '{"mesh": {"peers": ["172.30.0.1", "172.30.0.2"], "hello_ms": 100}}' > "$LAB_DIR/fast.json"
    lab_relay 1 --config "$LAB_DIR/fast.json"
    lab_relay 2 --config "$LAB_DIR/fast.json"
    lab_wait 5 peer_is 1 172.30.0.2 up
    local killed=$EPOCHREALTIME
    kill -KILL "$(lab_relay_pid 2)"
    lab_wait 10 peer_is 1 172.30.0.2 down
    echo "# the killed relay was down $(milliseconds_since "$killed") ms after, with ten hellos a second" >&3
}

@test "a relay that leaves says so" {
    two_relays
    lab_relay_stop 2
    lab_wait 2 peer_is 1 172.30.0.2 down
    [ "$(peer 1 172.30.0.2 reason)" = "it has left" ]
    [ "$(logged 1 '172.30.0.2:7124 is down: it has left')" -eq 1 ]
    [ "$(logged 1 'three hellos missed')" -eq 0 ]
}

@test "the loop filter has the peers' MACs as long as they are peers" {
    two_relays
    lab_wait 5 filter_has 1 02:00:00:00:02:01
    lab_wait 5 filter_has 2 02:00:00:00:01:01
    run -0 appctl 1 mesh/del-peer 172.30.0.2
    lab_wait 5 filter_has_not 1 02:00:00:00:02:01
    filter_has 1 02:00:00:00:01:01
    run -0 appctl 1 mesh/add-peer 172.30.0.2
    lab_wait 5 filter_has 1 02:00:00:00:02:01

    # What a peer emitted on this segment is not punted again.
    local before
    before=$(lab_status 1 .counters.punted)
    lab_on h1c1 ip link set eth0 address 02:00:00:00:02:01
    broadcast h1c1 emitted 10.1.0.255
    lab_on h1c1 ip link set eth0 address 02:00:00:00:01:0a
    [ "$(heard h2c1)" -eq 1 ]
    [ "$(lab_status 1 .counters.punted)" -eq $((before + 1)) ]
}

@test "a mixed mesh: a SnowSignal node gets its format, is shown as such, and may change sides" {
    local file=$BATS_TEST_TMPDIR/node.pcap
    lab_relay 1 --other-relays 172.30.0.2 172.30.0.3
    lab_relay 2 --other-relays 172.30.0.1
    lab_in_background h3 socat -u UDP4-RECV:7124 OPEN:/dev/null
    NODE=$LAB_PID
    lab_wait 5 peer_is 1 172.30.0.3 silent
    [ "$(peer 1 172.30.0.3 format)" = unknown ]
    lab_wait 5 peer_is 1 172.30.0.2 up

    snowsignal_datagram > "$BATS_TEST_TMPDIR/datagram"
    lab_on h3 socat -b 10000 -u "OPEN:$BATS_TEST_TMPDIR/datagram" UDP4-SENDTO:172.30.0.1:7124
    lab_wait 5 peer_is 1 172.30.0.3 snowsignal
    [ "$(peer 1 172.30.0.3 format)" = snowsignal ]
    [ "$(lab_status 1 .counters.emitted)" -eq 1 ]
    [ "$(peer 1 172.30.0.3 lost)" = null ]

    # Frames reach both, each in its format; the node gets nothing but these, and rare hellos.
    record h3 "$file" udp port 7124
    broadcast h1c1 "to both" 10.1.0.255
    sleep 5
    stop_recording "$file" 1
    [ "$(count "$file" 'udp[8:2] = 0x5353')" -eq 1 ]
    [ "$(count "$file" 'udp[8:4] = 0x53520101')" -eq 0 ]
    [ "$(count "$file" 'udp[8:4] = 0x53520102')" -le 2 ]
    [ "$(peer 2 172.30.0.1 rx)" -eq 1 ]
    peer_is 1 172.30.0.3 snowsignal

    # A relay of ours takes the node's place, and the node that of the relay.
    lab_kill "$NODE"
    lab_relay 3 --other-relays 172.30.0.1
    lab_wait 5 peer_is 1 172.30.0.3 up
    [ "$(heard h3c1)" -eq 1 ]
    lab_wait 5 filter_has 1 02:00:00:00:03:01
    lab_relay_stop 3
    lab_wait 5 peer_is 1 172.30.0.3 down
    lab_on h3 socat -b 10000 -u "OPEN:$BATS_TEST_TMPDIR/datagram" UDP4-SENDTO:172.30.0.1:7124
    lab_wait 5 peer_is 1 172.30.0.3 snowsignal
    lab_wait 5 filter_has_not 1 02:00:00:00:03:01
    [ "$(logged 1 '172.30.0.3:7124 is snowsignal')" -eq 2 ]
}

# Which of the two answers first is not said through a second bridge.
# bats test_tags=datagrams
@test "two addresses of one relay: one copy, and the other address when the first is cut off" {
    lab_relay 1 --other-relays 172.30.0.2 fd30::2
    lab_relay 2 --other-relays 172.30.0.1 fd30::1
    lab_wait 5 peer_is 1 172.30.0.2 up
    lab_wait 5 peer_is 1 '[fd30::2]' alternate
    [ "$(heard h2c1)" -eq 1 ]
    lab_wait 5 counts 1 mesh_tx 1

    lab_on h1 ip route add blackhole 172.30.0.2/32
    lab_on h2 ip route add blackhole 172.30.0.1/32
    lab_wait 10 peer_is 1 172.30.0.2 suspect
    lab_wait 5 peer_is 1 '[fd30::2]' up
    [ "$(heard h2c1)" -eq 1 ]
    lab_on h1 ip route del blackhole 172.30.0.2/32
    lab_on h2 ip route del blackhole 172.30.0.1/32
    lab_wait 10 peer_is 1 172.30.0.2 alternate
    [ "$(heard h2c1)" -eq 1 ]
    [ "$(peer 2 '[fd30::1]' duplicated)" -eq 0 ]
}

@test "two addresses of a relay that knows this one by one address, whoever starts first" {
    lab_on h2 ip address add 172.30.0.22/24 dev "$(lab_underlay_card 2)"
    local first second file=$BATS_TEST_TMPDIR/copies.pcap
    for first in 1 2; do
        second=$((3 - first))
        # shellcheck disable=SC2046 # words
        lab_relay "$first" $(others "$first")
        # Long enough for those who are silent to be asked only every eight seconds.
        sleep $((first == 1 ? 8 : 1))
        # shellcheck disable=SC2046 # words
        lab_relay "$second" $(others "$second")
        lab_wait 5 both_addresses_known
        record h2c1 "$file" udp port 5076
        for text in one two three; do
            broadcast h1c1 "$text" 10.1.0.255
        done
        stop_recording "$file" 3
        [ "$(count "$file")" -eq 3 ]
        sleep 4
        both_addresses_known
        [ "$(logged 1 'it does not hear this relay')" -eq 0 ]
        lab_relay_stop 1
        lab_relay_stop 2
    done
    lab_on h2 ip address del 172.30.0.22/24 dev "$(lab_underlay_card 2)"
}

others() {
    case $1 in
        1) echo --other-relays 172.30.0.2 172.30.0.22 ;;
        2) echo --other-relays 172.30.0.1 ;;
    esac
}

both_addresses_known() {
    [ "$(lab_status 1 '[.peers[].state] | sort | join(" ")')" = "alternate up" ]
}

# bats test_tags=datagrams
@test "frames that reach a relay twice are emitted once" {
    local file=$BATS_TEST_TMPDIR/twice.pcap emitted=$BATS_TEST_TMPDIR/emitted.pcap
    two_relays
    record h1:eth0:out "$file" 'udp port 7124 and udp[8:4] = 0x53520101'
    local recorder=$LAB_PID
    record h2c1 "$emitted" udp port 5076
    local emissions=$LAB_PID
    for text in one two three; do
        broadcast h1c1 "$text" 10.1.0.255
    done
    LAB_PID=$recorder stop_recording "$file" 3
    # The same datagrams once more, from the same address.
    lab_on h1 tcpreplay -q -i eth0 "$file" > /dev/null
    lab_wait 5 dropped_is 2 duplicate 3
    LAB_PID=$emissions stop_recording "$emitted" 3
    [ "$(count "$emitted")" -eq 3 ]
    [ "$(peer 2 172.30.0.1 duplicated)" -eq 3 ]
    [ "$(lab_status 2 .counters.emitted)" -eq 3 ]
    [ "$(lab_status 2 .counters.mesh_rx)" -eq 6 ]
}

# bats test_tags=datagrams
@test "lost, reordered and repeated frames are told apart" {
    local seq
    lab_relay 2 --other-relays 172.30.0.1
    say 1 hello seq=1 answer=0
    for seq in 1 2 6 5 5 1; do
        say 1 frame seq="$seq"
    done
    counted() { [ "$(lab_status 2 .counters.mesh_rx)" -eq 6 ]; }
    lab_wait 5 counted
    [ "$(peer 2 172.30.0.1 lost)" -eq 2 ]
    [ "$(peer 2 172.30.0.1 reordered)" -eq 1 ]
    [ "$(peer 2 172.30.0.1 duplicated)" -eq 2 ]
    dropped_is 2 duplicate 2
    # The last ones of a row are missed as well, once a hello tells that they were sent.
    say 1 hello seq=10 answer=0
    missed() { [ "$(peer 2 172.30.0.1 lost)" -eq 5 ]; }
    lab_wait 5 missed
}

@test "a relay that hears itself drops that and counts it" {
    local id session
    two_relays
    id=$(lab_status 1 .relay_id)
    session=$(sed -n 's/.*relay id is .*session \([0-9a-f]*\)$/\1/p' "$LAB_DIR/h1/snowrelayd.log" | tail -n 1)
    say 2 frame to=172.30.0.1 id="0x$id" session="0x$session"
    lab_wait 5 dropped_is 1 own 1
    [ "$(lab_status 1 .counters.emitted)" -eq 0 ]
    [ "$(logged 1 "has this relay's id")" -eq 0 ]

    # Somebody else with the same id is told of.
    say 2 frame to=172.30.0.1 id="0x$id" session=1
    lab_wait 5 dropped_is 1 own 2
    [ "$(logged 1 "the relay at 172.30.0.2 has this relay's id $id; give one of them another")" -eq 1 ]
}

@test "a hello that the network sends back sets nobody aside" {
    local file=$BATS_TEST_TMPDIR/hello.pcap
    two_relays
    record h1:eth0:out "$file" 'udp port 7124 and dst host 172.30.0.2 and udp[8:4] = 0x53520102'
    stop_recording "$file" 1
    # From a stranger's address, and from the peer's.
    payload "$file" > "$BATS_TEST_TMPDIR/datagram"
    lab_on h3 socat -b 10000 -u "OPEN:$BATS_TEST_TMPDIR/datagram" UDP4-SENDTO:172.30.0.1:7124
    lab_wait 5 dropped_is 1 own 1
    lab_on h2 socat -b 10000 -u "OPEN:$BATS_TEST_TMPDIR/datagram" UDP4-SENDTO:172.30.0.1:7124
    lab_wait 5 dropped_is 1 own 2
    peer_is 1 172.30.0.2 up
    [ "$(heard h2c1)" -eq 1 ]
}

# payload FILE: the payload of the first datagram in FILE. In front of it are the file's header and
# the frame's own, and Ethernet, IP and UDP.
payload() {
    local length
    length=$(od -An -tu4 -j32 -N4 "$1")
    tail -c +83 "$1" | head -c "$((length - 42))"
}

@test "a peer that leads to this relay itself is set aside" {
    # Loopback is no address that the mesh listens to for others, so that it has to find out.
    lab_relay 1 --other-relays 127.0.0.2 172.30.0.2
    lab_wait 5 peer_is 1 127.0.0.2 own
    [ "$(logged 1 'peer 127.0.0.2: 127.0.0.2:7124 is this relay, set aside')" -eq 1 ]
    broadcast h1c1 once 10.1.0.255
    punted() { [ "$(lab_status 1 .counters.punted)" -eq 1 ]; }
    lab_wait 5 punted
    lab_wait 5 counts 1 mesh_tx 1
    [ "$(lab_status 1 .counters.emitted)" -eq 0 ]
}

@test "relays of versions to come are understood as far as can be" {
    lab_relay 2 --other-relays 172.30.0.1
    # A hello is of version 1 for ever, but may be longer, and hold what we do not know.
    say 1 hello max=9 more_header=8 more_fixed=40 unknown_item=77 macs=02:00:00:00:09:09
    lab_wait 5 peer_is 2 172.30.0.1 up
    [ "$(peer 2 172.30.0.1 'local_macs | join(" ")')" = 02:00:00:00:09:09 ]
    say 1 frame seq=0 more_header=8
    emitted() { [ "$(lab_status 2 .counters.emitted)" -eq 1 ]; }
    lab_wait 5 emitted
    say 1 frame seq=1 version=2
    lab_wait 5 dropped_is 2 version 1
    say 1 other
    lab_wait 5 dropped_is 2 format 1

    # With one that speaks no version of ours there is still SnowSignal's format.
    say 1 hello min=2 max=9 session=12
    local file=$BATS_TEST_TMPDIR/old.pcap
    record h1 "$file" 'udp port 7124 and udp[8:2] = 0x5353'
    broadcast h2c1 old 10.2.0.255
    stop_recording "$file" 1
    [ "$(count "$file")" -eq 1 ]
}

@test "a hello that asks for an answer gets one at once, no larger than need be" {
    # Of itself this relay says hello so rarely that none comes by chance.
    echo '{"mesh": {"peers": ["172.30.0.1"], "hello_ms": 60000}}' > "$LAB_DIR/rare.json"
    lab_relay 2 --config "$LAB_DIR/rare.json"
    say 1 hello answer=0
    lab_wait 5 peer_is 2 172.30.0.1 up
    sleep 0.5
    # As one that has been started again would ask.
    run -0 say 1 hello wait=5 path=0x1234 session=0x77
    [[ "$output" == *"id=0x20000000201 "*" echo_path=4660" ]]
}

@test "peers are added and removed while the relay runs, until the next start" {
    lab_relay 1 --other-relays 172.30.0.2
    lab_relay 2 --other-relays 172.30.0.1
    lab_relay 3 --other-relays 172.30.0.1
    lab_wait 5 peer_is 1 172.30.0.2 up
    run -0 appctl 1 mesh/add-peer 172.30.0.3
    [[ "$output" == "peer 172.30.0.3 added until the next start; put it into mesh.peers to keep it" ]]
    lab_wait 5 peer_is 1 172.30.0.3 up
    [ "$(peer 1 172.30.0.3 source)" = added ]
    [ "$(heard h3c1)" -eq 1 ]
    run -2 appctl 1 mesh/add-peer 172.30.0.3:7124
    [[ "$output" == *'"172.30.0.3:7124" is a peer already'* ]]
    run -2 appctl 1 mesh/add-peer 'no host'
    [[ "$output" == *'"no host" is neither an address nor a host name'* ]]

    run -0 appctl 1 mesh/del-peer 172.30.0.2
    [[ "$output" == "peer 172.30.0.2 removed until the next start"* ]]
    peers_are 1 172.30.0.3
    run -2 appctl 1 mesh/del-peer 172.30.0.2
    [[ "$output" == *'"172.30.0.2" is no peer'* ]]

    # A reload changes neither, and without any peer nobody relays to himself.
    run -0 appctl 1 config/reload
    peers_are 1 172.30.0.3
    run -0 appctl 1 mesh/del-peer 172.30.0.3
    peers_are 1 ''
    broadcast h1c1 nobody 10.1.0.255
    unsent() { [ "$(lab_status 1 '.counters.punt_dropped.no_peer')" = 1 ]; }
    lab_wait 5 unsent

    lab_relay_stop 1
    lab_relay 1 --other-relays 172.30.0.2
    peers_are 1 172.30.0.2
}

@test "a reload that changes peers costs those that stay no frame" {
    local file=$BATS_TEST_TMPDIR/probe config=$LAB_DIR/reload.json
    echo '{"mesh": {"peers": ["172.30.0.2"]}}' > "$config"
    lab_relay 1 --config "$config"
    lab_relay 2 --other-relays 172.30.0.1
    lab_relay 3 --other-relays 172.30.0.1
    lab_wait 5 peer_is 1 172.30.0.2 up
    probe_receive h2c1 "$file"
    lab_in_background h1c1 "$BUILD/bench-probe" send 10.1.0.255 5076 --rate 1000 --count 5000 \
        > "$BATS_TEST_TMPDIR/sent"
    local sender=$LAB_PID
    for _ in 1 2 3 4 5 6 7 8; do
        echo '{"mesh": {"peers": ["172.30.0.3", "172.30.0.2"]}}' > "$config"
        appctl 1 config/reload
        sleep 0.2
        echo '{"mesh": {"peers": ["172.30.0.2"], "accept": ["10.0.0.0/8"]}}' > "$config"
        appctl 1 config/reload
        sleep 0.2
    done
    wait "$sender"
    run -0 probe_received "$file"
    [ "$output" = "5000 0" ]
    [ "$(peer 2 172.30.0.1 lost)" -eq 0 ]
    sent_to() { [ "$(peer 1 172.30.0.2 tx)" -eq "$1" ]; }
    lab_wait 5 sent_to 5000
    [ "$(logged 1 '172.30.0.2:7124 is (down|a peer no longer)')" -eq 0 ]
}

@test "a reload that relays nothing any more says bye, and one that does again finds the peers" {
    local config=$LAB_DIR/ports.json
    echo '{"relay": {"ports": [5076]}, "mesh": {"peers": ["172.30.0.2"]}}' > "$config"
    lab_relay 1 --config "$config"
    lab_relay 2 --other-relays 172.30.0.1
    lab_wait 5 peer_is 1 172.30.0.2 up
    echo '{"relay": {"ports": []}, "mesh": {"peers": ["172.30.0.2"]}}' > "$config"
    run -0 appctl 1 config/reload
    lab_wait 2 peer_is 2 172.30.0.1 down
    [ "$(peer 2 172.30.0.1 reason)" = "it has left" ]
    peers_are 1 ''
    run -2 appctl 1 mesh/del-peer 172.30.0.2
    [[ "$output" == *"this relay relays nothing"* ]]

    echo '{"relay": {"ports": [5076]}, "mesh": {"peers": ["172.30.0.2"]}}' > "$config"
    run -0 appctl 1 config/reload
    lab_wait 5 peer_is 1 172.30.0.2 up
    lab_wait 5 peer_is 2 172.30.0.1 up
    lab_wait 5 lab_relay_ready 1
    [ "$(heard h2c1)" -eq 1 ]
}

@test "another interval between hellos, by a reload, makes nobody suspect" {
    echo '{"mesh": {"peers": ["172.30.0.2"], "hello_ms": 20000}}' > "$LAB_DIR/pace.json"
    lab_relay 1 --config "$LAB_DIR/pace.json"
    lab_relay 2 --other-relays 172.30.0.1
    lab_wait 5 peer_is 1 172.30.0.2 up
    sleep 5
    echo '{"mesh": {"peers": ["172.30.0.2"], "hello_ms": 500}}' > "$LAB_DIR/pace.json"
    run -0 appctl 1 config/reload
    sleep 4
    [ "$(logged 1 'it does not hear this relay')" -eq 0 ]
    [ "$(logged 2 'is down')" -eq 0 ]
    peer_is 1 172.30.0.2 up
    peer_is 2 172.30.0.1 up
}

@test "what cannot be reached one way is suspect, and told why" {
    two_relays
    # Relay 1 hears relay 2, but not the other way round.
    lab_on h1 ip route add blackhole 172.30.0.2/32
    one_way() { [ "$(peer 1 172.30.0.2 reason)" = "it does not hear this relay" ]; }
    lab_wait 15 one_way
    peer_is 1 172.30.0.2 suspect
    lab_wait 5 peer_is 2 172.30.0.1 down
    lab_on h1 ip route del blackhole 172.30.0.2/32
    lab_wait 10 peer_is 1 172.30.0.2 up
    lab_wait 10 peer_is 2 172.30.0.1 up
}
