#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Replication where hosts are not simple: VLANs, internal ports, several addresses, names that
# cannot be looked up after a restart, many subnets.

bats_require_minimum_version 1.5.0
load common

setup_file() {
    lab_init
    lab_host 1
    lab_client 1 1
    lab_client 1 2
    lab_on h1 ip address add fd01::1/64 dev br0 nodad
    lab_on h1c1 ip address add fd01::10/64 dev eth0 nodad
    lab_on h1c2 ip address add fd01::11/64 dev eth0 nodad
}

teardown() {
    replicate_end 1
    lab_on h1 ovs-vsctl --if-exists del-port mgmt0 -- clear Port c2 tag -- del-controller br0
    lab_on h1 ip link set br0 up
    lab_on h1 ip address del 10.255.0.1/32 dev lo 2> /dev/null || true
    lab_on h1 ip address del 10.66.0.1/24 dev c2 2> /dev/null || true
    lab_on h1c1 ip address del 10.1.0.110/24 dev eth0 2> /dev/null || true
    lab_on h1c1 ip link set eth0 mtu 9000
    lab_on h1c2 ip address del 10.66.0.2/24 dev eth0 2> /dev/null || true
    lab_on h1c2 ip address del 10.99.0.2/24 dev eth0 2> /dev/null || true
    printf 'address del 10.77.0.%d/32 dev eth0\n' {1..50} |
        ip -n "$LAB-h1" -force -batch - 2> /dev/null || true
    rm -f "/etc/netns/$LAB-h1/hosts"
}

# hosts_have LINE...: what programs on h1 that start from now on read as /etc/hosts.
hosts_have() {
    printf '%s\n' "$@" > "$BATS_TEST_TMPDIR/hosts"
    lab_resolv h1 "$BATS_TEST_TMPDIR/hosts"
}

restart_killed() {
    local pid
    pid=$(lab_relay_pid 1)
    kill -KILL "$pid"
    lab_wait 5 lab_gone "$pid"
    lab_relay 1 --config "$LAB_DIR/h1.json"
}

