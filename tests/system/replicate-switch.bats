#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Replication, its switch and its daemon: copies need no daemon, and what is in the switch is what
# was asked for, whoever changes it.

bats_require_minimum_version 1.5.0
load common

setup_file() {
    lab_init
    lab_host 1
    lab_client 1 1
    lab_client 1 2
}

setup() { pair='{name: "pair", port: 6343, to: [{port: 7343}, {host: "10.1.0.11"}]}'; }

teardown() { replicate_end 1; }

# copies: are there copies of what h1c1 sends now, one each, and the original?
copies() {
    local text=$RANDOM$RANDOM
    end_collecting
    collect h1 6343
    collect h1 7343
    collect h1c2 6343
    send h1c1 10.1.0.1 6343 "$text"
    come h1 6343 "10.1.0.10 $text" && come h1 7343 "10.1.0.10 $text" && come h1c2 6343 "10.1.0.1 $text"
}

# Everything on the bridge, without what counts and ages.
bridge_contents() {
    lab_ofctl 1 --no-stats dump-flows br0 | grep -v reply | sort
    lab_ofctl 1 dump-groups br0 | grep -v reply | sort
    lab_on h1 ovs-vsctl list-ports br0 | sort
}

# ages: prints the ages of our flows and groups, in seconds.
ages() {
    lab_ofctl 1 dump-flows br0 "cookie=$LAB_COOKIE"
    lab_ofctl 1 dump-group-stats br0
}

older_than() {
    local age n=0
    for age in $(ages | grep -o 'duration=[0-9]*'); do
        [ "${age#duration=}" -ge "$1" ] || { ages; return 1; }
        n=$((n + 1))
    done
    [ "$n" -ge 2 ]
}

@test "no copy is lost or made twice while snowrelayd is killed, started, stopped and reloaded" {
    local place pid count=16000
    local -a receivers=()
    replicate 1 "$pair"
    for place in h1:6343 h1:7343 h1c2:6343; do
        lab_in_background "${place%:*}" "$BUILD/bench-probe" recv "${place#*:}" --count "$count" \
            --seconds 30 > "$BATS_TEST_TMPDIR/$place"
        receivers+=("$LAB_PID")
    done
    lab_wait 5 lab_on h1 sh -c 'ss -lun | grep -q :7343'
    lab_wait 5 lab_on h1 sh -c 'ss -lun | grep -q :6343'
    lab_wait 5 lab_on h1c2 sh -c 'ss -lun | grep -q :6343'
    lab_in_background h1c1 "$BUILD/bench-probe" send 10.1.0.1 6343 --rate 2000 --count "$count" \
        > "$BATS_TEST_TMPDIR/sent"
    local sender=$LAB_PID

    sleep 0.5
    pid=$(lab_relay_pid 1)
    kill -KILL "$pid"
    lab_wait 5 lab_gone "$pid"
    sleep 0.5
    lab_relay 1 --config "$LAB_DIR/h1.json"
    sleep 1
    lab_relay_stop 1
    sleep 0.5
    lab_relay 1 --config "$LAB_DIR/h1.json"
    sleep 1
    appctl 1 config/reload
    sleep 0.5
    pid=$(lab_relay_pid 1)
    kill -TERM "$pid"
    lab_wait 5 lab_gone "$pid"
    # All of it happened within the stream.
    run lab_gone "$sender"
    [ "$status" -ne 0 ]
    wait "$sender"

    for pid in "${receivers[@]}"; do
        lab_wait 5 lab_gone "$pid" || kill "$pid"
        wait "$pid"
    done
    for place in h1:6343 h1:7343 h1c2:6343; do
        echo "$place: $(cat "$BATS_TEST_TMPDIR/$place")"
        jq -e ".distinct == $count and .duplicates == 0" "$BATS_TEST_TMPDIR/$place" > /dev/null
    done
}

