#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# A sealed mesh: who has the key is heard and nobody else, keys change without losing a frame, and
# what was recorded is of no use.

bats_require_minimum_version 1.5.0
load segment

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

# configure N KEY-FILE PEER...: writes the configuration of relay N, and its key file.
configure() {
    local n=$1 keys=$2
    shift 2
    rm -f "$LAB_DIR/mesh-$n.key"
    (umask 077; cat "$keys" > "$LAB_DIR/mesh-$n.key")
    jq -n --args "{mesh: {key_file: \"mesh-$n.key\", peers: \$ARGS.positional}}" "$@" \
        > "$LAB_DIR/sealed-$n.json"
}

# relay N [OPTION...]
relay() {
    local n=$1
    shift
    lab_relay "$n" --config "$LAB_DIR/sealed-$n.json" "$@"
}

two_sealed_relays() {
    configure 1 "$LAB_DIR/key" 172.30.0.2
    configure 2 "$LAB_DIR/key" 172.30.0.1
    relay 1
    relay 2 --user nobody # Who cannot read the key, but for a reload has it read.
    lab_wait 5 peer_is 1 172.30.0.2 up
    lab_wait 5 peer_is 2 172.30.0.1 up
}

dropped_at_least() { [ "$(dropped "$1" "$2")" -ge "$3" ]; }

# Has relay N had a frame for nobody, and no other?
sent_to_nobody() { [ "$(lab_status "$1" .counters.punt_dropped.no_peer)" -eq 1 ]; }

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
    run -1 grep -q "what nobody may read" "$file"
    [ "$(peer 1 172.30.0.2 format)" = sealed ]
    [ "$(peer 1 172.30.0.2 key)" = "$(lab_status 1 '.keys[0]')" ]
    [ "$(lab_status 1 '.counters.mesh_dropped | length')" -eq 0 ]
}

@test "a relay with another key, one without, and a SnowSignal node are not heard, and hear nothing" {
    local file=$BATS_TEST_TMPDIR/frames.pcap
    configure 1 "$LAB_DIR/key" 172.30.0.2 172.30.0.3
    configure 2 "$LAB_DIR/other-key" 172.30.0.1
    relay 1
    relay 2
    lab_relay 3 --other-relays 172.30.0.1
    snowsignal_datagram > "$BATS_TEST_TMPDIR/datagram"
    lab_on h3 socat -b 10000 -u "OPEN:$BATS_TEST_TMPDIR/datagram" UDP4-SENDTO:172.30.0.1:7124
    lab_wait 10 dropped_at_least 1 seal 1
    lab_wait 10 dropped_at_least 1 unsealed 2
    lab_wait 5 peer_is 1 172.30.0.2 silent
    lab_wait 5 peer_is 1 172.30.0.3 silent
    lab_wait 5 peer_is 2 172.30.0.1 silent
    lab_wait 40 dropped_at_least 3 sealed 1 # Who does not answer is asked ever more rarely.
    [ "$(logged 1 'datagram from 172.30.0.[23] dropped: (its seal fits none|it is not sealed)')" -ge 1 ]
    [ "$(logged 3 'datagram from 172.30.0.1 dropped: it is sealed, and mesh.key_file is not set')" -ge 1 ]

    # A frame goes to nobody: there is nobody with the key.
    record h1:eth0:out "$file" 'udp port 7124 and udp[11] = 1'
    broadcast h1c1 "for nobody" 10.1.0.255
    lab_wait 5 sent_to_nobody 1
    stop_recording "$file"
    [ "$(count "$file")" -eq 0 ]
    [ "$(lab_status 1 .counters.emitted)" -eq 0 ]
    [ "$(lab_status 2 .counters.emitted)" -eq 0 ]
}

# keys_of N KEYS...: gives relay N these keys.
keys_of() {
    local n=$1
    shift
    cat "$@" > "$LAB_DIR/mesh-$n.key"
    appctl "$n" config/reload > /dev/null
}

# rotate RUN OLD NEW: changes the key of a mesh that carries 1,000 broadcasts a second each way, of
# RUN and the next one. Prints how many were lost, and how many came twice.
rotate() {
    local back=$(($1 + 1)) step n
    local -a steps=("$2 $3" "$3 $2" "$3")
    listen "$1" 5076 h2c1
    listen "$back" 5076 h1c1
    transmit "$1" h1c1 8000
    transmit "$back" h2c1 8000
    for step in "${steps[@]}"; do
        for n in 1 2; do
            sleep 1
            # shellcheck disable=SC2086 # words
            (cd "$LAB_DIR" && keys_of "$n" $step)
        done
    done
    transmitted
    listened
    echo "$((16000 - $(distinct "$1" h2c1) - $(distinct "$back" h1c1)))" \
        "$(($(duplicates "$1" h2c1) + $(duplicates "$back" h1c1)))"
}

