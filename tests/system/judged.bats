#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What comes from the mesh is judged before it is emitted, whoever sent it.

bats_require_minimum_version 1.5.0
load common

setup_file() {
    local n
    lab_init
    for n in 1 2 3; do
        lab_host "$n"
    done
    lab_client 2 1
}

teardown() { lab_relay_stop 2 2> /dev/null || true; }

# forge N KEY=VALUE...: host N sends frames made by hand, see forge.py.
forge() {
    local n=$1
    shift
    lab_on "h$n" "$BATS_TEST_DIRNAME/forge.py" "$@"
}

dropped_is() { [ "$(dropped 2 "$1")" -eq "$2" ]; }

emitted_is() { [ "$(lab_status 2 .counters.emitted)" -eq "$1" ]; }

# mesh_adds_up: is what relay 2 has received what it has emitted and dropped?
mesh_adds_up() {
    [ "$(lab_status 2 '.counters | .mesh_rx == .emitted + .queued + ([.mesh_dropped[]] | add // 0)')" = true ]
}

@test "only broadcast frames, without a VLAN tag, to a port that is relayed" {
    local file=$BATS_TEST_TMPDIR/emitted.pcap reason what
    lab_relay 2 --other-relays 172.30.0.1
    record h2c1 "$file" udp
    while read -r reason what; do
        forge 1 "$what"
        lab_wait 5 dropped_is "$reason" 1 || { echo "$what: $(lab_status 2 .counters.mesh_dropped)"; false; }
    done << 'CASES'
not_broadcast mac=02:00:00:02:01:0a
vlan vlan=1
port port=5077
CASES
    forge 1 mac=01:00:5e:00:00:01
    lab_wait 5 dropped_is not_broadcast 2
    forge 1 vlan=0
    lab_wait 5 dropped_is vlan 2
    forge 1 vlan=7,8
    lab_wait 5 dropped_is vlan 3
    forge 1
    lab_wait 5 emitted_is 1
    stop_recording "$file" 1
    [ "$(count "$file")" -eq 1 ]
    mesh_adds_up
}

@test "never with an IP source that is the bridge's own address, as that is now" {
    lab_relay 2 --other-relays 172.30.0.1
    forge 1 src=10.2.0.1
    lab_wait 5 dropped_is own_source 1
    lab_on h2 ip address add 10.9.0.1/24 dev br0
    taken_in() { forge 1 src=10.9.0.1; [ "$(dropped 2 own_source)" -ge 2 ]; }
    lab_wait 5 taken_in
    lab_on h2 ip address del 10.9.0.1/24 dev br0
    let_go() {
        local before
        before=$(lab_status 2 .counters.emitted)
        forge 1 src=10.9.0.1
        sleep 0.1
        emitted_is $((before + 1))
    }
    lab_wait 5 let_go
    # Addresses of the host's other interfaces are none of the segment's.
    local before
    before=$(lab_status 2 .counters.emitted)
    forge 1 src=172.30.0.2
    lab_wait 5 emitted_is $((before + 1))
    mesh_adds_up
}

@test "a peer that sends more than mesh.max_pps is cut, and no other" {
    echo '{"mesh": {"peers": ["172.30.0.1", "172.30.0.3"], "max_pps": 100}}' > "$LAB_DIR/max.json"
    lab_relay 2 --config "$LAB_DIR/max.json"
    forge 1 count=2000
    received() { [ "$(lab_status 2 .counters.mesh_rx)" -eq 2000 ]; }
    lab_wait 10 received
    local emitted
    emitted=$(lab_status 2 .counters.emitted)
    echo "# of 2,000 frames at once $emitted were emitted" >&3
    # Two seconds' worth at once, and what came while they were read.
    [ "$emitted" -ge 200 ]
    [ "$emitted" -lt 1000 ]
    dropped_is rate $((2000 - emitted))
    [ "$(peer 2 172.30.0.1 rx_limited)" -eq $((2000 - emitted)) ]
    forge 3 count=100
    lab_wait 5 emitted_is $((emitted + 100))
    [ "$(peer 2 172.30.0.3 rx_limited)" -eq 0 ]
    mesh_adds_up

    # It comes back with time.
    back() { forge 1; [ "$(lab_status 2 .counters.emitted)" -gt $((emitted + 100)) ]; }
    lab_wait 10 back
}

@test "the answer to a hello is not longer than the hello" {
    local file=$BATS_TEST_TMPDIR/hellos.pcap ports=5076 port
    for ((port = 6000; port < 6040; port++)); do
        ports+=,$port
    done
    lab_relay 2 -b "$ports" --other-relays 172.30.0.1
    record h1 "$file" 'udp src port 7124'
    local recorder=$LAB_PID
    # 30 bytes of header, 64 fixed, an empty list, a list of one port.
    lab_on h1 "$BATS_TEST_DIRNAME/say.py" hello wait=5 < /dev/null
    sleep 0.3
    LAB_PID=$recorder stop_recording "$file" 2
    # Those that this relay says of itself are longer: 40 ports are 80 bytes.
    [ "$(count "$file" 'greater 220')" -ge 1 ]
    # The first one that echoes what was asked, whose path is 7, is the answer.
    tcpdump -nr "$file" -c 1 -w "$file.answer" 'udp[58:4] = 7' 2> /dev/null
    [ "$(count "$file.answer")" -eq 1 ]
    [ "$(count "$file.answer" 'udp[4:2] > 112')" -eq 0 ]
}

@test "a peer that comes and goes without end does not fill the log" {
    local lines
    lab_relay 2 --other-relays 172.30.0.1
    lines=$(wc -l < "$LAB_DIR/h2/snowrelayd.log")
    lab_on h1 python3 - << 'PYTHON'
import socket, struct, time
mesh = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(3000):
    head = struct.pack("!2sBBBBQQQ", b"SR", 1, 2, 30, 0, 10, 1 + i // 10, 0)
    body = struct.pack("!BBBBIQIIQQIIQQ", 1, 1, 0, 64, 1000, 1000, 7, 0, 0, 0, 0, 0, 0, 0)
    mesh.sendto(head + body, ("172.30.0.2", 7124))
    mesh.sendto(struct.pack("!2sBBBBQQQ", b"SR", 1, 3, 30, 0, 10, 1 + i // 10, 0), ("172.30.0.2", 7124))
    if i % 50 == 49:
        time.sleep(0.01)
PYTHON
    sleep 0.5
    [ "$(logged 2 '172.30.0.1:7124 is up')" -ge 5 ]
    [ $(($(wc -l < "$LAB_DIR/h2/snowrelayd.log") - lines)) -lt 60 ]
}
