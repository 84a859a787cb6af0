# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the tests of the container image share. On the segment of host N there are the container N, the
# node hNc1, and a client, hNc2; both leave checksums to a card that they have not, as containers do.
# A test file has inside(): inside N CMD... runs CMD in container N.

# shellcheck disable=SC2034 # for the test files
IMAGE=$LAB_ROOT/scripts/container

container_lab() {
    local n
    lab_init
    for n in 1 2 3; do
        lab_host "$n" --bare
        lab_segment "$n"
        lab_client "$n" 1 --offload
        lab_client "$n" 2 --offload
        mkdir -p "$LAB_DIR/c$n"
        printf 'nameserver 172.30.0.250\nsearch example.org\n' > "$LAB_DIR/c$n/resolv.conf"
    done
}

# What the name server says at first, and the way to each.
name_containers() {
    local n
    serve_names {10.1.0.10,10.2.0.10}' tasks.relays' {10.1.0.10,10.2.0.10}' relays'
    for n in 1 2 3; do
        lab_on u ip route replace "10.$n.0.0/24" via "172.30.0.$n"
    done
}

status() { inside "$1" ovs-appctl -T 3 -t snowrelayd status json | jq -r "$2"; }

# peers_up N PEERS: these are up.
peers_up() {
    local up='[.peers[] | select(.state == "up").address] | sort | join(" ")'
    [ "$(status "$1" "$up")" = "$2" ]
}

# process N NAME: prints the pid of the container's process, or its child.
process() {
    local pid
    for pid in $(ip netns pids "$LAB-h${1}c1"); do
        [ "$(cat "/proc/$pid/comm")" != "$2" ] || echo "$pid"
    done
}

capabilities_of() { sed -n 's/^CapPrm:\s*//p' "/proc/$1/status"; }

user_of() { stat -c %u "/proc/$1"; }

belongings() {
    ip -n "$LAB-h$1c1" -details -o address
    ip -n "$LAB-h$1c1" -o route show table all
    ip -n "$LAB-h$1c1" -6 -o route show table all
}

# crosses FROM TO TEXT [ADDRESS]: a broadcast of FROM's client reaches that of TO once, with the MAC
# of container TO and a whole checksum.
crosses() {
    local file=$BATS_TEST_TMPDIR/crosses.pcap
    record "h$2c2" "$file" udp port 5076
    broadcast "h$1c2" "$3" "${4:-255.255.255.255}"
    stop_recording "$file" 1
    tcpdump -nevvr "$file" 2> /dev/null | tee "$file.text"
    [ "$(grep -c 'udp sum ok' "$file.text")" -eq 1 ] && [ "$(count "$file")" -eq 1 ] &&
        grep -qF "02:00:00:0$2:01:0a > ff:ff:ff:ff:ff:ff" "$file.text"
}
