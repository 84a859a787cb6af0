#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Which datagrams are copied and to whom: one host with a switch and three clients, of which the
# first exports, and any may collect.

bats_require_minimum_version 1.5.0
load common

setup_file() {
    lab_init
    lab_host 1
    lab_client 1 1
    lab_client 1 2
    lab_client 1 3
    lab_on h1 ip address add fd01::1/64 dev br0 nodad
    lab_on h1c1 ip address add fd01::10/64 dev eth0 nodad
    lab_on h1c2 ip address add fd01::11/64 dev eth0 nodad
    lab_on h1c3 ip address add fd01::12/64 dev eth0 nodad
}

# Undoes what a test may have changed, also one that failed half-way.
teardown() {
    replicate_end 1
    lab_on h1 sysctl -qw net.ipv4.ip_forward=1
    lab_on h1c1 ip link set eth0 mtu 9000
    printf 'address del 10.1.0.%d/32 dev eth0\n' {101..140} |
        ip -n "$LAB-h1c1" -force -batch - 2> /dev/null || true
    lab_on h1c2 ip address del 10.8.0.11/32 dev eth0 2> /dev/null || true
    lab_on h1c3 ip address del 10.1.0.13/24 dev eth0 2> /dev/null || true
    lab_on h1c3 ip link set eth0 up
    lab_on h1c3 ip route replace default via 10.1.0.1
    lab_on h1c3 ip address replace fd01::12/64 dev eth0 nodad
    lab_on h1 ip neigh flush dev br0
    rm -f "/etc/netns/$LAB-h1/hosts"
}

@test "two programs on the host get every datagram byte for byte, and the original arrives as it was sent" {
    local sent=$BATS_TEST_TMPDIR/sent.pcap arrived=$BATS_TEST_TMPDIR/arrived.pcap size
    replicate 1 '{name: "two", port: 6343, to: [{port: 7343}, {port: 7344}]}'
    collect h1 6343
    collect h1 7343
    collect h1 7344
    record h1c1:eth0:out "$sent" udp
    local sent_pid=$LAB_PID
    record h1:br0 "$arrived" udp dst port 6343 or udp dst port 6344
    for size in 1 100 1472 8972; do
        head -c "$size" /dev/urandom > "$BATS_TEST_TMPDIR/payload"
        echo "10.1.0.10 hex:$(od -An -v -tx1 "$BATS_TEST_TMPDIR/payload" | tr -d ' \n')" >> "$BATS_TEST_TMPDIR/want"
        lab_on h1c1 socat -u -b 9000 - UDP4-SENDTO:10.1.0.1:6343 < "$BATS_TEST_TMPDIR/payload"
        send h1c1 10.1.0.1 6344 "another port's $size"
    done
    lab_wait 5 arrived h1 6343 4
    lab_wait 5 arrived h1 7343 4
    lab_wait 5 arrived h1 7344 4
    stop_recording "$arrived" 8
    lab_kill "$sent_pid"

    # The one-byte payload may happen to be a letter.
    sed -i 's/^10.1.0.10 hex:..$/10.1.0.10 one byte/' "$BATS_TEST_TMPDIR/want"
    local port
    for port in 6343 7343 7344; do
        sed -i '1s/.*/10.1.0.10 one byte/' "$BATS_TEST_TMPDIR/h1-$port"
        diff "$BATS_TEST_TMPDIR/want" "$BATS_TEST_TMPDIR/h1-$port"
    done
    diff <(frames "$sent") <(frames "$arrived")
    [ "$(count "$arrived")" -eq 8 ]
}

@test "a program on the rule's own port gets what passes through, and one copy only of what it is sent" {
    replicate 1 '{name: "own", port: 6343, to: [{port: 6343}, {port: 7343}]}'
    collect h1 6343
    collect h1 7343
    collect h1c2 6343
    send h1c1 10.1.0.1 6343 "to the host"
    send h1c1 10.1.0.11 6343 "passing through"
    come h1 6343 "10.1.0.10 to the host" "10.1.0.10 passing through"
    come h1 7343 "10.1.0.10 to the host" "10.1.0.10 passing through"
    come h1c2 6343 "10.1.0.10 passing through"
}