@test "the key is changed on a mesh that carries 1,000 broadcasts a second each way: none is lost" {
    local attempt lost doubled dropped old=key new=other-key
    two_sealed_relays
    # A busy machine may lose some on the way that no relay has seen.
    for attempt in 1 2 3; do
        rotate $((RUN + 2 * attempt)) "$old" "$new" > "$BATS_TEST_TMPDIR/rotated"
        read -r lost doubled < "$BATS_TEST_TMPDIR/rotated"
        echo "# the key was changed: $lost of 16,000 lost, $doubled twice" >&3
        [ "$lost" -ne 0 ] || break
        read -r old new <<< "$new $old"
    done
    [ "$doubled" -eq 0 ]
    [ "$lost" -eq 0 ]
    for n in 1 2; do
        for dropped in seal replay unsealed sealed duplicate; do
            [ "$(dropped "$n" $dropped)" -eq 0 ]
        done
        [ "$(lab_status "$n" '.keys | length')" -eq 1 ]
    done
    [ "$(lab_status 1 '.keys[0]')" = "$(peer 1 172.30.0.2 key)" ]
    [ "$(logged 1 'the mesh is sealed with key [0-9a-f]+$')" -ge 2 ]
    [ "$(logged 1 'the mesh is sealed with key [0-9a-f]+, and key [0-9a-f]+ is taken')" -ge 2 ]
    [ "$(appctl 1 mesh/show | grep -c "seal: key $(lab_status 1 '.keys[0]') (1 peer)")" -eq 1 ]
}

@test "what was recorded is refused: by the same start of a relay, by its next, and by another one" {
    local file=$BATS_TEST_TMPDIR/recorded.pcap emitted=$BATS_TEST_TMPDIR/emitted.pcap
    configure 3 "$LAB_DIR/key" 172.30.0.1
    two_sealed_relays
    relay 3
    # As the relays of h2 and h3 get them: the frames, and hellos.
    record h1:eth0:out "$file" 'udp port 7124 and dst 172.30.0.2'
    local recorder=$LAB_PID
    broadcast h1c1 recorded 10.1.0.255
    broadcast h1c1 "and this" 10.1.0.255
    sleep 2
    LAB_PID=$recorder stop_recording "$file" 4

    record h2c1 "$emitted" udp port 5076
    local emissions=$LAB_PID before n
    n=$(count "$file")
    before=$(dropped 2 replay)
    lab_on h1 tcpreplay -q -i eth0 "$file" > /dev/null
    lab_wait 5 dropped_at_least 2 replay $((before + n))

    # The next start has not seen them, but knows that none of them is for it.
    lab_relay_stop 2
    lab_relay_stop 1
    relay 2
    lab_on h1 tcpreplay -q -i eth0 "$file" > /dev/null
    lab_wait 5 dropped_at_least 2 replay 2
    peer_is 2 172.30.0.1 silent || peer_is 2 172.30.0.1 probing

    # To another relay than they were for, from an address that is a peer's there.
    lab_on h1 tcprewrite --dstipmap=172.30.0.2/32:172.30.0.3/32 --fixcsum \
        --enet-dmac="$(lab_on h3 cat /sys/class/net/eth0/address)" \
        --infile="$file" --outfile="$file.other"
    lab_on h1 tcpreplay -q -i eth0 "$file.other" > /dev/null
    lab_wait 5 dropped_at_least 3 replay 2
    LAB_PID=$emissions stop_recording "$emitted"
    [ "$(count "$emitted")" -eq 0 ]
    [ "$(lab_status 2 .counters.emitted)" -eq 0 ]
    [ "$(lab_status 3 .counters.emitted)" -eq 0 ]

    # The real one is heard as ever.
    relay 1
    lab_wait 5 peer_is 2 172.30.0.1 up
    [ "$(heard h2c1)" -eq 1 ]
}

@test "a killed relay that starts again is heard at once" {
    two_sealed_relays
    local pid
    pid=$(lab_relay_pid 1)
    kill -KILL "$pid"
    lab_wait 5 lab_gone "$pid"
    relay 1
    lab_wait 5 peer_is 1 172.30.0.2 up
    [ "$(heard h2c1)" -eq 1 ]
    [ "$(logged 2 'has started anew')" -eq 1 ]
}

@test "who has the key is heard from whatever address, and by a relay that has no peers" {
    configure 1 "$LAB_DIR/key" 172.30.0.2
    configure 2 "$LAB_DIR/key"
    relay 2
    relay 1
    lab_wait 5 peer_is 1 172.30.0.2 up
    [ "$(heard h2c1)" -eq 1 ]
    sleep 4 # Longer than three hellos.
    peer_is 1 172.30.0.2 up
    [ "$(logged 1 'is suspect')" -eq 0 ]
    [ "$(logged 2 'no peers: this relay only listens')" -eq 1 ]

    # It has nobody to send to.
    broadcast h2c1 back 10.2.0.255
    lab_wait 5 sent_to_nobody 2
}

