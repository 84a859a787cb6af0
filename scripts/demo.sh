#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# demo.sh - what `ovs-setup.sh demo` shows: a broadcast that does not cross, two hosts set up with
# `ovs-setup.sh up`, the same broadcast crossing, and one stream that reaches three collectors.
# ovs-setup.sh sources it behind the lab's verbs (lab.sh), and calls `demo`, and `demo_end` in any case.
# shellcheck disable=SC2154 # name and self are ovs-setup.sh's

demo() {
    demo_hosts
    demo_before
    demo_up
    demo_after
    demo_mesh
    demo_flows
    demo_copies
    demo_down
}

demo_title() {
    local bold='' plain=''
    [[ ! -t 1 ]] || bold=$'\e[1m' plain=$'\e[0m'
    printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

# Also what comes after a Ctrl-C
demo_indent() { (trap '' INT TERM HUP && exec sed "s/^/$1/"); }

demo_end() {
    demo_title "Cleaning up: namespaces, switches and relays of this demo"
    lab_destroy
    # Where `down` was not reached
    [[ -n "$user_before" || -z "$(user_comment)" ]] || userdel --force snowrelay
}

demo_hosts() {
    demo_title "Two hosts, each with a network of its own behind it"
    lab_init
    for n in 1 2; do
        lab_host $n --bare
        lab_segment $n
        lab_client $n 1
    done
    # Answers whoever asks, as a server of control system channels or a device on the LAN would.
    # shellcheck disable=SC2016 # for the shell of the answering side
    lab_in_background h2c1 socat UDP-RECVFROM:5076,fork \
        SYSTEM:'read -r question; echo "the server at 10.2.0.10 answers: $question is mine"'
    cat << 'END'
    client h1c1          host h1                     host h2          server h2c1
    10.1.0.10 --- seg0 10.1.0.1 | 172.30.0.1 --- 172.30.0.2 | 10.2.0.1 seg0 --- 10.2.0.10
    Unicast passes between the two networks: the hosts route. Broadcasts do not.
END
}

demo_before() {
    demo_title "Before: the client asks everybody, by a UDP broadcast to port 5076"
    demo_ask
    [[ -z "$answer" ]] || die "demo: the question crossed without a relay"
}

demo_up() {
    local n
    local -a up
    for n in 1 2; do
        up=(up --uplink seg0 -- --other-relays 172.30.0.$((3 - n)))
        demo_title "On host h$n: $name ${up[*]}"
        lab_on h$n "$self" "${up[@]}" | demo_indent "    "
    done
}

demo_after() {
    demo_title "After: the same question again"
    demo_ask
    [[ -n "$answer" ]] || die "demo: nothing came back; the relays say: $(demo_logs)"
    cat << 'END'
    The source MAC is now that of host h2, which put the frame on its segment; by it the relays
    know their own frames. The source IP is still the client's, so the answer went straight back.
END
}

demo_logs() { tail -qn 3 "$LAB_DIR"/h[12]/snowrelayd.log; }

# Sets `answer`.
demo_ask() {
    local here there
    demo_listen h1c1 && here=$LAB_PID
    demo_listen h2c1 && there=$LAB_PID
    answer=$(echo "DEMO:TEMPERATURE" |
        lab_on h1c1 socat -t 1 - UDP-DATAGRAM:10.1.0.255:5076,broadcast)
    lab_kill "$here" "$there"
    echo "    on the client's segment:"
    demo_heard h1c1
    echo "    on the server's segment:"
    demo_heard h2c1
    echo "    the client hears:"
    echo "        ${answer:-nothing}"
}

demo_listen() {
    lab_in_background "$1" tcpdump -lnte -i eth0 udp dst port 5076 \
        > "$LAB_DIR/$1.heard" 2> "$LAB_DIR/$1.tcpdump"
    lab_wait 5 grep -q listening "$LAB_DIR/$1.tcpdump"
}

demo_heard() {
    grep . "$LAB_DIR/$1.heard" |
        sed -E 's/, ethertype IPv4 \(0x0800\), length [0-9]+:/ |/; s/^/        /' ||
        echo "        nothing"
}

demo_mesh() {
    demo_title "What relay h1 knows of its peer: ovs-appctl -t snowrelayd mesh/show"
    lab_on h1 ovs-appctl -t snowrelayd mesh/show | demo_indent "    "
}

demo_flows() {
    local n
    demo_title "What the two switches were told, and how often it applied (n_packets)"
    for n in 1 2; do
        echo "    h$n: ovs-ofctl dump-flows br0"
        lab_ofctl $n dump-flows br0 |
            sed -E '/cookie=/!d; s/^ cookie=[^,]*, duration=[^,]*, /        /'
    done
}

demo_copies() {
    local rules=$LAB_DIR/rules.json
    demo_title "The second job: the client logs to host h1, and two more collectors want that, too"
    tee "$rules" << 'END' | demo_indent "    "
{ "replicate": [ { "name": "syslog", "port": 514, "to": [ {"port": 1514}, {"host": "10.2.0.10"} ] } ] }
END
    demo_title "On host h1: $name up --rules ${rules##*/}"
    lab_on h1 "$self" up --rules "$rules" | demo_indent "    "

    demo_title "The client logs a line to host h1; it arrives"
    demo_collect h1 514
    demo_collect h1 1514
    demo_collect h2c1 514
    lab_on h1c1 logger --server 10.1.0.1 --port 514 --udp --rfc3164 --tag demo "beam lost"
    demo_collected h1 514 "where it was sent"
    demo_collected h1 1514 "at port 1514 of host h1"
    demo_collected h2c1 514 "at 10.2.0.10"
    demo_title "The copies are the switch's: one group for each rule, one bucket for each collector"
    lab_on h1 ovs-appctl -t snowrelayd replicate/show | demo_indent "    "
}

demo_collect() {
    # -T: until nothing has come for two seconds
    lab_in_background "$1" socat -T 2 -u "UDP-RECVFROM:$2" CREATE:"$LAB_DIR/$1.$2.log"
    lab_wait 5 demo_listens "$1" "$2"
}

demo_listens() { lab_on "$1" grep -q "$(printf ':%04X ' "$2")" /proc/net/udp; }

demo_collected() {
    lab_wait 5 test -s "$LAB_DIR/$1.$2.log" || die "demo: nothing arrived $3"
    printf '    %-26s %s\n' "$3:" "$(< "$LAB_DIR/$1.$2.log")"
}

demo_down() {
    local n
    demo_title "And back: $name down"
    for n in 1 2; do
        lab_on "h$n" "$self" down | demo_indent "    h$n "
    done
}