@test "remote collectors on the segment are served by the switch alone, from the host's address or the exporter's" {
    replicate 1 '{name: "remote", port: 6343,
                  to: [{host: "10.1.0.11"}, {host: "10.1.0.12", port: 7343, source: "keep"}]}'
    collect h1 6343
    collect h1c2 6343
    collect h1c3 7343
    lab_on h1 sysctl -qw net.ipv4.ip_forward=0
    send h1c1 10.1.0.1 6343 one two three
    come h1 6343 "10.1.0.10 "{one,two,three}
    come h1c2 6343 "10.1.0.1 "{one,two,three}
    come h1c3 7343 "10.1.0.10 "{one,two,three}

    run -0 appctl 1 replicate/show
    [[ "$output" == *10.1.0.11* ]]
    [ "$(lab_status 1 '[.replicate[0].collectors[].datagrams] | join(" ")')" = "3 3" ]
}

@test "rules for sources, destinations and ingress ports add up where they overlap" {
    lab_on h1c2 ip address add 10.8.0.11/32 dev eth0
    replicate 1 '
        {name: "one",   port: 6343, from: "10.1.0.10",                     to: [{port: 7001}]},
        {name: "nets",  port: 6343, from: ["10.8.0.0/16", "10.1.0.11/32"], to: [{port: 7002}]},
        {name: "all",   port: 6343,                                        to: [{port: 7003}]},
        {name: "in",    port: 6343, in_port: "c3",                         to: [{port: 7004}]},
        {name: "to",    port: 6343, destination: "10.1.0.1",               to: [{port: 7005}]},
        {name: "other", port: 6344, from: "10.1.0.10",                     to: [{port: 7001}]}'
    local port
    for port in 7001 7002 7003 7004 7005; do
        collect h1 "$port"
    done
    send h1c1 10.1.0.1 6343 a
    send h1c1 10.1.0.12 6343 a-passing
    send h1c1 10.1.0.1 6344 a-other
    send h1c2 10.1.0.1 6343 b
    send h1c2@10.8.0.11 10.1.0.1 6343 b-second
    send h1c2 10.1.0.1 6344 b-other
    send h1c3 10.1.0.1 6343 c
    come h1 7001 "10.1.0.10 a" "10.1.0.10 a-passing" "10.1.0.10 a-other"
    come h1 7002 "10.1.0.11 b" "10.8.0.11 b-second"
    come h1 7003 "10.1.0.10 a" "10.1.0.10 a-passing" "10.1.0.11 b" "10.8.0.11 b-second" "10.1.0.12 c"
    come h1 7004 "10.1.0.12 c"
    come h1 7005 "10.1.0.10 a" "10.1.0.11 b" "10.8.0.11 b-second" "10.1.0.12 c"
}