@test "exit --cleanup takes away flows, groups and tunnel ports of its own, and nothing else" {
    lab_ofctl 1 add-group br0 'group_id=7,type=all,bucket=actions=output:LOCAL'
    lab_ofctl 1 add-group br0 'group_id=5459713,type=all,bucket=actions=output:LOCAL'
    lab_ofctl 1 add-flow br0 'cookie=0x534e4f58,table=7,priority=9,udp,tp_dst=6343,actions=group:7'
    lab_on h1 ovs-vsctl add-port br0 theirs -- set interface theirs type=vxlan options:remote_ip=172.30.0.9 \
        options:key=1
    bridge_contents > "$BATS_TEST_TMPDIR/before"
    replicate 1 "$pair"
    copies
    write_rules 1 "$pair, {name: \"far\", port: 6343, to: [{host: \"172.30.0.2\", tunnel: \"vxlan\"}]}"
    appctl 1 config/reload
    has_tunnel() { lab_on h1 ovs-vsctl --bare --columns=name find port external_ids:snowrelay=replicate | grep -q .; }
    lab_wait 5 has_tunnel
    [ -n "$(our_groups 1)" ]
    [ -n "$(our_flows 1)" ]

    # Leaving without it takes nothing away.
    bridge_contents > "$BATS_TEST_TMPDIR/with"
    lab_relay_stop 1
    diff "$BATS_TEST_TMPDIR/with" <(bridge_contents)

    lab_relay 1 --config "$LAB_DIR/h1.json"
    local pid
    pid=$(lab_relay_pid 1)
    appctl 1 exit --cleanup
    lab_wait 10 lab_gone "$pid"
    diff "$BATS_TEST_TMPDIR/before" <(bridge_contents)
    end_collecting
    collect h1 6343
    send h1c1 10.1.0.1 6343 "still delivered"
    come h1 6343 "10.1.0.10 still delivered"
    lab_on h1 ovs-vsctl del-port br0 theirs
    lab_ofctl 1 del-flows br0 table=7
    lab_ofctl 1 del-groups br0
}

@test "what --print-flows prints makes the same copies, and is what snowrelayd would make" {
    replicate 1 "$pair"
    bridge_contents > "$BATS_TEST_TMPDIR/installed"
    lab_on h1 "$SNOWRELAYD" --config "$LAB_DIR/h1.json" --print-flows > "$BATS_TEST_TMPDIR/printed"
    replicate_end 1
    [ -z "$(our_flows 1)" ]
    [ -z "$(our_groups 1)" ]
    grep -q add-group "$BATS_TEST_TMPDIR/printed"
    grep -q add-flow "$BATS_TEST_TMPDIR/printed"

    lab_on h1 sh -e "$BATS_TEST_TMPDIR/printed"
    diff "$BATS_TEST_TMPDIR/installed" <(bridge_contents)
    copies

    # It finds nothing to do: what it finds is as old as it was.
    sleep 2
    lab_relay 1 --config "$LAB_DIR/h1.json"
    lab_wait 10 collectors_up 1
    sleep 1
    older_than 3
    diff "$BATS_TEST_TMPDIR/installed" <(bridge_contents)
}

@test "a group or flow that somebody takes away is put back, and those of others stay" {
    local before
    replicate 1 "$pair"
    copies
    lab_ofctl 1 add-group br0 'group_id=7,type=all,bucket=actions=output:LOCAL'
    lab_ofctl 1 add-flow br0 'cookie=1,table=7,priority=9,udp,actions=group:7'
    before=$(bridge_contents)
    # shellcheck disable=SC2317  # lab_wait calls it
    as_before() { [ "$(bridge_contents)" = "$before" ]; }
    as_before

    # It may be back before one can look. Without its group a flow goes, too.
    local group
    noticed() { [ "$(grep -c 'somebody else changed or removed' "$LAB_DIR/h1/snowrelayd.log")" -gt "$1" ]; }
    local times
    times=$(grep -c 'somebody else changed or removed' "$LAB_DIR/h1/snowrelayd.log" || true)
    for group in $(our_groups 1 | sed 's/^group_id=\([0-9]*\),.*/\1/'); do
        lab_ofctl 1 del-groups br0 "group_id=$group"
    done
    lab_wait 15 noticed "$times"
    lab_wait 15 as_before
    copies

    lab_ofctl 1 del-flows br0 "cookie=$LAB_COOKIE"
    lab_wait 15 as_before
    copies

    # A group that does something else.
    group=$(our_groups 1 | sed -n '1s/^group_id=\([0-9]*\),.*/\1/p')
    lab_ofctl 1 mod-group br0 "group_id=$group,type=all,bucket=actions=drop"
    lab_wait 15 as_before
    copies
    lab_ofctl 1 del-flows br0 table=7
    lab_ofctl 1 del-groups br0 group_id=7
}

@test "kill -9 of ovs-vswitchd: the copies are back when it is" {
    replicate 1 "$pair"
    copies
    lab_switch_kill 1
    lab_switch_start 1
    has_groups() { [ -n "$(our_groups 1)" ] && [ -n "$(our_flows 1)" ]; }
    lab_wait 20 has_groups
    lab_wait 10 collectors_up 1
    copies
}