@test "a datagram with a VLAN tag: copies come without it, the original keeps it" {
    local here=$BATS_TEST_TMPDIR/here.pcap
    replicate 1 '{name: "tagged", port: 6343, to: [{port: 7343}, {host: "10.1.0.11"}]}'
    collect h1 7343
    collect h1c2 6343
    record h1c2 "$here" udp or vlan
    lab_on h1c1 python3 - << 'END'
import socket, struct
def checksum(words):
    total = sum(struct.unpack("!%dH" % (len(words) // 2), words))
    return ~(total + (total >> 16)) & 0xffff
payload = b"tagged"
udp = struct.pack("!4H", 4000, 6343, 8 + len(payload), 0) + payload
addresses = socket.inet_aton("10.77.0.1") + socket.inet_aton("10.77.0.2")
header = [struct.pack("!2B3H2B", 0x45, 0, 20 + len(udp), 1, 0, 64, 17), b"\0\0", addresses]
header[1] = struct.pack("!H", checksum(b"".join(header)))
frame = (bytes.fromhex("0200000000990200000101" + "0a" + "81000005" + "0800")
         + b"".join(header) + udp)
sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sender.bind(("eth0", 0))
sender.send(frame)
END
    come h1 7343 "10.77.0.1 tagged"
    come h1c2 6343 "10.1.0.1 tagged"
    stop_recording "$here" 2
    [ "$(count "$here" vlan 5 and dst host 10.77.0.2)" -eq 1 ]
}

@test "a collector that the host reaches through an internal port with a VLAN of the bridge" {
    lab_on h1 ovs-vsctl add-port br0 mgmt0 tag=10 -- set Interface mgmt0 type=internal -- set Port c2 tag=10
    lab_on h1 ethtool -K mgmt0 tx off > /dev/null
    lab_on h1 ip link set mgmt0 up
    lab_on h1 ip address add 10.99.0.1/24 dev mgmt0
    lab_on h1c2 ip address add 10.99.0.2/24 dev eth0
    replicate 1 '{name: "managed", port: 6343, to: [{host: "10.99.0.2"}]}'
    collect h1c2 6343
    send h1c1 10.1.0.1 6343 one
    come h1c2 6343 "10.99.0.1 one"
}

@test "a collector behind a card of the bridge that has the host's address, the exporter behind the same" {
    lab_on h1 ip address add 10.66.0.1/24 dev c2
    lab_on h1c2 ip address add 10.66.0.2/24 dev eth0
    replicate 1 '{name: "card", port: 6343, to: [{host: "10.66.0.2"}]}'
    collect h1c2 6343
    send h1c1 10.1.0.1 6343 one
    send h1c2 10.1.0.1 6343 two
    come h1c2 6343 "10.66.0.1 one" "10.66.0.1 two"
}

@test "a restart while names cannot be looked up changes nothing, for either IP version" {
    hosts_have "fd01::11 six" "10.1.0.11 four"
    replicate 1 '{name: "names", port: 6343, to: [{host: "six"}, {host: "four", port: 7343}]}'
    our_groups 1 > "$BATS_TEST_TMPDIR/before"
    hosts_have "# nobody"
    restart_killed
    # Audits and the resolver have had their time.
    sleep 1
    diff "$BATS_TEST_TMPDIR/before" <(our_groups 1)
    [ "$(lab_status 1 '[.replicate[0].collectors[].state] | unique | join(" ")')" = pending ]

    collect h1c2 6343
    collect h1c2 7343
    send h1c1 fd01::1 6343 six
    send h1c1 10.1.0.1 6343 four
    come h1c2 6343 "fd01::1 six"
    come h1c2 7343 "10.1.0.1 four"
}

@test "a restart while the other end of a tunnel cannot be looked up leaves the tunnel's flows" {
    hosts_have "172.30.0.2 other"
    replicate 1 '{name: "from", port: 6343, tunnel: "vxlan", remote: "other", to: [{port: 7343}]}'
    has_tunnel_flows() { [ "$(our_flows 1 | grep -c 'cookie=0x534e4f570002000[45]')" -eq 3 ]; }
    lab_wait 5 has_tunnel_flows
    our_flows 1 > "$BATS_TEST_TMPDIR/before"
    hosts_have "# nobody"
    restart_killed
    sleep 1
    diff "$BATS_TEST_TMPDIR/before" <(our_flows 1)
    lab_on h1 ovs-vsctl port-to-br srv-ac1e0002
}

@test "what is counted survives that the group is changed, and is not counted twice" {
    local source
    local one='{name: "counted", port: 6343, from: ["10.1.0.10", "10.1.0.110"], to: [{port: 7343}]}'
    local two='{name: "counted", port: 6343, from: "10.1.0.10", to: [{port: 7343}, {port: 7344}]}'
    # Of each collector, and of the fragments.
    figures() { lab_status 1 '[.replicate[0].collectors[].datagrams, .replicate[0].fragments] | join(" ")'; }
    are() { [ "$(figures)" = "$1" ]; }
    counts() { lab_wait 5 are "$1" || { echo "$(figures), not $1"; return 1; }; }
    replicate 1 "$one"
    send h1c1 10.1.0.1 6343 1 2 3
    lab_on h1c1 ip address add 10.1.0.110/24 dev eth0
    lab_on h1c1 ip link set eth0 mtu 1500
    for source in 10.1.0.10 10.1.0.110; do
        head -c 2000 /dev/zero | lab_on h1c1 socat -u -b 2000 - "UDP4-SENDTO:10.1.0.1:6343,bind=$source"
    done
    counts "3 4"
    write_rules 1 "$two"
    appctl 1 config/reload
    lab_wait 5 collectors_up 1
    send h1c1 10.1.0.1 6343 4 5 6 7
    counts "7 4 4"
    restart_killed
    # What the switch has counted since the group and the flows changed.
    counts "4 4 2"
}

@test "an own address of the host, on its loopback too, and given as a host: one copy of everything" {
    lab_on h1 ip address add 10.255.0.1/32 dev lo
    lab_on h1c1 ip route replace 10.255.0.1 via 10.1.0.1
    replicate 1 '{name: "own", port: 6343, to: [{host: "10.1.0.1"}]}, {name: "port", port: 6344, to: [{port: 6344}]}'
    collect h1 6343
    collect h1 6344
    send h1c1 10.1.0.1 6343 one
    send h1c1 10.1.0.11 6343 two
    send h1c1 10.255.0.1 6344 three
    broadcast h1c1 four 10.1.0.255 6344
    come h1 6343 "10.1.0.10 one" "10.1.0.10 two"
    come h1 6344 "10.1.0.10 three" "10.1.0.10 four"
}

@test "a bridge that is down: programs on the host get nothing, and replicate/show says so" {
    replicate 1 '{name: "down", port: 6343, to: [{port: 7343}]}'
    lab_on h1 ip link set br0 down
    # shellcheck disable=SC2317 # lab_wait calls it
    is_told() { appctl 1 replicate/show | tr '\n' ' ' | grep -q ':7343 *down .*dropped: br0 is down'; }
    lab_wait 10 is_told
    lab_on h1 ip link set br0 up
    lab_wait 10 collectors_up 1
}

@test "more addresses of the host than there is room for flows: the switch keeps what it has" {
    local subnets
    subnets=$(seq -s ', ' -f '"10.200.%g.0/24"' 0 99)
    replicate 1 "{name: \"many\", port: 6343, from: [$subnets], to: [{port: 7343}]},
                 {name: \"own\", port: 6343, to: [{port: 6343}, {port: 7344}]}"
    printf 'address add 10.77.0.%d/32 dev eth0\n' {1..50} | ip -n "$LAB-h1" -batch -
    is_told() { appctl 1 status | grep -q 'flows not up to date: .* more than 4096 flows'; }
    lab_wait 10 is_told
    collect h1 7344
    send h1c1 10.1.0.1 6343 one
    come h1 7344 "10.1.0.10 one"
    printf 'address del 10.77.0.%d/32 dev eth0\n' {1..50} | ip -n "$LAB-h1" -batch -
    is_well() { ! is_told; }
    lab_wait 10 is_well
}

@test "ports that no rule names come and go without a change to flows" {
    local before
    replicate 1 '{name: "still", port: 6343, to: [{port: 7343}]}'
    before=$(grep -c 'in place' "$LAB_DIR/h1/snowrelayd.log")
    lab_on h1 ovs-vsctl add-port br0 mgmt0 -- set Interface mgmt0 type=internal
    sleep 1
    lab_on h1 ovs-vsctl del-port mgmt0
    sleep 1
    [ "$(grep -c 'in place' "$LAB_DIR/h1/snowrelayd.log")" -eq "$before" ]
    [ "$(lab_status 1 .flows_in_place)" = true ]
}

@test "over TCP, with the port and the MAC that the configuration names" {
    lab_on h1 ovs-vsctl set-controller br0 ptcp:6653:127.0.0.1
    replicate 1 '{name: "told", port: 6343, to: [{host: "10.1.0.11", out_port: "c2", mac: "02:00:00:01:02:0a"}]}' \
        --switch tcp:127.0.0.1:6653
    collect h1c2 6343
    send h1c1 10.1.0.1 6343 one
    come h1c2 6343 "10.1.0.1 one"
    appctl 1 replicate/show | grep -q 'as configured'
}

@test "a collector by name is followed to another address" {
    hosts_have "10.1.0.11 moving"
    replicate 1 '{name: "moving", port: 6343, to: [{host: "moving", port: 7343}]}'
    collect h1c2 7343
    collect h1c1 7343
    send h1c1 10.1.0.1 6343 before
    come h1c2 7343 "10.1.0.1 before"
    hosts_have "10.1.0.10 moving"
    has_moved() { send h1c1 10.1.0.1 6343 after && arrived h1c1 7343 1; }
    lab_wait 30 has_moved
}

mesh_socket() { lab_on h1 ss -Hlun sport = :7124 | grep -q .; }

@test "rules alone: nothing is relayed, and no port is open for a mesh until there is something to relay" {
    local rules='{name: "alone", port: 6343, to: [{port: 7343}]}'
    jq -n "{replicate: [$rules]}" > "$LAB_DIR/h1.json"
    lab_relay 1 --config "$LAB_DIR/h1.json"
    [ "$(lab_status 1 '[(.ports | length), .mesh] | tostring')" = '[0,null]' ]
    our_flows 1 > "$BATS_TEST_TMPDIR/before"
    run ! mesh_socket
    run ! grep -q 'relaying to this relay itself' "$LAB_DIR/h1/snowrelayd.log"

    # It waits for something to happen, and does not ask again and again whether it has.
    local before after
    before=$("$BUILD/bench-probe" cpu "$(lab_relay_pid 1)" | grep -o '[0-9]*$')
    sleep 2
    after=$("$BUILD/bench-probe" cpu "$(lab_relay_pid 1)" | grep -o '[0-9]*$')
    [ $((after - before)) -lt 500000000 ]

    jq -n "{relay: {ports: [5076]}, replicate: [$rules]}" > "$LAB_DIR/h1.json"
    appctl 1 config/reload
    lab_wait 5 mesh_socket
    relays() { [ "$(our_flows 1 | grep -c 'cookie=0x534e4f5700010')" -eq 3 ]; }
    lab_wait 5 relays
    jq -n "{replicate: [$rules]}" > "$LAB_DIR/h1.json"
    appctl 1 config/reload
    run ! mesh_socket
    as_before() { diff "$BATS_TEST_TMPDIR/before" <(our_flows 1); }
    lab_wait 5 as_before
}

@test "exit --cleanup without a switch to clean says so" {
    local pid
    replicate 1 '{name: "left", port: 6343, to: [{port: 7343}]}'
    lab_switch_kill 1
    not_connected() { [ "$(lab_status 1 .connected)" = false ]; }
    lab_wait 5 not_connected
    appctl 1 replicate/show | grep -q 'not connected'
    pid=$(lab_relay_pid 1)
    run -2 appctl 1 exit --cleanup
    [[ "$output" == *"the switch is not connected"* ]]
    lab_wait 5 lab_gone "$pid"
    lab_switch_start 1
}

@test "a spread leaves out a collector whose copies the host would drop" {
    local n=0 source
    printf 'address add 10.1.0.%d/32 dev eth0\n' {101..120} | ip -n "$LAB-h1c1" -batch -
    lab_on h1 sysctl -qw net.ipv4.ip_forward=0
    write_rules 1 '{name: "shared", port: 6343, spread: "source", to: [{port: 7343}, {host: "172.30.0.9"}]}'
    lab_relay 1 --config "$LAB_DIR/h1.json"
    collect h1 7343
    for source in {101..120}; do
        send "h1c1@10.1.0.$source" 10.1.0.1 6343 "$source"
    done
    lab_wait 5 arrived h1 7343 20 || { collected h1 7343; n=1; }
    printf 'address del 10.1.0.%d/32 dev eth0\n' {101..120} | ip -n "$LAB-h1c1" -batch -
    lab_on h1 sysctl -qw net.ipv4.ip_forward=1
    [ "$n" -eq 0 ]
}
