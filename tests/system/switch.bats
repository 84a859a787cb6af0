#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The relay and its switch: which flows it puts there and when, what it leaves alone, and what it
# does when the switch goes and comes back.

bats_require_minimum_version 1.5.0
load common

setup_file() {
    lab_init
    lab_host 1
    lab_host 2
    lab_client 1 1
    lab_client 2 1
}

setup() {
    lab_relay 1 -b 5076,5064 --other-relays 172.30.0.2
    lab_relay 2 -b 5076,5064 --other-relays 172.30.0.1
    if lab_tunnels; then
        lab_wait 5 lab_tunnelled
        N_FLOWS=$(our_flows 1 | grep -c cookie=)
    else
        # For each port three flows and a loop filter for the peer.
        N_FLOWS=9
        lab_wait 5 has_flows 1 9
    fi
}

teardown() {
    local n
    for n in 1 2; do
        lab_relay_stop "$n" || true
    done
}

log() { cat "$LAB_DIR/h$1/snowrelayd.log"; }

# Is a broadcast from h1's client heard at h2's?
relays() {
    local file=$BATS_TEST_TMPDIR/relays.pcap
    record h2c1 "$file" udp port 5076
    broadcast h1c1 "$RANDOM" 10.1.0.255
    stop_recording "$file" 1
    [ "$(count "$file")" -eq 1 ]
}

has_flows() { [ "$(our_flows "$1" | grep -c cookie=)" -eq "$2" ]; }

# bats test_tags=datagrams
@test "the flows are those that --print-flows prints" {
    # Which MACs its peers have the relay learns from them.
    lab_relay_stop 2
    lab_relay_stop 1
    lab_relay 1 -b 5076,5064 --other-relays 172.30.0.2
    lab_on h1 "$SNOWRELAYD" -b 5076,5064 --print-flows > "$BATS_TEST_TMPDIR/printed"
    our_flows 1 > "$BATS_TEST_TMPDIR/installed"
    lab_ofctl 1 dump-meters br0 > "$BATS_TEST_TMPDIR/meters"
    lab_relay_stop 1
    [ -z "$(our_flows 1)" ]

    # As printed, they can be pasted into a shell.
    lab_on h1 bash -e "$BATS_TEST_TMPDIR/printed"
    our_flows 1 > "$BATS_TEST_TMPDIR/pasted"
    diff "$BATS_TEST_TMPDIR/installed" "$BATS_TEST_TMPDIR/pasted"
    diff <(grep -v reply "$BATS_TEST_TMPDIR/meters") \
        <(lab_ofctl 1 dump-meters br0 | grep -v reply)
    grep -c cookie= "$BATS_TEST_TMPDIR/pasted" | grep -x 7
}

# bats test_tags=datagrams
@test "flows/show puts wanted and installed side by side" {
    run -0 appctl 1 flows/show
    # Nine flows and three meters.
    [ "$(grep -c '^wanted: ' <<< "$output")" -eq 12 ]
    [ "$(grep -c '^installed: the same, n_packets=' <<< "$output")" -eq 9 ]
    [ "$(grep -c '^installed: the same$' <<< "$output")" -eq 3 ]
}

@test "other flows, the fail mode and other controllers are left alone, and see nothing" {
    local seen=$BATS_TEST_TMPDIR/seen
    lab_relay_stop 1
    lab_on h1 ovs-vsctl set-fail-mode br0 secure -- \
        set-controller br0 tcp:127.0.0.1:6653 -- set controller br0 connection_mode=out-of-band
    lab_ofctl 1 add-flow br0 'cookie=0x534e4f58,table=0,priority=65000,tcp,actions=NORMAL'
    lab_ofctl 1 add-flow br0 'table=7,priority=3,udp,actions=drop'
    lab_ofctl 1 add-meter br0 meter=7,pktps,band=type=drop,rate=9
    lab_on h1 ovs-vsctl --columns=fail_mode,controller list bridge br0 > "$BATS_TEST_TMPDIR/bridge"
    lab_ofctl 1 --no-stats dump-flows br0 > "$BATS_TEST_TMPDIR/flows"
    lab_ofctl 1 dump-meters br0 > "$BATS_TEST_TMPDIR/meters"

    lab_relay 1 --other-relays 172.30.0.2
    lab_in_background h1 ovs-ofctl -O OpenFlow15 monitor br0 65535 > "$seen" 2>&1
    local monitor=$LAB_PID
    lab_ofctl 1 --no-stats dump-flows br0 | grep -v cookie=0x534e4f57000 > "$BATS_TEST_TMPDIR/flows2"
    relays
    lab_kill "$monitor"
    run ! grep -i packet_in "$seen"
    diff "$BATS_TEST_TMPDIR/flows" "$BATS_TEST_TMPDIR/flows2"

    lab_relay_stop 1
    diff "$BATS_TEST_TMPDIR/flows" <(lab_ofctl 1 --no-stats dump-flows br0)
    diff "$BATS_TEST_TMPDIR/meters" <(lab_ofctl 1 dump-meters br0)
    diff "$BATS_TEST_TMPDIR/bridge" \
        <(lab_on h1 ovs-vsctl --columns=fail_mode,controller list bridge br0)
    lab_on h1 ovs-vsctl del-controller br0 -- del-fail-mode br0
    lab_ofctl 1 del-flows br0 table=7
    lab_ofctl 1 del-flows br0 tcp
    lab_ofctl 1 del-meters br0
    lab_relay 1 --other-relays 172.30.0.2
}

