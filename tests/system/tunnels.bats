#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# A mesh whose frames the switches carry themselves, through tunnels: what they are told, what goes
# through, what does not and takes datagrams, and what is let in.
# shellcheck disable=SC2030,SC2031 # each test, and what it calls, has its own $output

bats_require_minimum_version 1.5.0
load tunnels

setup_file() { tunnel_lab; }

teardown() {
    end_mesh
    [ -z "${NODE:-}" ] || lab_kill "$NODE"
}

PORT=srm-00534e4d GROUP=5459712

# ---- what the switch has

groups() { lab_ofctl "$1" dump-groups br0 | grep -c "group_id=$GROUP," || true; }

meters() { lab_ofctl "$1" dump-meters br0 | grep -c meter= || true; }

# clean N: has host N's switch nothing of a relay?
clean() {
    [ -z "$(our_flows "$1")" ] && [ "$(groups "$1")" -eq 0 ] && [ "$(meters "$1")" -eq 0 ] &&
        mesh_ports_are "$1" ""
}

@test "the port, its group, flows and meters are there while the relay is, and gone with it" {
    relays 1 2
    [ "$(mesh_ports 1)" = "$PORT" ]
    [ "$(lab_on h1 ovs-vsctl get interface "$PORT" type)" = vxlan ]
    [ "$(lab_on h1 ovs-vsctl get interface "$PORT" options)" = '{key="5459533", remote_ip=flow}' ]
    [ "$(lab_on h1 ovs-vsctl get port "$PORT" trunks)" = '[4095]' ]
    [ "$(groups 1)" -eq 1 ]
    lab_ofctl 1 dump-groups br0 | grep "group_id=$GROUP,type=all" | grep -q 'set_field:172.30.0.2->tun_dst'
    # Those of the port, of announcements, of probes and of what is looked at.
    [ "$(meters 1)" -eq 4 ]
    our_flows 1 | grep -q 'priority=20005,in_port=[0-9]* actions=drop'
    lab_relay_stop 1
    clean 1
}

@test "what a killed relay leaves, one without tunnels takes away" {
    relays 1 2
    relay_kill 1
    mesh_ports_are 1 "$PORT"
    [ "$(groups 1)" -eq 1 ]
    configure 1 '.mesh.transport = "udp"'
    start 1
    lab_wait 5 mesh_ports_are 1 ""
    no_group() { [ "$(groups 1)" -eq 0 ] && [ "$(meters 1)" -eq 2 ]; }
    lab_wait 5 no_group
    lab_wait 5 goes 2 172.30.0.1 udp
    exchanged 1 2
}

# becomes FILTER: relays 1 and 2 get that configuration.
becomes() {
    local n
    for n in 1 2; do
        configure "$n" "$1"
        ! is_running "$n" || reload "$n"
    done
}

both_go() { goes 1 172.30.0.2 "$1" && goes 2 172.30.0.1 "$1"; }

@test "reloads change between datagrams, VXLAN, Geneve, and another VNI" {
    becomes '.mesh.transport = "udp"'
    start 1 2
    lab_wait 5 both_go udp
    [ -z "$(mesh_ports 1)" ]
    becomes .
    lab_wait 10 carried_between 1 2
    both_go vxlan
    exchanged 1 2
    becomes '.mesh.transport = "geneve"'
    both_go_by_geneve() { both_go geneve && carried_between 1 2; }
    lab_wait 10 both_go_by_geneve
    [ "$(lab_on h2 ovs-vsctl get interface "$PORT" type)" = geneve ]
    exchanged 1 2
    becomes '.mesh.vni = 77'
    lab_wait 10 mesh_ports_are 1 srm-0000004d
    lab_wait 10 mesh_ports_are 2 srm-0000004d
    lab_wait 10 both_go vxlan
    exchanged 1 2
    becomes '.mesh.transport = "udp"'
    lab_wait 10 mesh_ports_are 1 ""
    lab_wait 10 both_go udp
    exchanged 1 2
}

# ---- what goes through

