#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The daemon as its operator meets it: options, environment, file, errors, reload, signals.

bats_require_minimum_version 1.5.0
load common

setup_file() {
    lab_init
    lab_host 1
    lab_host 2
    lab_client 1 1
    lab_client 2 1
}

teardown() { lab_relay_stop 1 2> /dev/null || true; }

check_config() { "$SNOWRELAYD" "$@" --check-config; }

# refused TEXT ARGUMENT...: snowrelayd says just this one line and ends with status 2.
refused() {
    local text=$1
    shift
    run -2 --separate-stderr "$SNOWRELAYD" "$@"
    [ -z "$output" ]
    # shellcheck disable=SC2154  # run sets it
    [ "$stderr" = "snowrelayd: $text" ] || { echo "$stderr"; return 1; }
}

@test "the options of SnowSignal" {
    run -0 check_config -t br7 -b 5064 -m 7000 --other-relays 192.0.2.1 relay-b -ll debug
    [ "$(jq -c '[.bridge, .relay.ports, .mesh.port, .mesh.peers]' <<< "$output")" \
        = '["br7",[5064],7000,["192.0.2.1","relay-b"]]' ]
    run -0 check_config --other-relays 192.0.2.1 relay-b --target-interface=br7 -l warning
    [ "$(jq -c '[.bridge, .mesh.peers]' <<< "$output")" = '["br7",["192.0.2.1","relay-b"]]' ]
}

@test "the environment of SnowSignal, and that the command line goes before it" {
    export TARGET_INTERFACE=br7 BDCAST_PORT=5064,5065 MESH_PORT=7000 LOGLEVEL=error
    run -0 check_config
    [ "$(jq -c '[.bridge, .relay.ports, .mesh.port]' <<< "$output")" = '["br7",[5064,5065],7000]' ]
    run -0 check_config -t br8 -b 1 -m 2
    [ "$(jq -c '[.bridge, .relay.ports, .mesh.port]' <<< "$output")" = '["br8",[1],2]' ]
}

@test "the file goes before the defaults, the environment before the file" {
    local file=$BATS_TEST_TMPDIR/relay.json
    echo '{"bridge": "br5", "relay": {"ports": [137]}, "mesh": {"port": 7001}}' > "$file"
    SNOWRELAY_CONFIG=$file MESH_PORT=7000 run -0 check_config -b 138
    [ "$(jq -c '[.bridge, .relay.ports, .mesh.port]' <<< "$output")" = '["br5",[138],7000]' ]
}

@test "what --check-config prints is a configuration that gives the same" {
    check_config -t br7 -b 5064 --other-relays 192.0.2.1 > "$BATS_TEST_TMPDIR/first.json"
    check_config --config "$BATS_TEST_TMPDIR/first.json" > "$BATS_TEST_TMPDIR/second.json"
    diff "$BATS_TEST_TMPDIR/first.json" "$BATS_TEST_TMPDIR/second.json"
}

@test "--check-config and --print-flows need neither a switch nor root" {
    cp "$SNOWRELAYD" "$BATS_TEST_TMPDIR/snowrelayd"
    chmod -R a+rX "$BATS_TEST_TMPDIR" "$(dirname "$BATS_TEST_TMPDIR")" "$BATS_RUN_TMPDIR"
    run -0 setpriv --reuid=65534 --clear-groups "$BATS_TEST_TMPDIR/snowrelayd" --check-config
    run -0 setpriv --reuid=65534 --clear-groups "$BATS_TEST_TMPDIR/snowrelayd" --print-flows
    [[ "$output" == *"no loop filter: this host has no interface br0"* ]]
}

