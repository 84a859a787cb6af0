#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The ways to remote collectors: behind routers on the segment, and through the host's own routing.

bats_require_minimum_version 1.5.0
load common

# The collector 10.60.0.1 is behind two routers, h1c2 and h1c3, as an anycast address is.
setup_file() {
    local k
    lab_init
    lab_host 1
    lab_host 2
    lab_client 1 1
    for k in 2 3; do
        lab_client 1 "$k"
        lab_behind 1 "$k"
        lab_on "h1c${k}b" ip address add 10.60.0.1/32 dev lo
        lab_on "h1c$k" ip route add 10.60.0.1 via "10.101.$k.2"
    done
}

teardown() {
    replicate_end 1
    lab_on h1 ip route del 10.60.0.1 2> /dev/null || true
    lab_on h1c2 ip link set eth0 address 02:00:00:01:02:0a
    lab_on h1 ip neigh flush dev br0
    lab_on h1 sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.br0.accept_local=0 \
        net.ipv4.conf.br0.rp_filter=0
}

# comes FROM NODE PORT: does a datagram that h1c1 sends now come to NODE's PORT from FROM?
comes() {
    local text=$RANDOM$RANDOM
    send h1c1 10.1.0.1 6343 "$text"
    has_come() { grep -qx "$1 $text" "$BATS_TEST_TMPDIR/$2-$3"; }
    lab_wait 1 has_come "$@"
}

# Does it come to h2 from an address of h1's?
own() { comes '\(172.30.0.1\|10.1.0.1\)' h2 6343; }

# shows WORD: does replicate/show?
shows() { appctl 1 replicate/show | grep -q "$1"; }

@test "a collector behind a router: the router's new MAC is followed, and a new route" {
    lab_on h1 ip route add 10.60.0.1 via 10.1.0.11
    replicate 1 '{name: "behind", port: 6343, to: [{host: "10.60.0.1"}, {host: "10.60.0.1", port: 7343, source: "keep"}]}'
    collect h1c2b 6343
    collect h1c2b 7343
    collect h1c3b 6343
    comes 10.1.0.1 h1c2b 6343
    comes 10.1.0.10 h1c2b 7343

    # Nobody announces it.
    lab_on h1c2 ip link set eth0 address 02:00:00:01:02:0b
    lab_wait 40 comes 10.1.0.1 h1c2b 6343
    comes 10.1.0.10 h1c2b 7343

    lab_on h1 ip route replace 10.60.0.1 via 10.1.0.12
    lab_wait 20 comes 10.1.0.1 h1c3b 6343
    local before
    before=$(collected h1c2b 6343 | wc -l)
    comes 10.1.0.1 h1c3b 6343
    [ "$(collected h1c2b 6343 | wc -l)" -eq "$before" ]
}

@test "a collector beyond another card gets copies through the host's routing, which has to forward" {
    lab_on h1 sysctl -qw net.ipv4.ip_forward=0
    write_rules 1 '{name: "routed", port: 6343, to: [{host: "172.30.0.2", source: "keep"}]}'
    lab_relay 1 --config "$LAB_DIR/h1.json"
    collect h2 6343
    lab_wait 5 shows ip_forward
    grep -q ip_forward "$LAB_DIR/h1/snowrelayd.log"
    run ! comes 10.1.0.10 h2 6343

    lab_on h1 sysctl -qw net.ipv4.ip_forward=1
    comes 10.1.0.10 h2 6343
    shows_no_more() { ! shows ip_forward; }
    lab_wait 40 shows_no_more
    collectors_up 1
}

@test "through the host's routing the source is rewritten if the kernel lets its own pass, else kept" {
    replicate 1 '{name: "routed", port: 6343, to: [{host: "172.30.0.2"}]}'
    collect h2 6343
    lab_wait 5 shows accept_local
    grep -q accept_local "$LAB_DIR/h1/snowrelayd.log"
    comes 10.1.0.10 h2 6343

    lab_on h1 sysctl -qw net.ipv4.conf.br0.accept_local=1
    lab_wait 40 own
    run ! shows accept_local
}

@test "a reverse path filter that would drop the copies is named" {
    lab_on h1 sysctl -qw net.ipv4.conf.br0.accept_local=1 net.ipv4.conf.br0.rp_filter=1
    write_rules 1 '{name: "routed", port: 6343, to: [{host: "172.30.0.2"}]}'
    lab_relay 1 --config "$LAB_DIR/h1.json"
    collect h2 6343
    lab_wait 5 shows rp_filter
    grep -q rp_filter "$LAB_DIR/h1/snowrelayd.log"
    run ! own

    lab_on h1 sysctl -qw net.ipv4.conf.br0.rp_filter=2
    lab_wait 40 own
}
