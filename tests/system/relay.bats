#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What becomes of frames: two hosts with a switch and a relay each, two clients on the first
# segment and one on the second.

bats_require_minimum_version 1.5.0
load common

ports="5076 5064 5065 137"

setup_file() {
    lab_init
    lab_host 1
    lab_host 2
    lab_client 1 1
    lab_client 1 2 --offload
    lab_client 2 1
    lab_relay 1 -b "${ports// /,}" --other-relays 172.30.0.2
    lab_relay 2 -b "${ports// /,}" --other-relays 172.30.0.1
}

# replay CAPTURE FROM TO LOCAL-MAC DESTINATION: sends the broadcasts of CAPTURE from client FROM and
# checks what arrives at client TO.
replay() {
    local arrived=$BATS_TEST_TMPDIR/arrived.pcap
    record "$3" "$arrived" udp
    lab_on "$2" tcpreplay --quiet --intf1=eth0 --pps=200 "$CAPTURES/$1" > /dev/null
    stop_recording "$arrived" "$(count "$CAPTURES/$1" ether broadcast and udp)"
    # shellcheck disable=SC2086  # several ports
    "$BUILD/same-frames" "$CAPTURES/$1" "$arrived" "$4" "$5" $ports
}

@test "EPICS searches cross whole, the 1,375-byte one too" {
    run -0 replay epics-client-segment.pcap h1c1 h2c1 02:00:00:00:02:01 10.2.0.255
    [ "$output" = "16 frames the same" ]
}

@test "EPICS beacons cross the other way" {
    run -0 replay epics-server-segment.pcap h2c1 h1c1 02:00:00:00:01:01 10.1.0.255
    [ "$output" = "22 frames the same" ]
}

# bats test_tags=datagrams
@test "half-done checksums of offloading senders arrive complete" {
    run -0 replay epics-offloaded-checksum.pcap h1c1 h2c1 02:00:00:00:02:01 10.2.0.255
    [ "$output" = "7 frames the same" ]
}

@test "a program on a client with checksum offload is heard" {
    lab_in_background h2c1 timeout 10 socat -u UDP4-RECV:5076 "CREATE:$BATS_TEST_TMPDIR/heard"
    lab_wait 5 lab_on h2c1 sh -c 'ss -lun | grep -q :5076'
    # Of what the switch carries the relay sees no more than some, and has to notice.
    offloading_is_heard() {
        broadcast h1c2 "from behind an offloading card"
        sleep 0.3
        grep -q "offloading card" "$BATS_TEST_TMPDIR/heard"
    }
    lab_wait 5 offloading_is_heard
}

@test "one broadcast arrives once on each segment, and does not come back" {
    local other=$BATS_TEST_TMPDIR/other.pcap same=$BATS_TEST_TMPDIR/same.pcap
    local back=$BATS_TEST_TMPDIR/back.pcap
    record h1c2 "$same" udp
    local same_pid=$LAB_PID
    record h1c1 "$back" udp
    local back_pid=$LAB_PID
    record h2c1 "$other" udp
    broadcast h1c1 once 10.1.0.255
    stop_recording "$other" 1
    lab_kill "$same_pid" "$back_pid"
    [ "$(count "$other")" -eq 1 ]
    [ "$(count "$same")" -eq 1 ]
    [ "$(count "$back")" -eq 0 ]
    # On its own segment it is what was sent; on the other only source MAC and destination differ.
    [ "$(count "$same" ether src 02:00:00:01:01:0a and dst 10.1.0.255)" -eq 1 ]
    [ "$(count "$other" ether src 02:00:00:00:02:01 and src 10.1.0.10 and dst 10.2.0.255)" -eq 1 ]
}

@test "a broadcast to 255.255.255.255 keeps its destination" {
    local other=$BATS_TEST_TMPDIR/other.pcap
    record h2c1 "$other" udp
    broadcast h1c1 limited 255.255.255.255
    stop_recording "$other" 1
    [ "$(count "$other")" -eq 1 ]
    [ "$(count "$other" dst 255.255.255.255 and ether src 02:00:00:00:02:01)" -eq 1 ]
}

@test "programs on a relay's own host are relayed too" {
    local other=$BATS_TEST_TMPDIR/other.pcap
    record h2c1 "$other" udp
    broadcast h1 "from the host itself" 10.1.0.255
    stop_recording "$other" 1
    [ "$(count "$other")" -eq 1 ]
    [ "$(count "$other" src 10.1.0.1 and ether src 02:00:00:00:02:01)" -eq 1 ]
}