@test "wrong values are one line, with status 2" {
    refused '--broadcast-port: "0" is not a port (1 to 65535)' -b 0
    refused '--broadcast-port: port 5076 is given twice' -b 5076,5076
    refused '--mesh-port: "x" is not a port (1 to 65535)' -m x
    refused '--broadcast-port, relay.ports: 7124 is also the mesh port (--mesh-port, mesh.port); they must differ' \
        -b 7124
    refused '--log-level: "loud" is none of debug, info, warning, error, critical' -l loud
    refused '--other-relays: "a b" is neither an address nor a host name, with or without :PORT' \
        --other-relays 'a b'
    refused '--switch: "carrier pigeon" is not an OVS connection method (unix:FILE, tcp:HOST[:PORT] or ssl:HOST[:PORT])' \
        --switch 'carrier pigeon'
    refused '/nowhere.json: cannot open the configuration file: No such file or directory' \
        --config /nowhere.json
    refused 'stray: not an option, and no option before it takes it' stray
    BDCAST_PORT=x refused 'BDCAST_PORT: "x" is not a port (1 to 65535)'
}

@test "an unknown option says so, with status 2" {
    refused '--bogus: unknown option (see --help)' --bogus
}

@test "an address that the mesh cannot have is told at the start" {
    echo '{"mesh": {"address": "192.0.2.1"}}' > "$LAB_DIR/address.json"
    run -1 lab_on h1 "$SNOWRELAYD" --config "$LAB_DIR/address.json" --detach
    [[ "$output" == *"cannot listen for the mesh on UDP 192.0.2.1:7124: Cannot assign requested address"* ]]
}

@test "it looks for the switch where Debian's Open vSwitch is" {
    local folder
    folder=$(env -u OVS_RUNDIR ovs-vswitchd --help | sed -n 's,.*unix:\(.*\)/db.sock.*,\1,p')
    [ -n "$folder" ]
    run -0 env -u OVS_RUNDIR -u OVS_LOGDIR "$SNOWRELAYD" --help
    [[ "$output" == *"unix:$folder/BRIDGE.mgmt"* ]]
    [[ "$output" == *"$folder/snowrelayd.pid"* ]]
    [[ "$output" == *"/var/log/openvswitch/snowrelayd.log"* ]]
}

@test "--help names every option, --version the version" {
    run -0 "$SNOWRELAYD" --help
    local option
    for option in target-interface broadcast-port mesh-port transport other-relays log-level config \
        check-config print-flows switch pidfile detach log-file unixctl; do
        [[ "$output" == *"--$option"* ]]
    done
    run -0 "$SNOWRELAYD" --version
    [[ "$output" == "snowrelayd "* ]]
}

# bats test_tags=datagrams
@test "config/reload takes over ports, peers and the mesh's port without a restart" {
    local file=$LAB_DIR/reload.json
    echo '{"mesh": {"peers": ["172.30.0.2"]}}' > "$file"
    lab_relay 1 --config "$file"
    local first
    first=$(our_flows 1 | grep tp_dst=5076)

    echo '{"relay": {"ports": [5076, 5064]}, "mesh": {"port": 7200, "peers": ["172.30.0.2", "172.30.0.3"]}}' \
        > "$file"
    run -0 appctl 1 config/reload
    [ "$output" = "configuration reloaded" ]
    both() { [ "$(our_flows 1 | grep -c tp_dst=5064)" -eq 3 ]; }
    lab_wait 5 both
    [ "$(our_flows 1 | grep tp_dst=5076)" = "$first" ]
    [ "$(lab_status 1 .mesh)" = 0.0.0.0:7200 ]
    [ "$(lab_status 1 '[.peers[].address] | join(" ")')" = "172.30.0.2:7200 172.30.0.3:7200" ]
    lab_on h1 ss -lun | grep -q ':7200 '

    echo '{"relay": {"ports": [5064]}, "mesh": {"peers": ["172.30.0.2"]}}' > "$file"
    kill -HUP "$(lab_relay_pid 1)"
    one() { [ "$(our_flows 1 | wc -l)" -eq 4 ] && [ "$(our_flows 1 | grep -c tp_dst=5064)" -eq 3 ]; }
    lab_wait 5 one
    fewer_meters() { [ "$(lab_ofctl 1 dump-meters br0 | grep -c meter=)" -eq 2 ]; }
    lab_wait 5 fewer_meters
}