# replayed TRANSPORT FILTER: the broadcasts of a capture cross in tunnels' packets that FILTER
# matches, and not in datagrams.
replayed() {
    local type=$1 arrived=$BATS_TEST_TMPDIR/arrived.pcap under=$BATS_TEST_TMPDIR/under.pcap
    relays 1 2 ".mesh.transport = \"$type\" | .relay.ports = [5076, 5064, 5065]"
    record h2:eth0 "$under" udp
    local under_pid=$LAB_PID
    record h2c1 "$arrived" udp
    lab_on h1c1 tcpreplay --quiet --intf1=eth0 --pps=200 "$CAPTURES/epics-client-segment.pcap" > /dev/null
    stop_recording "$arrived" 16
    run -0 "$BUILD/same-frames" "$CAPTURES/epics-client-segment.pcap" "$arrived" 02:00:00:00:02:01 \
        10.2.0.255 5076 5064 5065
    [ "$output" = "16 frames the same" ]

    record h2c1 "$arrived" udp
    broadcast h1 "from the host itself" 10.1.0.255
    broadcast h1 likewise 10.1.0.255 5064
    stop_recording "$arrived" 2
    lab_kill "$under_pid"
    [ "$(count "$arrived")" -eq 2 ]
    [ "$(count "$arrived" src 10.1.0.1 and ether src 02:00:00:00:02:01 and dst 10.2.0.255)" -eq 2 ]
    [ "$(tunnelled "$under" "$2")" -eq 18 ]
    [ "$(count "$under" "$DATAGRAM")" -eq 0 ]

    lab_wait 5 carried_is 1 relayed 18
    lab_wait 5 carried_is 2 emitted 18
    counts 1 relayed 18
    counts 2 emitted 18
    [ "$(peer 1 172.30.0.2 tx)" -eq 18 ]
    [ "$(peer 2 172.30.0.1 rx)" -eq 18 ]
    [ "$(peer 2 172.30.0.1 lost)" -eq 0 ]
}

@test "broadcasts cross by VXLAN, each once, byte for byte, and in no datagram" { replayed vxlan "$(vxlan)"; }

@test "broadcasts cross by Geneve likewise" { replayed geneve "$(geneve)"; }

@test "what is too long for the tunnel arrives whole, once, as a datagram" {
    local sent=$BATS_TEST_TMPDIR/sent.pcap arrived=$BATS_TEST_TMPDIR/arrived.pcap
    local under=$BATS_TEST_TMPDIR/under.pcap max length lengths=0
    relays 1 2
    max=$(lab_status 1 .transport.max_len)
    [ "$max" -eq $((1500 - 20 - 8 - 8)) ]
    record h2:eth0 "$under" udp
    local under_pid=$LAB_PID
    record h1c2 "$sent" udp
    local sent_pid=$LAB_PID
    record h2c1 "$arrived" udp
    # A frame is an Ethernet, an IP and a UDP header longer.
    for length in $((max - 43)) $((max - 42)) $((max - 41)) 1460 4000 8900; do
        head -c "$length" /dev/urandom | lab_on h1c1 socat -b 9000 - UDP-DATAGRAM:10.1.0.255:5076,broadcast
        lengths=$((lengths + 1))
        lab_wait 5 has_frames "$arrived" "$lengths"
    done
    stop_recording "$arrived" 6
    lab_kill "$sent_pid" "$under_pid"
    run -0 "$BUILD/same-frames" "$sent" "$arrived" 02:00:00:00:02:01 10.2.0.255 5076
    [ "$output" = "6 frames the same" ]
    [ "$(tunnelled "$under" "$(vxlan)")" -eq 2 ]
    [ "$(count "$under" "$DATAGRAM")" -eq 4 ]
    lab_wait 5 carried_is 1 relayed 2
    counts 1 relayed 6
}

# ---- peers that come, go, or have another transport

@test "a peer that dies leaves the group and comes back, and the others lose nothing" {
    relays 1 2 3
    listen 1 5076 h2c1
    transmit 1 h1c1 3000 1000
    sleep 0.3
    relay_kill 3
    lab_wait 5 goes 1 172.30.0.3 udp
    run ! grep 172.30.0.3 <(lab_ofctl 1 dump-groups br0)
    start 3
    lab_wait 10 carried_between 1 2 3
    grep -q 172.30.0.3 <(lab_ofctl 1 dump-groups br0)
    transmitted
    listened
    came_once 1 3000 h2c1
    exchanged 1 2 3
}