@test "flows that somebody removes or changes are put back, and the log says so once" {
    # An audit every five seconds would find it, too; the flow monitor is to be quicker.
    local before
    before=$(our_flows 1)
    lab_ofctl 1 del-flows br0 "cookie=$LAB_COOKIE"
    lab_wait 2 has_flows 1 "$N_FLOWS"
    [ "$(our_flows 1)" = "$before" ]
    [ "$(log 1 | grep -c "somebody else changed or removed $N_FLOWS of our flows")" -eq 1 ]

    lab_ofctl 1 mod-flows br0 'udp,tp_dst=5064,actions=drop'
    # shellcheck disable=SC2317  # lab_wait calls it
    as_before() { [ "$(our_flows 1)" = "$before" ]; }
    lab_wait 2 as_before

    # Somebody's own flow in the place of one of ours.
    lab_ofctl 1 add-flow br0 \
        'cookie=1,priority=20000,udp,dl_dst=ff:ff:ff:ff:ff:ff,tp_dst=5076,actions=drop'
    lab_wait 2 as_before

    # A flow of ours that nobody asked for.
    lab_ofctl 1 add-flow br0 'cookie=0x534e4f5700010009,priority=1,udp,actions=drop'
    lab_wait 10 as_before
    relays
}

@test "a meter that somebody removes is put back" {
    local before
    before=$(lab_ofctl 1 dump-meters br0 | grep -v reply)
    lab_ofctl 1 del-meters br0
    as_before() { [ "$(lab_ofctl 1 dump-meters br0 | grep -v reply)" = "$before" ]; }
    lab_wait 15 as_before
}

@test "kill -9 of ovs-vswitchd: relaying goes on when it is back" {
    relays
    lab_switch_kill 1
    lab_wait 5 lab_not_connected
    lab_switch_start 1
    local started=$EPOCHREALTIME
    lab_wait 10 lab_relay_ready 1
    echo "# the relay was ready $(((${EPOCHREALTIME//[!0-9]/} - ${started//[!0-9]/}) / 1000)) ms" \
        "after the switch was" >&3
    relays
}

lab_not_connected() { [ "$(lab_status 1 .connected)" = false ]; }

@test "kill -9 of the emitting side's ovs-vswitchd" {
    lab_switch_kill 2
    lab_switch_start 2
    lab_wait 10 lab_relay_ready 2
    relays
}

# Without its database ovs-vswitchd does not even forward, so nothing is to be had in between.
@test "kill -9 of ovsdb-server: relaying goes on when it is back" {
    local pid
    pid=$(< "$LAB_DIR/h1/ovsdb-server.pid")
    kill -KILL "$pid"
    lab_wait 5 lab_gone "$pid"
    lab_daemon 1 ovsdb-server --remote=punix:db.sock conf.db
    lab_on h1 ovs-vsctl --timeout=20 set bridge br0 external-ids:touched=yes
    lab_wait 10 lab_relay_ready 1
    relays
}

@test "the bridge deleted and made again" {
    lab_on h1 ovs-vsctl del-br br0
    lab_wait 5 lab_not_connected
    lab_on h1 ovs-vsctl add-br br0 -- set bridge br0 datapath_type=netdev \
        other-config:hwaddr=02:00:00:00:01:01 -- set interface br0 mtu_request=9000 \
        -- add-port br0 c1
    lab_segment_address 1 br0
    lab_wait 10 lab_relay_ready 1
    relays
}

@test "the local MAC follows the bridge's" {
    local file=$BATS_TEST_TMPDIR/mac.pcap
    lab_on h2 ovs-vsctl set bridge br0 other-config:hwaddr=02:00:00:00:02:99
    new_mac() { our_flows 2 | grep -q dl_src=02:00:00:00:02:99; }
    lab_wait 5 new_mac
    record h2c1 "$file" udp port 5076
    broadcast h1c1 new 10.1.0.255
    stop_recording "$file" 1
    [ "$(count "$file" ether src 02:00:00:00:02:99)" -eq 1 ]
    lab_on h2 ovs-vsctl set bridge br0 other-config:hwaddr=02:00:00:00:02:01
    old_mac() { our_flows 2 | grep -q dl_src=02:00:00:00:02:01; }
    lab_wait 5 old_mac
}

@test "the destination follows the bridge's address" {
    local file=$BATS_TEST_TMPDIR/address.pcap
    lab_on h2 ip address add 10.22.0.1/16 brd 10.22.255.255 dev br0
    lab_on h2 ip address del 10.2.0.1/24 dev br0
    record h2c1 "$file" udp port 5076
    broadcast h1c1 a 10.1.0.255
    stop_recording "$file" 1
    lab_on h2 ip address del 10.22.0.1/16 dev br0
    local none=$BATS_TEST_TMPDIR/none.pcap
    record h2c1 "$none" udp port 5076
    broadcast h1c1 b 10.1.0.255
    stop_recording "$none" 1
    lab_segment_address 2 br0
    [ "$(count "$file" dst 10.22.255.255)" -eq 1 ]
    [ "$(count "$none" dst 255.255.255.255)" -eq 1 ]
}

