#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# A sealed mesh: who has the key is heard and nobody else, keys change without losing a frame, and
# what was recorded is of no use.

bats_require_minimum_version 1.5.0
load common

setup_file() {
    local n
    lab_init
    for n in 1 2 3; do
        lab_host "$n"
        lab_client "$n" 1
    done
    "$SNOWRELAYD" --generate-key "$LAB_DIR/key"
    "$SNOWRELAYD" --generate-key "$LAB_DIR/other-key"
}

teardown() {
    local n
    for n in 1 2 3; do
        lab_relay_stop "$n" || true
    done 2> /dev/null
    [ -z "${PROBE:-}" ] || kill "$PROBE" 2> /dev/null || true
    [ -z "${NODE:-}" ] || lab_kill "$NODE"
}

# configure N KEYS PEER...: writes the configuration of relay N, and its key file.
configure() {
    local n=$1 keys=$2
    shift 2
    rm -f "$LAB_DIR/mesh-$n.key"
    (umask 077; cat $keys > "$LAB_DIR/mesh-$n.key")
    jq -n --args "{mesh: {key_file: \"mesh-$n.key\", peers: \$ARGS.positional}}" "$@" \
        > "$LAB_DIR/sealed-$n.json"
}

relay() { lab_relay "$1" --config "$LAB_DIR/sealed-$1.json"; }

two_sealed_relays() {
    configure 1 "$LAB_DIR/key" 172.30.0.2
    configure 2 "$LAB_DIR/key" 172.30.0.1
    relay 1
    relay 2
    lab_wait 5 peer_is 1 172.30.0.2 up
    lab_wait 5 peer_is 2 172.30.0.1 up
}

dropped_is() { [ "$(dropped "$1" "$2")" -eq "$3" ]; }

@test "two relays with the key: broadcasts cross both ways, and nothing on the mesh can be read" {
    local file=$BATS_TEST_TMPDIR/mesh.pcap emitted=$BATS_TEST_TMPDIR/emitted.pcap
    record h2 "$file" udp port 7124
    local recorder=$LAB_PID
    two_sealed_relays
    record h2c1 "$emitted" udp port 5076
    local emissions=$LAB_PID
    broadcast h1c1 "what nobody may read" 10.1.0.255
    LAB_PID=$emissions stop_recording "$emitted" 1
    [ "$(count "$emitted" 'dst 10.2.0.255')" -eq 1 ]
    grep -q "what nobody may read" "$emitted"
    broadcast h2c1 "and back" 10.2.0.255
    crossed_back() { [ "$(lab_status 1 .counters.emitted)" -eq 1 ]; }
    lab_wait 5 crossed_back
    LAB_PID=$recorder stop_recording "$file" 5
    # SE, version 1, or nothing.
    [ "$(count "$file")" -eq "$(count "$file" 'udp[8:2] = 0x5345 and udp[10] = 1')" ]
    ! grep -q "what nobody may read" "$file"
    [ "$(peer 1 172.30.0.2 format)" = sealed ]
    [ "$(peer 1 172.30.0.2 key)" = "$(lab_status 1 '.keys[0]')" ]
    [ "$(lab_status 1 '.counters.mesh_dropped | length')" -eq 0 ]
}
