#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Copies through a tunnel to another host's switch: whole frames, as they are, and nothing else.

bats_require_minimum_version 1.5.0
load common

setup_file() {
    lab_init
    lab_host 1
    lab_host 2
    lab_client 1 1
    lab_client 1 2
    lab_client 2 1
    lab_underlay_switch 1
    lab_underlay_switch 2
}

teardown() {
    replicate_end 1
    replicate_end 2
}

tunnel_works() { send h1c1 10.1.0.1 6343 probe && arrived h2 6343 1; }

# tunnelled TYPE FILTER: what a tunnel of TYPE, whose packets FILTER matches, carries, and what not.
tunnelled() {
    local type=$1 filter=$2 text=$1-$RANDOM there=$BATS_TEST_TMPDIR/there.pcap here=$BATS_TEST_TMPDIR/here.pcap
    local carried=$BATS_TEST_TMPDIR/carried.pcap
    replicate 2 "{name: \"from-h1\", port: 6343, tunnel: \"$type\", remote: \"172.30.0.1\",
                  to: [{port: 6343}, {host: \"10.2.0.10\", port: 7343, source: \"keep\"}]}"
    replicate 1 "{name: \"to-h2\", port: 6343, to: [{host: \"172.30.0.2\", tunnel: \"$type\"}, {port: 7343}]}"
    collect h1 6343
    collect h1 7343
    collect h2 6343
    collect h2c1 7343
    lab_wait 10 tunnel_works
    end_collecting
    collect h1 6343
    collect h1 7343
    collect h2 6343
    collect h2c1 7343

    record h2:eth0 "$carried" "$filter"
    local carried_pid=$LAB_PID
    record h2c1 "$there"
    local there_pid=$LAB_PID
    record h1c2 "$here"
    send h1c1 10.1.0.1 6343 "$text" "$text again"
    come h1 6343 "10.1.0.10 $text" "10.1.0.10 $text again"
    come h1 7343 "10.1.0.10 $text" "10.1.0.10 $text again"
    come h2 6343 "10.1.0.10 $text" "10.1.0.10 $text again"
    come h2c1 7343 "10.1.0.10 $text" "10.1.0.10 $text again"

    # Broadcasts, unknown addresses and other ports stay on their own segments.
    broadcast h1c1 "leak $text" 10.1.0.255 5555
    broadcast h2c1 "leak $text" 10.2.0.255 5555
    lab_on h1c1 ip neigh replace 10.1.0.77 lladdr 02:00:00:99:99:99 dev eth0
    send h1c1 10.1.0.77 5555 "leak $text"
    send h1c1 10.1.0.1 6344 "leak $text"
    send h1c1 10.1.0.78 5555 "nobody there, but an ARP request"
    stop_recording "$here" 2
    lab_kill "$there_pid" "$carried_pid"
    # Of a packet in VXLAN tcpdump prints two lines, so that the first lines of dumps are counted.
    tcpdump -enr "$carried" 2> /dev/null
    [ "$(frames "$carried" | grep -c '0x0000:')" -eq 2 ]
    [ "$(count "$there" 'src net 10.1.0.0/24 and not (udp port 7343)')" -eq 0 ]
    [ "$(count "$there" 'ether src 02:00:00:01:01:0a')" -eq 0 ]
    [ "$(count "$here" 'net 10.2.0.0/24')" -eq 0 ]
    # What it saw of its own segment proves that the recorder was awake.
    [ "$(count "$here" 'udp dst port 5555')" -eq 2 ]

    # h2's switch still knows its own clients where they are.
    run -0 lab_on h2 ovs-appctl fdb/show br0
    [[ "$output" != *02:00:00:01:01:0a* ]]
    lab_on h2c1 ping -c 1 -w 3 10.1.0.10
}

@test "VXLAN brings copies to another switch, and nothing else" { tunnelled vxlan 'udp dst port 4789'; }

@test "Geneve brings copies to another switch, and nothing else" { tunnelled geneve 'udp dst port 6081'; }

@test "GRE brings copies to another switch, and nothing else" { tunnelled gre 'ip proto 47'; }

@test "from a tunnel that nobody is to send through nothing comes in" {
    local there=$BATS_TEST_TMPDIR/there.pcap
    replicate 2 '{name: "from-h1", port: 6343, tunnel: "vxlan", remote: "172.30.0.1", to: [{port: 6343}]}'
    replicate 1 '{name: "to-h2", port: 6343, to: [{host: "172.30.0.2", tunnel: "vxlan"}]}'
    collect h2 6343
    local port
    port=$(lab_on h1 ovs-vsctl --bare --columns=name find port external_ids:snowrelay=replicate)
    [ -n "$port" ]
    lab_wait 10 tunnel_works
    # Somebody over there floods everything into it.
    lab_ofctl 1 add-flow br0 "table=0,priority=65000,cookie=1,in_port=c1,actions=output:\"$port\",NORMAL"
    record h2c1 "$there"
    broadcast h1c1 leak 10.1.0.255 5555
    send h1c1 10.1.0.1 6344 leak
    lab_on h1c1 ping -c 1 -w 1 10.2.0.10 > /dev/null || true
    stop_recording "$there"
    lab_ofctl 1 del-flows br0 cookie=1/-1
    [ "$(count "$there" 'udp port 5555 or udp port 6344')" -eq 0 ]
    [ "$(count "$there" 'ether src 02:00:00:01:01:0a')" -eq 0 ]
}