# with_a_third TRANSPORT [FILTER]: relays 1 and 2 carry by tunnel, and relay 3 is one that cannot be
# reached so.
with_a_third() {
    relays 1 2
    configure 3 "$1"
    start 3
    for n in 1 2; do
        configure "$n"
        reload "$n"
        lab_wait 5 peer_is "$n" 172.30.0.3 up
        lab_wait 5 peer_is 3 "172.30.0.$n" up
    done
    # Each of its probes would have been heard by now.
    sleep 1
    for n in 1 2; do
        goes "$n" 172.30.0.3 udp
        goes 3 "172.30.0.$n" udp
    done
    carried_between 1 2
    exchanged 1 2 3
}

@test "one relay with datagrams among others with tunnels" { with_a_third '.mesh.transport = "udp"'; }

@test "one with Geneve among others with VXLAN" { with_a_third '.mesh.transport = "geneve"'; }

@test "one with another VNI" { with_a_third '.mesh.vni = 7'; }

@test "a SnowSignal node among relays with tunnels" {
    relays 1 2
    lab_in_background h3 "$BATS_TEST_DIRNAME/snowsignal.py" br0 172.30.0.1 172.30.0.2
    NODE=$LAB_PID
    for n in 1 2; do
        configure "$n"
        reload "$n"
        lab_wait 5 goes "$n" 172.30.0.3 udp
    done
    lab_wait 5 carried_between 1 2
    # It keeps the destination, so that hosts of another subnet understand this one alone.
    # shellcheck disable=SC2034 # for exchanged
    TO=255.255.255.255
    exchanged 1 2 3
}

# ---- what is let in, and what is not

# A MAC that nobody has.
STRANGER=02:00:00:99:99:99

# forge_all ANNOUNCEMENT N...: these hosts send host 2's switch what is to be dropped, each for a
# reason of its own.
forge_all() {
    local n
    for n in "${@:2}"; do
        forge "$n" from=$STRANGER vni=7
        forge "$n" from=$STRANGER port=5077
        forge "$n" from=$STRANGER mac=02:00:00:02:01:0a
        forge "$n" from=$STRANGER mac=02:00:00:00:02:01 dst=10.2.0.1
        forge "$n" from=$STRANGER mac=01:00:5e:00:00:01
        forge "$n" from=$STRANGER vlan=5
        forge "$n" from=$STRANGER vlan=0
        forge "$n" from=02:00:00:00:02:01
        forge "$n" from=$STRANGER src=10.2.0.1
        # An ARP request, an announcement of the segment's protocol, a probe with a wrong token.
        forge "$n" from=$STRANGER type=0x0806 \
            body=00010800060400010200009999990a0200770000000000000a02000a
        forge "$n" from=$STRANGER mac=03:53:4e:4f:57:01 type=0x88b5 "body=$1"
        forge "$n" from=$STRANGER mac=03:53:4e:4f:57:02 type=0x88b5 \
            body="534e4f5701001122334455667788$(printf '0%.0s' {1..64})"
    done
}

# An announcement of relay 1's, without its Ethernet header, in hexadecimal.
announcement() {
    # In front of it are the file's header, its own and that of Ethernet.
    lab_on h1c1 timeout 5 tcpdump -i eth0 -c 1 -w - ether dst 03:53:4e:4f:57:01 2> /dev/null |
        tail -c +55 | od -An -v -tx1 | tr -d ' \n'
}

# All but what the relay of host 2 announces.
NO_ANNOUNCEMENT="not (ether proto 0x88b5 and ether src 02:00:00:00:02:01)"

# forged_in FILE...: prints how many frames of forge_all are in each.
forged_in() {
    local file
    for file; do
        count "$file" "ether src $STRANGER or udp or arp"
    done
}