@test "a wrong file changes nothing, and the reload says why" {
    local file=$LAB_DIR/wrong.json
    echo '{"mesh": {"peers": ["172.30.0.2"]}}' > "$file"
    lab_relay 1 --config "$file"
    local flows before
    flows=$(our_flows 1)
    before=$(lab_status 1 'del(.counters, .time)')

    echo '{"mesh": {"peers": ["172.30.0.3"]}, "relay": {"portz": [1]}}' > "$file"
    run -2 appctl 1 config/reload
    [[ "$output" == *'relay.portz: unknown key; the nearest known one is "ports"'* ]]
    kill -HUP "$(lab_relay_pid 1)"
    logged() { [ "$(grep -c 'configuration not reloaded' "$LAB_DIR/h1/snowrelayd.log")" -eq 2 ]; }
    lab_wait 5 logged

    echo '{"mesh": {"address": "192.0.2.1"}}' > "$file"
    run -2 appctl 1 config/reload
    [[ "$output" == *"Cannot assign requested address"* ]]
    echo '{"bridge": "br1"}' > "$file"
    run -2 appctl 1 config/reload
    [[ "$output" == *'bridge: "br0" cannot become "br1" while running; restart for that'* ]]

    [ "$(our_flows 1)" = "$flows" ]
    diff <(echo "$before") <(lab_status 1 'del(.counters, .time)')
}

@test "a file named by a relative path can be reloaded by a daemon" {
    echo '{"mesh": {"peers": ["172.30.0.2"]}}' > "$LAB_DIR/h1/relative.json"
    lab_relay 1 --config relative.json
    echo '{"mesh": {"peers": ["172.30.0.3"]}}' > "$LAB_DIR/h1/relative.json"
    run -0 appctl 1 config/reload
    [ "$(lab_status 1 '.peers[0].name')" = 172.30.0.3 ]
}

@test "a reload moves the mesh to another address on the same port, or leaves it" {
    local file=$LAB_DIR/move.json
    echo '{"mesh": {"peers": ["172.30.0.2"]}}' > "$file"
    lab_relay 1 --config "$file"
    echo '{"mesh": {"address": "172.30.0.1", "peers": ["172.30.0.2", "fd30::2"]}}' > "$file"
    run -0 appctl 1 config/reload
    [ "$(lab_on h1 ss -lun | grep -c '172.30.0.1:7124 ')" -eq 1 ]
    # An IPv6 peer cannot be sent to from there, and is shown as such.
    lab_wait 5 peer_is 1 172.30.0.2 silent
    peer_is 1 fd30::2 unreachable

    echo '{"mesh": {"address": "192.0.2.1", "peers": ["172.30.0.2"]}}' > "$file"
    run -2 appctl 1 config/reload
    [ "$(lab_on h1 ss -lun | grep -c '172.30.0.1:7124 ')" -eq 1 ]
}

@test "a forward that cannot follow a punt is refused, at the start and by a reload" {
    local file=$LAB_DIR/forward.json
    echo '{"relay": {"ports": [], "forward": "drop"}}' > "$file"
    run -2 "$SNOWRELAYD" --config "$file" --check-config
    [[ "$output" == *'relay.forward: "drop" cannot follow a punt or an emission'* ]]
    echo '{}' > "$file"
    lab_relay 1 --config "$file" --other-relays 172.30.0.2
    echo '{"relay": {"ports": [], "forward": "drop"}}' > "$file"
    run -2 appctl 1 config/reload
    lab_relay_ready 1
}

@test "a reload does not lose a frame to a peer that stays" {
    local file=$LAB_DIR/stay.json arrived=$BATS_TEST_TMPDIR/arrived.pcap i
    echo '{"relay": {"ports": [5076, 5064, 5065]}, "mesh": {"peers": ["172.30.0.2"]}}' > "$file"
    lab_relay 1 --config "$file"
    lab_relay 2 -b 5076,5064,5065 --other-relays 172.30.0.1
    record h2c1 "$arrived" udp
    local recorder=$LAB_PID
    lab_in_background h1c1 tcpreplay --quiet --intf1=eth0 --pps=1000 --loop=200 \
        "$CAPTURES/epics-client-segment.pcap" > /dev/null
    local replay=$LAB_PID
    for i in 11 12 13 14 15 16 17 18 19; do
        echo "{\"relay\": {\"ports\": [5076, 5064, 5065, $i]}, \"mesh\": {\"peers\": [\"172.30.0.2\", \"172.30.0.$i\"]}}" > "$file"
        appctl 1 config/reload
        sleep 0.2
    done
    wait "$replay" || true
    LAB_PID=$recorder
    stop_recording "$arrived" 3200
    lab_relay_stop 2
    echo "arrived: $(count "$arrived") of 3200"
    [ "$(count "$arrived")" -eq 3200 ]
}

