#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What breaks around a relay, or the relay itself, as in healing.bats. This file: the host's cards,
# addresses, clock and disk, and the relay.

bats_require_minimum_version 1.5.0
load healing

setup_file() { healing_lab; }
setup() { healing_setup; }
teardown() { healing_teardown; }

@test "the card that leads to the other relays is down for four seconds, and up" {
    # shellcheck disable=SC2034 # heals reads it
    FAULT_SECONDS=4
    # A relay that is down may have become a SnowSignal node. The first time it looks like one that
    # is the way to it is asked for, and what asks the kernel for it stays open, one of it in the
    # privileged process.
    # shellcheck disable=SC2034
    MORE_DESCRIPTORS=3
    heals "underlay down for 4 s" outage 20 underlay_down 1
    others_are_there 1
}

# destinations N: prints where broadcasts of the other host are sent to on the segment of host N,
# each once.
destinations() {
    local file=$BATS_TEST_TMPDIR/destinations.pcap
    record "h${1}c1" "$file" udp port 5076
    broadcast "h$((3 - $1))c1" asked "10.$((3 - $1)).0.255"
    stop_recording "$file" 1
    tcpdump -nr "$file" 2> /dev/null | sed -n 's/.* > \(.*\)\.5076: .*/\1/p' | sort -u
}

@test "the address of the bridge changes, there and back" {
    heals "address changed" 20 20 address_changed 2
    others_are_there 2
    [ "$(destinations 2)" = 10.2.0.255 ]
    fault_other_address 2
    lab_wait 5 goes_to 2 10.12.255.255
    fault_own_address 2
    lab_wait 5 goes_to 2 10.2.0.255
}

goes_to() { [ "$(destinations "$1")" = "$2" ]; }

# The hour, as the log of relay N has it, of its last line.
logged_hour() { tail -n 1 "$LAB_DIR/h$1/snowrelayd.log" | cut -c 1-13; }

@test "the wall clock steps by an hour, forward and back" {
    local ahead
    # It does see that clock.
    fault_clock 1 3600
    appctl 1 config/reload
    [ "$(logged_hour 1)" = "$(date -u -d '1 hour' +%FT%H)" ] ||
        [ "$(logged_hour 1)" = "$(date -u -d '59 minutes' +%FT%H)" ]
    fault_clock 1 0
    heals "clock stepped" 20 20 clock_stepped 1
    others_are_there 1

    # Frames pass for hellos. Without them the relays go on to say hello and to announce themselves.
    configure_healing 1 '.mesh.hello_ms = 200'
    cp "$LAB_DIR/h1.json" "$LAB_DIR/h2.json"
    appctl 1 config/reload
    appctl 2 config/reload
    lab_wait 10 whole
    for ahead in 3600 -3600 0; do
        fault_clock 1 "$ahead"
        record h1c1 "$BATS_TEST_TMPDIR/announced$ahead.pcap" ether proto 0x88b5
        sleep 1.5
        lab_wait 1 has_frames "$BATS_TEST_TMPDIR/announced$ahead.pcap" 4
        lab_kill "$LAB_PID"
        whole
    done
    [ "$(logged 1 'is (suspect|down)')" -eq 0 ]
    [ "$(logged 2 'is (suspect|down)')" -eq 0 ]
}

@test "the disk of the log is full for a while" {
    local full
    heals "disk of the log full" 20 20 log_full 1
    dd if=/dev/zero of="$LAB_DIR/h1/log/filler" bs=4k 2> /dev/null || true
    # What is left of the last page of the file may still be written.
    for _ in {1..100}; do
        appctl 1 config/reload > /dev/null
    done
    full=$(log_lines 1)
    appctl 1 config/reload
    [ "$(log_lines 1)" -eq "$full" ]
    once h1c1 h2c1 || once h1c1 h2c1
    rm "$LAB_DIR/h1/log/filler"
    appctl 1 config/reload
    [ "$(log_lines 1)" -gt "$full" ]
    tail -n 1 "$LAB_DIR/h1/snowrelayd.log" | grep -q 'configuration reloaded'
    others_are_there 1
}

@test "the relay is killed and started again: what it has on the switch goes on, and is taken over" {
    local began=$SECONDS age
    heals "snowrelayd killed" outage 20 relay_killed 1
    others_are_there 1
    # A flow that was installed again would be young.
    for age in $(lab_ofctl 1 dump-flows br0 "cookie=0x534e4f5700020000/0xffffffffffff0000" |
        grep -o 'duration=[0-9]*'); do
        [ "${age#duration=}" -ge $((SECONDS - began - 1)) ]
    done
}

# The flows of a port, and of a rule, that the new one does not have.
fault_killed_for_less() {
    local pid
    pid=$(lab_relay_pid 1)
    kill -KILL "$pid"
    lab_wait 5 lab_gone "$pid"
    is_as_remembered 1
    faults_relay 1
}

@test "what a killed relay has left on the switch and the next one does not want goes" {
    configure_healing 1 '.replicate += [{name: "more", port: 2055, to: [{port: 3055}]}]'
    appctl 1 config/reload
    lab_wait 5 whole
    more() { [ "$(our_groups 1 | wc -l)" -eq 2 ] && lab_status 1 .flows_in_place | grep -q true; }
    lab_wait 5 more
    remember
    configure_healing 1 '.relay.ports = [5076]'
    begin_traffic
    sleep 0.3
    fault_killed_for_less
    less() {
        [ "$(our_groups 1 | wc -l)" -eq 1 ] && [ "$(our_flows 1 | grep -c tp_dst=5064)" -eq 0 ] &&
            [ "$(our_flows 1 | grep -c tp_dst=2055)" -eq 0 ] &&
            [ "$(lab_ofctl 1 dump-meters br0 | grep -c meter=54)" -eq 2 ]
    }
    lab_wait 10 less || { ours 1; return 1; }
    [ "$(our_flows 1 | grep -c tp_dst=5076)" -ge 3 ]
    end_traffic
    echo "# killed, with less for the next one to do: lost $(gone 1) of $(sent 1) from host 1," \
        "$(gone 2) of $(sent 2) from host 2; $(gone 3) of $(sent 3) copies" >&3
    [ "$(gone 3)" -le 5 ]
    others_are_there 1
    remember
    lab_wait 10 whole
    counters_add_up
    whole_again
}