@test "out of the tunnel comes what peers broadcast, and nothing else" {
    local segment=$BATS_TEST_TMPDIR/segment.pcap host=$BATS_TEST_TMPDIR/host.pcap said
    relays 1 2
    said=$(announcement)
    [ "${#said}" -ge 80 ]
    record h2:br0 "$host" "$NO_ANNOUNCEMENT"
    local host_pid=$LAB_PID
    record h2c1 "$segment" "$NO_ANNOUNCEMENT"
    forge 3 from=$STRANGER
    forge_all "$said" 1 3
    sleep 0.5
    [ "$(forged_in "$segment" "$host")" = $'0\n0' ]
    [ "$(lab_status 2 '.segment.relays | length')" -eq 0 ]
    [ "$(peer 2 172.30.0.1 tunnel.from)" = 172.30.0.1 ]

    # But for its source, which cannot be told from the peer's, this is what a peer says.
    forge 1 from=$STRANGER
    stop_recording "$segment" 1
    lab_kill "$host_pid"
    [ "$(count "$segment" udp and ether src 02:00:00:00:02:01)" -eq 1 ]
    [ "$(count "$segment" "ether src $STRANGER")" -eq 0 ]
    run ! grep -i "$STRANGER" <(lab_on h2 ovs-appctl fdb/show br0)
}

# speak_up: client 1 of host 1 says what is to stay on its segment.
speak_up() {
    lab_on h1c1 ip neigh replace 10.1.0.77 lladdr 02:00:00:99:99:77 dev eth0
    send h1c1 10.1.0.77 5076 unicast
    broadcast h1c1 other 10.1.0.255 5555
    send h1c1 10.1.0.78 5076 "nobody there, but an ARP request"
    lab_on h1c1 ip neigh flush dev eth0
}

# In a tunnel, but no probes: they are no frames of the segment.
NO_PROBE="udp dst port 4789 and udp[16:4] != 0x03534e4f"

@test "nothing floods into the tunnel, or out of it, and neither while nobody looks after it" {
    local under=$BATS_TEST_TMPDIR/under.pcap same=$BATS_TEST_TMPDIR/same.pcap
    local segment=$BATS_TEST_TMPDIR/segment.pcap said
    relays 1 2
    said=$(announcement)
    record h2:eth0 "$under" "$NO_PROBE"
    local under_pid=$LAB_PID
    record h1c2 "$same" udp or arp
    speak_up
    stop_recording "$same" 3
    [ "$(count "$same")" -ge 3 ]
    [ "$(tunnelled "$under")" -eq 0 ]

    # The relays are gone and their switches have restarted: the ports are there, the flows are not.
    relay_kill 1
    relay_kill 2
    for n in 1 2; do
        lab_switch_kill "$n"
        lab_switch_start "$n"
        mesh_ports_are "$n" "$PORT"
        [ -z "$(our_flows "$n")" ]
    done
    lab_wait 5 lab_on h1c1 ping -c 1 -w 1 10.1.0.1
    record h1c2 "$same" udp or arp
    local same_pid=$LAB_PID
    record h2c1 "$segment" "$NO_ANNOUNCEMENT"
    speak_up
    broadcast h1c1 "not any more" 10.1.0.255
    forge 1 from=$STRANGER
    forge_all "$said" 1 3
    stop_recording "$segment"
    lab_kill "$same_pid" "$under_pid"
    [ "$(count "$same")" -ge 4 ]
    [ "$(forged_in "$segment")" -eq 0 ]
    # Nothing but what was forged has come: of each host ten, and one. What goes where probes and
    # announcements do is left out.
    [ "$(tunnelled "$under")" -eq 21 ]
}

# ---- other networks

@test "an underlay of IPv6" {
    local under=$BATS_TEST_TMPDIR/under.pcap
    # shellcheck disable=SC2034 # for carried_between
    NET=fd30::
    relays 1 2 '.mesh.peers |= map(sub("172.30.0."; "fd30::"))'
    [ "$(lab_status 1 .transport.max_len)" -eq $((1500 - 40 - 8 - 8)) ]
    # What vxlan() looks for, behind a header that tcpdump does not look behind.
    record h2:eth0 "$under" udp dst port 4789 and \
        'ip6[48:4] = 0x08000000 and ip6[52:4] = 0x534e4d00 and ip6[56:4] = 0xffffffff'
    exchanged 1 2
    stop_recording "$under"
    [ "$(tunnelled "$under")" -eq 100 ]
}