@test "SIGTERM, SIGINT and exit leave nothing on the switch" {
    local leave pid
    for leave in "kill -TERM" "kill -INT" "exit"; do
        lab_relay 1 --other-relays 172.30.0.2
        pid=$(lab_relay_pid 1)
        if [ "$leave" = exit ]; then
            appctl 1 exit --cleanup
        else
            $leave "$pid"
        fi
        lab_wait 5 lab_gone "$pid"
        [ -z "$(our_flows 1)" ]
        run ! grep meter= <(lab_ofctl 1 dump-meters br0)
        [ ! -e "$LAB_DIR/h1/snowrelayd.pid" ]
    done
}

@test "without a switch it waits for one, and leaves at once" {
    lab_daemon 1 "$SNOWRELAYD" -t br9 --other-relays 172.30.0.2
    [ "$(lab_status 1 .connected)" = false ]
    run -0 appctl 1 status
    [[ "$output" == *"br9.mgmt, not connected"* ]]
    run -0 appctl 1 flows/show
    [[ "$output" == "nothing is wanted yet"* ]]
    lab_relay_stop 1
}

@test "a second relay for the same host is refused, naming the first" {
    lab_relay 1 --other-relays 172.30.0.2
    run -1 lab_on h1 "$SNOWRELAYD" --other-relays 172.30.0.2 --detach
    [[ "$output" == *"bridge br0 is served already, by the snowrelayd with pid $(lab_relay_pid 1)" ]]
}

@test "no broadcast ports: nothing is relayed, nothing is installed" {
    echo '{"relay": {"ports": []}}' > "$LAB_DIR/none.json"
    lab_relay 1 --config "$LAB_DIR/none.json" --other-relays 172.30.0.2
    [ -z "$(our_flows 1)" ]
    [ "$(lab_status 1 '.ports | length')" -eq 0 ]
}

@test "status json has what programs rely on" {
    lab_relay 1 --other-relays 172.30.0.2
    [ "$(lab_status 1 '[has("bridge", "connected", "local_mac", "ports", "peers", "counters")] | all')" = true ]
    [ "$(lab_status 1 '.counters | [has("punted", "mesh_tx", "mesh_rx", "emitted", "dropped")] | all')" = true ]
    [ "$(lab_status 1 '.peers[0] | [has("address", "state", "rx", "tx", "lost", "rtt_us")] | all')" = true ]
    run -2 appctl 1 status xml
    [[ "$output" == *'status: "xml" is not json'* ]]
}

@test "--log-level debug tells a frame's way in one line, info tells nothing of it" {
    lab_relay 1 --log-level debug --other-relays 172.30.0.2
    broadcast h1c1 debugged 10.1.0.255
    told() {
        grep -qE 'frames\|DBG\|10.1.0.10:[0-9]+ > 10.1.0.255:5076, frame of 50 bytes: punted, sent to 1 peer$' \
            "$LAB_DIR/h1/snowrelayd.log"
    }
    lab_wait 5 told
    lab_relay_stop 1
    : > "$LAB_DIR/h1/snowrelayd.log"
    lab_relay 1 --other-relays 172.30.0.2
    broadcast h1c1 unheard 10.1.0.255
    punted() { [ "$(lab_status 1 .counters.punted)" -eq 1 ]; }
    lab_wait 5 punted
    run ! grep -q 'frames|' "$LAB_DIR/h1/snowrelayd.log"
}