@test "nmblookup finds nmbd on the other subnet, and does not without the relay" {
    local dir=$BATS_TEST_TMPDIR/samba
    mkdir -p "$dir"
    cat > "$dir/smb.conf" << END
[global]
netbios name = BEAMLINE7
workgroup = LAB
interfaces = 10.2.0.10/24
bind interfaces only = no
private dir = $dir
lock directory = $dir
state directory = $dir
cache directory = $dir
pid directory = $dir
END
    # shellcheck disable=SC2217  # it reads until the end of its input, then exits
    lab_in_background h2c1 nmbd -F --no-process-group --debug-stdout -s "$dir/smb.conf" \
        -l "$dir" > "$dir/log" 2>&1 < /dev/null
    local nmbd=$LAB_PID
    lab_wait 20 lab_on h2c1 nmblookup -s "$dir/smb.conf" -B 10.2.0.255 BEAMLINE7

    run -0 lab_on h1c1 nmblookup -s "$dir/smb.conf" -B 10.1.0.255 BEAMLINE7
    [[ "$output" == *"10.2.0.10 BEAMLINE7<00>"* ]]

    lab_relay_stop 1
    run lab_on h1c1 nmblookup -s "$dir/smb.conf" -B 10.1.0.255 BEAMLINE7
    lab_relay 1 -b "${ports// /,}" --other-relays 172.30.0.2
    lab_kill "$nmbd"
    [ "$status" -ne 0 ]
    [[ "$output" == *"failed to find name BEAMLINE7"* ]]
}

@test "a frame of 9,000 bytes crosses whole, in fragments on the mesh" {
    local other=$BATS_TEST_TMPDIR/other.pcap mesh=$BATS_TEST_TMPDIR/mesh.pcap
    record h2 "$mesh" udp
    local mesh_pid=$LAB_PID
    record h2c1 "$other" udp
    head -c 8972 /dev/zero | lab_on h1c1 socat -b 9000 - UDP-DATAGRAM:10.1.0.255:5076,broadcast
    stop_recording "$other" 1
    lab_kill "$mesh_pid"
    [ "$(count "$other" 'udp[4:2] = 8980')" -eq 1 ]
    [ "$(count "$mesh" 'ip[6:2] & 0x3fff != 0')" -eq 7 ]
}

@test "other ports are not relayed" {
    local other=$BATS_TEST_TMPDIR/other.pcap
    record h2c1 "$other" udp
    broadcast h1c1 other 10.1.0.255 5077
    broadcast h1c1 relayed 10.1.0.255 5076
    stop_recording "$other" 1
    [ "$(count "$other")" -eq 1 ]
    [ "$(count "$other" dst port 5076)" -eq 1 ]
    # They are not even punted.
    [ "$(lab_status 1 '.counters.punt_dropped.port // 0')" -eq 0 ]
}

@test "a frame from the local MAC on the segment is forwarded, not relayed" {
    local other=$BATS_TEST_TMPDIR/other.pcap same=$BATS_TEST_TMPDIR/same.pcap
    local sent=$BATS_TEST_TMPDIR/sent.pcap
    tcprewrite --enet-smac=02:00:00:00:01:01 --infile="$CAPTURES/epics-client-segment.pcap" \
        --outfile="$sent" > /dev/null
    record h1c2 "$same" udp
    local same_pid=$LAB_PID
    record h2c1 "$other" udp
    lab_on h1c1 tcpreplay --quiet --intf1=eth0 --pps=200 "$sent" > /dev/null
    stop_recording "$other"
    lab_kill "$same_pid"
    [ "$(count "$other")" -eq 0 ]
    [ "$(count "$same")" -eq 16 ]
}

@test "a storm is cut before it reaches the relay, and its segment gets all of it" {
    local punted same=$BATS_TEST_TMPDIR/same.pcap
    echo '{"relay": {"max_pps": 100}}' > "$LAB_DIR/slow.json"
    lab_relay_stop 1
    lab_relay 1 --config "$LAB_DIR/slow.json" --other-relays 172.30.0.2
    record h1c2 "$same" udp
    lab_on h1c1 tcpreplay --quiet --intf1=eth0 --pps=1000 --loop=125 \
        "$CAPTURES/epics-client-segment.pcap" > /dev/null
    stop_recording "$same" 2000
    punted=$(lab_status 1 .counters.punted)
    lab_relay_stop 1
    lab_relay 1 -b "${ports// /,}" --other-relays 172.30.0.2

    # 2,000 frames in 2 s or more: a burst of 100 and 100 a second.
    echo "punted $punted, on the segment $(count "$same")"
    [ "$(count "$same")" -eq 2000 ]
    [ "$punted" -ge 100 ]
    [ "$punted" -lt 1000 ]
}

@test "what was punted and received adds up" {
    local n
    for n in 1 2; do
        lab_status "$n" '.counters | [.punted, .relayed + ([.punt_dropped[]] | add // 0),
            .mesh_rx, .emitted + .queued + ([.mesh_dropped[]] | add // 0)] | @tsv' > "$BATS_TEST_TMPDIR/sums"
        read -r punted accounted received explained < "$BATS_TEST_TMPDIR/sums"
        echo "h$n: punted $punted = $accounted, received $received = $explained"
        [ "$punted" -eq "$accounted" ]
        [ "$received" -eq "$explained" ]
    done
    [ "$received" -gt 0 ]
}