@test "three collectors away: the others get everything, and those that come back get copies again" {
    local i
    printf '127.0.0.1 localhost\n' > "$BATS_TEST_TMPDIR/hosts"
    lab_resolv h1 "$BATS_TEST_TMPDIR/hosts"
    collect h1 6343
    collect h1 7343
    collect h1c2 6343
    collect h1c3 6343
    collect h1c3 7001
    write_rules 1 '{name: "away", port: 6343, to: [{port: 7343}, {host: "10.1.0.12"}, {host: "10.1.0.99"},
                    {host: "analyser", port: 7001}, {host: "10.1.0.11"}]}'
    lab_on h1c3 ip address add 10.1.0.13/24 dev eth0
    lab_on h1c3 ip link set eth0 down
    lab_relay 1 --config "$LAB_DIR/h1.json"
    is_up() { [ "$(lab_status 1 "[.replicate[].collectors[].state][$1]")" = up ]; }
    lab_wait 10 is_up 4
    # shellcheck disable=SC2046  # twenty words
    send h1c1 10.1.0.1 6343 $(seq 1 20)
    lab_wait 5 arrived h1c2 6343 20
    # Not before the kernel has given up by itself: from here on it is for snowrelayd to ask.
    two_up() {
        [ "$(lab_status 1 '[.replicate[].collectors[].state] | .[1:3] | join(" ")')" = "down down" ] &&
            [ "$(lab_status 1 '[.replicate[].collectors[] | select(.state == "up")] | length')" -eq 2 ]
    }
    lab_wait 30 two_up
    [ "$(collected h1c3 6343)" = "" ]

    # One is switched on, the other's name gets an address.
    lab_on h1c3 ip link set eth0 up
    printf '10.1.0.13 analyser\n' >> "/etc/netns/$LAB-h1/hosts"
    i=20
    back() {
        i=$((i + 1))
        send h1c1 10.1.0.1 6343 "$i"
        arrived h1c3 6343 1 && arrived h1c3 7001 1
    }
    lab_wait 40 back
    # While it is away again, the others are not.
    lab_on h1c3 ip link set eth0 down
    # shellcheck disable=SC2046  # twenty words
    send h1c1 10.1.0.1 6343 $(seq $((i + 1)) $((i + 20)))
    lab_wait 5 arrived h1c2 6343 $((i + 20))

    diff <(seq 1 $((i + 20))) <(payloads h1 6343)
    diff <(seq 1 $((i + 20))) <(payloads h1 7343)
    diff <(seq 1 $((i + 20))) <(payloads h1c2 6343)
}

# export_all ROUND: a datagram from each of 40 addresses.
export_all() {
    # shellcheck disable=SC2016  # the inner shell's
    lab_on h1c1 bash -c 'for i in {101..140}; do
        printf "%s" "$0 10.1.0.$i" | socat -u - "UDP4-SENDTO:10.1.0.1:6343,bind=10.1.0.$i"; done' "$1"
}

# who_got ROUND: prints which analyser got what from which exporter in that round, in order.
who_got() {
    local place
    for place in h1-7001 h1c2-6343 h1c3-6343; do
        sed -n "s/^.* $1 \(10.1.0.*\)$/\1 $place/p" "$BATS_TEST_TMPDIR/$place"
    done | sort
}

# all_came ROUND: has every exporter's datagram of that round come to an analyser?
all_came() { [ "$(who_got "$1" | wc -l)" -ge 40 ]; }

each_once() { [ "$(who_got "$1" | cut -d ' ' -f 1 | uniq | wc -l)" -eq 40 ] && [ "$(who_got "$1" | wc -l)" -eq 40 ]; }