# bats test_tags=datagrams
@test "kill -9 of snowrelayd: its flows stay, and the next one takes them over as they are" {
    local pid age
    pid=$(lab_relay_pid 1)
    sleep 2
    kill -KILL "$pid"
    lab_wait 5 lab_gone "$pid"
    has_flows 1 "$N_FLOWS"
    lab_relay 1 -b 5076,5064 --other-relays 172.30.0.2
    has_flows 1 "$N_FLOWS"
    # A flow installed again would be young.
    for age in $(lab_ofctl 1 dump-flows br0 "cookie=$LAB_COOKIE" | grep -o 'duration=[0-9]*'); do
        [ "${age#duration=}" -ge 2 ]
    done
    relays
}

@test "a switch reached over TCP" {
    lab_relay_stop 1
    lab_on h1 ovs-vsctl set-controller br0 ptcp:6653:127.0.0.1
    lab_relay 1 -b 5076,5064 --switch tcp:127.0.0.1:6653 --other-relays 172.30.0.2
    relays
    lab_relay_stop 1
    lab_on h1 ovs-vsctl del-controller br0
    lab_relay 1 -b 5076,5064 --other-relays 172.30.0.2
}

@test "a bridge whose pipeline is not NORMAL" {
    echo '{"relay": {"forward": "resubmit(,10)"}}' > "$LAB_DIR/forward.json"
    lab_relay_stop 2
    lab_ofctl 2 add-flow br0 table=10,priority=1,actions=NORMAL
    lab_relay 2 --config "$LAB_DIR/forward.json" --other-relays 172.30.0.1
    relays
    [ "$(lab_ofctl 2 dump-flows br0 table=10 | grep -c n_packets=1)" -eq 1 ]
    lab_ofctl 2 del-flows br0 table=10
}

@test "a bridge address that was given without its broadcast address" {
    local file=$BATS_TEST_TMPDIR/plain.pcap
    lab_on h2 ip address del 10.2.0.1/24 dev br0
    lab_on h2 ip address add 10.23.0.1/24 dev br0
    record h2c1 "$file" udp port 5076
    broadcast h1c1 plain 10.1.0.255
    stop_recording "$file" 1
    lab_on h2 ip address del 10.23.0.1/24 dev br0
    lab_segment_address 2 br0
    [ "$(count "$file" dst 10.23.0.255)" -eq 1 ]
}

# Open vSwitch binds a flow to its meter when the flow is installed, so with the meter the flows have
# to be installed again, or somebody else's meter counts, and cuts, our punts.
@test "a meter that is put back counts the punts again, also if another took its place" {
    lab_ofctl 1 del-meters br0
    lab_ofctl 1 add-meter br0 meter=7,pktps,burst,band=type=drop,rate=1,burst_size=1
    lab_ofctl 1 add-meter br0 meter=8,pktps,burst,band=type=drop,rate=1,burst_size=1
    back() { lab_ofctl 1 dump-meters br0 | grep -q meter=5459456; }
    lab_wait 15 back
    lab_wait 5 lab_relay_ready 1
    relays
    relays
    relays
    [ "$(lab_ofctl 1 meter-stats br0 meter=5459456 | grep -o 'packet_in_count:[0-9]*')" = packet_in_count:3 ]
    lab_ofctl 1 del-meter br0 meter=7
    lab_ofctl 1 del-meter br0 meter=8
}

# A switch that accepts connections and says nothing is given up and tried again.
@test "a switch that is silent over TCP" {
    lab_relay_stop 1
    lab_in_background h1 socat -u TCP4-LISTEN:6653,bind=127.0.0.1,fork OPEN:/dev/null
    local silent=$LAB_PID
    lab_wait 5 lab_on h1 sh -c 'ss -ltn | grep -q 127.0.0.1:6653'
    lab_daemon 1 "$SNOWRELAYD" --switch tcp:127.0.0.1:6653 --other-relays 172.30.0.2
    local before after
    before=$("$BUILD/bench-probe" cpu "$(lab_relay_pid 1)" | grep -o '[0-9]*$')
    # Its two connections, for flows and for frames, are both given up for new ones.
    local first
    connections() { lab_on h1 ss -tnH state established dport = :6653 | awk '{ print $3 }' | sort; }
    two() { [ "$(connections | wc -l)" -eq 2 ]; }
    lab_wait 5 two
    first=$(connections)
    two_others() { two && [ -z "$(comm -12 <(echo "$first") <(connections))" ]; }
    lab_wait 40 two_others
    after=$("$BUILD/bench-probe" cpu "$(lab_relay_pid 1)" | grep -o '[0-9]*$')
    echo "CPU time: $(((after - before) / 1000000)) ms"
    [ $((after - before)) -lt 1000000000 ]
    lab_kill "$silent"
}