# flood N SECONDS: host N sends forged datagrams to h2's relay as fast as it can.
flood() {
    lab_on "h$1" timeout "$2" python3 - 172.30.0.2 << 'PYTHON' || [ $? -eq 124 ]
import os, socket, struct, sys
mesh = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
mesh.connect((sys.argv[1], 7124))
n = 0
while True:
    # A hello, the only thing of a stranger that is checked, with a key id that may be the right one.
    head = b"SE" + bytes([1, 2]) + struct.pack("!H", n & 0xffff) + os.urandom(16)
    try:
        mesh.send(head + struct.pack("!QQ", n, 0) + os.urandom(90))
    except OSError:
        pass
    n += 1
PYTHON
}

memory() { awk '/VmRSS/ { print $2 }' "/proc/$(lab_relay_pid "$1")/status"; }

@test "a flood of forged datagrams: no line a datagram, no memory, no answers, and frames cross" {
    local file=$BATS_TEST_TMPDIR/answers.pcap before lines
    two_sealed_relays
    [ "$(heard h2c1)" -eq 1 ]
    before=$(memory 2)
    lines=$(wc -l < "$LAB_DIR/h2/snowrelayd.log")
    record h3 "$file" udp src port 7124
    local recorder=$LAB_PID
    flood 3 4 &
    local flooding=$!
    sleep 1
    [ "$(heard h2c1)" -ge 1 ] # Some may be lost in the queue of the socket.
    wait "$flooding"
    LAB_PID=$recorder stop_recording "$file"
    [ "$(count "$file")" -eq 0 ]
    echo "# $(dropped 2 seal) forged datagrams refused, $(($(memory 2) - before)) kB more memory" >&3
    [ "$(dropped 2 seal)" -gt 1000 ]
    [ $(($(wc -l < "$LAB_DIR/h2/snowrelayd.log") - lines)) -lt 20 ]
    [ $(($(memory 2) - before)) -lt 1024 ]
    lab_wait 5 peer_is 2 172.30.0.1 up
    [ "$(heard h2c1)" -eq 1 ]
}

@test "key files: made for their owner, never overwritten, and refused when others can read them" {
    local key=$BATS_TEST_TMPDIR/new.key
    (umask 0; "$SNOWRELAYD" --generate-key "$key")
    [ "$(stat -c %a "$key")" = 600 ]
    run -2 "$SNOWRELAYD" --generate-key "$key"
    [ "$output" = "snowrelayd: $key: cannot make the key file: it is there already, and may be in use" ]
    run -2 "$SNOWRELAYD" --generate-key "$BATS_TEST_TMPDIR/no/key"
    [ "$output" = "snowrelayd: $BATS_TEST_TMPDIR/no/key: cannot make the key file: No such file or directory" ]

    echo "{\"mesh\": {\"key_file\": \"new.key\"}}" > "$BATS_TEST_TMPDIR/new.json"
    run -0 "$SNOWRELAYD" --config "$BATS_TEST_TMPDIR/new.json" --check-config
    [ "$(jq -r .mesh.key_file <<< "$output")" = "$key" ]
    run -1 grep -qF "$(cat "$key")" <<< "$output"

    # It may be the user's who it is for, and nobody else's.
    chown nobody "$key"
    run -0 "$SNOWRELAYD" --config "$BATS_TEST_TMPDIR/new.json" --user nobody --check-config
    run -2 "$SNOWRELAYD" --config "$BATS_TEST_TMPDIR/new.json" --user daemon --check-config
    [[ "$output" == "snowrelayd: $key: the key file belongs to user $(id -u nobody), neither to root nor to user $(id -u daemon)"* ]]
    chown root "$key"

    chmod 640 "$key"
    run -2 "$SNOWRELAYD" --config "$BATS_TEST_TMPDIR/new.json" --check-config
    [[ "$output" == "snowrelayd: $key: others can use the key file, its mode is 0640: run chmod 600 on it"* ]]
    [ "${#lines[@]}" -eq 1 ]
}

@test "a reload with a key file that cannot be used changes nothing" {
    two_sealed_relays
    chmod 644 "$LAB_DIR/mesh-2.key"
    run -2 appctl 2 config/reload
    [[ "$output" == *"mesh-2.key: others can use the key file"* ]]
    rm "$LAB_DIR/mesh-2.key"
    run -2 appctl 2 config/reload
    [[ "$output" == *"mesh-2.key: cannot open the key file: No such file or directory"* ]]
    [ "$(heard h2c1)" -eq 1 ]
    [ "$(peer 1 172.30.0.2 format)" = sealed ]
}