@test "spreading: each exporter is at one analyser always, and only those of one that goes move" {
    local i archive='{name: "archive", port: 6343, to: [{port: 7000}]}'
    printf 'address add 10.1.0.%d/32 dev eth0\n' {101..140} | ip -n "$LAB-h1c1" -batch -
    replicate 1 "$archive, {name: \"analysers\", port: 6343, spread: \"source\",
                            to: [{port: 7001}, {host: \"10.1.0.11\"}, {host: \"10.1.0.12\"}]}"
    collect h1 7000
    collect h1 7001
    collect h1c2 6343
    collect h1c3 6343
    export_all first
    export_all again
    lab_wait 5 all_came first
    lab_wait 5 all_came again
    who_got first > "$BATS_TEST_TMPDIR/first"
    each_once first
    diff "$BATS_TEST_TMPDIR/first" <(who_got again)
    [ "$(cut -d ' ' -f 2 "$BATS_TEST_TMPDIR/first" | sort -u | wc -l)" -eq 3 ]

    # The second leaves.
    write_rules 1 "$archive, {name: \"analysers\", port: 6343, spread: \"source\",
                              to: [{port: 7001}, {host: \"10.1.0.12\"}]}"
    appctl 1 config/reload
    # shellcheck disable=SC2317  # lab_wait calls it
    two_left() { [ "$(lab_status 1 '[.replicate[].collectors[]] | length')" -eq 3 ] && [[ "$(our_groups 1)" != *10.1.0.11* ]]; }
    lab_wait 5 two_left
    export_all less
    lab_wait 5 all_came less
    each_once less
    run ! grep h1c2 <(who_got less)
    diff <(grep -v h1c2 "$BATS_TEST_TMPDIR/first") \
        <(who_got less | grep -F -f <(grep -v h1c2 "$BATS_TEST_TMPDIR/first"))

    # And comes back.
    write_rules 1 "$archive, {name: \"analysers\", port: 6343, spread: \"source\",
                              to: [{port: 7001}, {host: \"10.1.0.11\"}, {host: \"10.1.0.12\"}]}"
    appctl 1 config/reload
    three_again() { [ "$(lab_status 1 '[.replicate[].collectors[]] | length')" -eq 4 ] && [[ "$(our_groups 1)" == *10.1.0.11* ]]; }
    lab_wait 10 three_again
    lab_wait 10 collectors_up 1
    export_all back
    lab_wait 5 all_came back
    diff "$BATS_TEST_TMPDIR/first" <(who_got back)

    lab_wait 5 arrived h1 7000 160
    for i in first again less back; do
        [ "$(payloads h1 7000 | grep -c "^$i 10.1.0")" -eq 40 ]
    done
}

@test "IPv6 exporters are served as those of IPv4, each by the collectors of its version" {
    replicate 1 '
        {name: "both", port: 6343, to: [{port: 7343}, {host: "fd01::11"}, {host: "fd01::12", source: "keep"},
                                        {host: "10.1.0.11", port: 7001}]},
        {name: "six", port: 6343, from: "fd01::/64", to: [{port: 7344}]},
        {name: "four", port: 6343, from: "10.0.0.0/8", to: [{port: 7345}]}'
    collect h1 6343
    collect h1 7343
    collect h1 7344
    collect h1 7345
    collect h1c2 6343
    collect h1c3 6343
    collect h1c2 7001
    send h1c1 fd01::1 6343 six
    send h1c1 fd01::12 6343 six-passing
    send h1c1 10.1.0.1 6343 four
    come h1 6343 "fd01::10 six" "10.1.0.10 four"
    come h1 7343 "fd01::10 six" "fd01::10 six-passing" "10.1.0.10 four"
    come h1 7344 "fd01::10 six" "fd01::10 six-passing"
    come h1 7345 "10.1.0.10 four"
    come h1c2 6343 "fd01::1 six" "fd01::1 six-passing"
    # The last is both the original and the copy.
    come h1c3 6343 "fd01::10 six" "fd01::10 six-passing" "fd01::10 six-passing"
    come h1c2 7001 "10.1.0.1 four"
}

@test "a datagram in fragments arrives whole where it was sent, is not copied, and is counted" {
    replicate 1 '{name: "pieces", port: 6343, to: [{port: 7343}, {host: "10.1.0.11"}]}'
    collect h1 6343
    collect h1 7343
    collect h1c2 6343
    local text
    printf -v text '%3000s' ''
    lab_on h1c1 ip link set eth0 mtu 1500
    send h1c1 10.1.0.1 6343 "${text// /x}" small
    come h1 6343 "10.1.0.10 ${text// /x}" "10.1.0.10 small"
    come h1 7343 "10.1.0.10 small"
    come h1c2 6343 "10.1.0.1 small"
    run -0 appctl 1 replicate/show
    [ "$(lab_status 1 '.replicate[0].fragments')" -ge 1 ]
}
