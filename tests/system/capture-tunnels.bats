#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Captures over tunnels, where the switches carry the frames by themselves: two hosts with a relay
# each, and a client on the segment of each.

bats_require_minimum_version 1.5.0
load capture

export LAB_TRANSPORT=vxlan

setup_file() {
    lab_init
    export FOLDER=$LAB_DIR/captured
    mkdir -m 1777 "$FOLDER"
    lab_host 1
    lab_host 2
    lab_client 1 1
    lab_client 2 1
    lab_relay 1 --other-relays 172.30.0.2
    lab_relay 2 --other-relays 172.30.0.1
    lab_wait 10 lab_tunnelled
}

teardown() {
    no_capture 1
    no_capture 2
}

# watches N RATE: whether so many of the frames that host N's switch carries, a second, are copied to
# the relay: 25, or all that the port's meter lets pass, both ways.
watches() { lab_ofctl "$1" dump-meters br0 | grep -qE "rate=$2 "; }

@test "a capture gets a copy of each frame that the switch carries, and the frames arrive once" {
    local one=$FOLDER/one.pcapng two=$FOLDER/two.pcapng other=$BATS_TEST_TMPDIR/other.pcap
    local n
    lab_wait 5 watches 1 25
    capture 1 one.pcapng
    capture 2 two.pcapng
    lab_wait 5 watches 1 20000
    lab_wait 5 watches 2 20000

    record h2c1 "$other" udp
    for n in {1..50}; do
        broadcast h1c1 "number $n" 10.1.0.255
    done
    stop_recording "$other" 50
    captured 1
    captured 2
    [ "$(count "$other")" -eq 50 ]
    [ "$(seen "$one" '^punt: from the switch; the switch carries it, and this is a copy$')" -eq 50 ]
    [ "$(seen "$two" '^receive: from the mesh; the switch carries it, and this is a copy$')" -eq 50 ]
    [ "$(seen "$one")" -eq 50 ]
    [ "$(seen "$two")" -eq 50 ]
    lab_wait 5 watches 1 25
    lab_wait 5 watches 2 25
}