@test "a mesh of one address tunnels from that" {
    # shellcheck disable=SC2016 # for jq
    relays 1 2 '.mesh.address = "172.30.0.\($n)"'
    [ "$(lab_on h1 ovs-vsctl get interface "$PORT" options:local_ip)" = '"172.30.0.1"' ]
    exchanged 1 2
}

@test "a sealed mesh warns of each peer that frames go to in the open" {
    local n m
    "$SNOWRELAYD" --generate-key "$LAB_DIR/key"
    open() { logged "$1" "peer 172.30.0.$2: mesh.key_file does not seal what goes to it by vxlan"; }
    relays 1 2 3 ".mesh.key_file = \"$LAB_DIR/key\""
    exchanged 1 2 3
    for n in 1 2 3; do
        for m in 1 2 3; do
            [ "$(open "$n" "$m")" -eq $((n != m)) ]
        done
    done
    [ "$(peer 1 172.30.0.2 tunnel.ipsec)" = false ]

    lab_relay_stop 1
    lab_on h1 ovs-vsctl add-br br-ipsec -- add-port br-ipsec to-h2 -- set interface to-h2 type=vxlan \
        options:remote_ip=172.30.0.2 options:key=9 options:psk=swordfish
    start 1
    lab_wait 10 carried_between 1 2 3
    lab_on h1 ovs-vsctl del-br br-ipsec
    [ "$(open 1 2)" -eq 0 ]
    [ "$(open 1 3)" -eq 1 ]
    is_protected() { [ "$(peer 1 "$1" tunnel.ipsec)" = "$2" ]; }
    # Without the row it is open again, which is said once.
    lab_wait 5 is_protected 172.30.0.2 false
    [ "$(open 1 2)" -eq 1 ]
}

# ---- what the relay has to do

@test "half-done checksums are noticed, and the relay carries that port" {
    local arrived=$BATS_TEST_TMPDIR/arrived.pcap under=$BATS_TEST_TMPDIR/under.pcap
    relays 1 2 '.relay.ports = [5076, 5064, 137]'
    lab_on h1c1 tcpreplay --quiet --intf1=eth0 --pps=200 "$CAPTURES/epics-offloaded-checksum.pcap" > /dev/null
    noticed() { [ "$(logged 1 'port [0-9]*: the card of 10.[0-9.]* was to complete its checksums')" -ge 1 ]; }
    lab_wait 5 noticed
    switch_carries() {
        [ "$(our_flows 1 | sed -n 's/.*cookie=0x534e4f5700010005,.*tp_dst=\([0-9]*\).*/\1/p')" = "$1" ]
    }
    lab_wait 5 switch_carries 137

    record h2:eth0 "$under" udp
    local under_pid=$LAB_PID
    record h2c1 "$arrived" udp
    lab_on h1c1 tcpreplay --quiet --intf1=eth0 --pps=200 "$CAPTURES/epics-offloaded-checksum.pcap" > /dev/null
    stop_recording "$arrived" 7
    lab_kill "$under_pid"
    run -0 "$BUILD/same-frames" "$CAPTURES/epics-offloaded-checksum.pcap" "$arrived" \
        02:00:00:00:02:01 10.2.0.255 5076 5064
    [ "$output" = "7 frames the same" ]
    [ "$(count "$under" "$DATAGRAM")" -eq 7 ]
    [ "$(tunnelled "$under" "$(vxlan)")" -eq 0 ]
    switch_carries 137
}

@test "a storm is cut before the tunnel, its segment gets all of it, and both are counted" {
    local cut relayed
    relays 1 2 '.relay.max_pps = 100'
    listen 1 5076 h1c2 h2c1
    transmit 1 h1c1 2000 1000
    transmitted
    listened
    cut=$(distinct 1 h2c1)
    lab_wait 20 carried_is 1 relayed "$cut"
    relayed=$(carried 1 relayed)
    echo "# of 2,000 in 2 s, 100 a second allowed: carried $cut, counted $relayed" >&3
    came_once 1 2000 h1c2
    never_twice 1 h2c1
    [ "$cut" -ge 100 ]
    [ "$cut" -lt 1000 ]
    [ "$(carried 2 emitted)" -eq "$cut" ]
    [ "$relayed" -eq "$cut" ]
    [ "$(peer 1 172.30.0.2 tx)" -eq "$cut" ]
}

# ---- no port

# by_datagram PROBLEM: relays 1 and 2 have no tunnel, and relay 1 says so, and why.
by_datagram() {
    lab_wait 5 peer_is 1 172.30.0.2 up
    # shellcheck disable=SC2053 # a pattern
    problem() { [[ "$(lab_status 1 .transport.problem)" == $1 ]]; }
    lab_wait 5 problem "$1" || { lab_status 1 .transport; return 1; }
    [ "$(lab_status 1 .transport.there)" = false ]
    for command in status mesh/show; do
        run -0 appctl 1 "$command"
        [[ "$output" == *"transport: vxlan, no tunnel port $PORT: "*": peers get datagrams"* ]]
    done
    both_go udp
    exchanged 1 2
}

@test "somebody else has a port of the tunnel's name: peers get datagrams, until it is gone" {
    local theirs
    lab_on h1 ovs-vsctl add-port br0 "$PORT" -- set interface "$PORT" type=vxlan options:remote_ip=172.30.0.9
    theirs=$(lab_on h1 ovs-vsctl list interface "$PORT" | grep -v statistics)
    # shellcheck disable=SC2016 # for jq
    becomes '.mesh.peers = ["172.30.0.\(3 - $n)"]'
    start 1 2
    by_datagram "*somebody else*"
    [ "$(lab_on h1 ovs-vsctl list interface "$PORT" | grep -v statistics)" = "$theirs" ]
    lab_on h1 ovs-vsctl del-port br0 "$PORT"
    lab_wait 10 carried_between 1 2
    exchanged 1 2
}

@test "the database is elsewhere, or silent: peers get datagrams" {
    # shellcheck disable=SC2016 # for jq
    becomes '.mesh.peers = ["172.30.0.\(3 - $n)"]'
    start 2
    lab_relay 1 --config "$LAB_DIR/h1.json" --db "unix:$LAB_DIR/nowhere"
    by_datagram "the database * does not answer"
    lab_relay_stop 1
    lab_in_background h1 socat -u "UNIX-LISTEN:$LAB_DIR/silent,fork" "OPEN:/dev/null"
    NODE=$LAB_PID
    lab_wait 5 test -S "$LAB_DIR/silent"
    lab_relay 1 --config "$LAB_DIR/h1.json" --db "unix:$LAB_DIR/silent"
    by_datagram "the database * does not answer"
}

@test "--print-flows prints what the switch is told" {
    relays 1 2
    lab_on h1 "$SNOWRELAYD" --config "$LAB_DIR/h1.json" --print-flows > "$BATS_TEST_TMPDIR/printed"
    appctl 1 flows/show > "$BATS_TEST_TMPDIR/shown"
    # The peer's MAC it cannot know.
    diff <(sed -n "s/.*'\(cookie=.*\)'/\1/p" "$BATS_TEST_TMPDIR/printed" | sort) \
        <(sed -n 's/^wanted: *\(cookie=.*\)/\1/p' "$BATS_TEST_TMPDIR/shown" |
            grep -v dl_src=02:00:00:00:02:01 | sort)
    grep -q "add-group br0 'group_id=$GROUP,type=all,bucket=.*set_field:172.30.0.2->tun_dst,output:$PORT'" \
        "$BATS_TEST_TMPDIR/printed"
    diff <(grep -o 'meter=[0-9].*' "$BATS_TEST_TMPDIR/printed" | tr -d "'") \
        <(sed -n 's/^wanted: *\(meter=.*\)/\1/p' "$BATS_TEST_TMPDIR/shown")

    # The command that makes the port makes it as it is.
    local port
    port=$(lab_on h1 ovs-vsctl --columns=type,options list interface "$PORT")
    relay_kill 1
    lab_on h1 ovs-vsctl del-port br0 "$PORT"
    lab_on h1 bash -c "$(grep ^ovs-vsctl "$BATS_TEST_TMPDIR/printed")"
    mesh_ports_are 1 "$PORT"
    [ "$(lab_on h1 ovs-vsctl --columns=type,options list interface "$PORT")" = "$port" ]
    [ "$(lab_on h1 ovs-vsctl get port "$PORT" trunks)" = '[4095]' ]
}
