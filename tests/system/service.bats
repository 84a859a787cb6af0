#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The systemd unit: what it says is checked by systemd's own tools, and what it forbids is forbidden to
# snowrelayd by service-sandbox.py, in the lab and with all that relays there. systemd.bats has it
# under systemd.

bats_require_minimum_version 1.5.0
load common

UNIT=$BATS_TEST_DIRNAME/../../debian/snowrelay.snowrelayd.service

setup_file() {
    lab_init
    lab_host 1
    lab_host 2
    lab_client 1 1
    lab_client 2 1
    # The lab starts what has this name.
    mkdir "$LAB_DIR/bin"
    cp "$SNOWRELAYD" "$LAB_DIR/bin/snowrelayd.real"
    cat > "$LAB_DIR/bin/snowrelayd" << END
#!/bin/sh
exec "$BATS_TEST_DIRNAME/service-sandbox.py" "$UNIT" "$LAB_DIR" "$LAB_DIR/bin/snowrelayd.real" "\$@"
END
    chmod 755 "$LAB_DIR/bin/snowrelayd"
}

setup() { [[ "$BUILD" != */sanitize || "$BATS_TEST_DESCRIPTION" == *systemd* ]] || skip "sanitizers need more"; }

teardown() {
    replicate_end 1
    replicate_end 2
}

# sandboxed N OPTION...: starts the relay of host N with what the unit forbids forbidden to it.
sandboxed() { SNOWRELAYD=$LAB_DIR/bin/snowrelayd lab_relay "$1" --user nobody "${@:2}"; }

# in_sandbox COMMAND...: runs that on host 1, with the same forbidden.
in_sandbox() { lab_on h1 "$BATS_TEST_DIRNAME/service-sandbox.py" "$UNIT" "$LAB_DIR" "$@"; }

# setting NAME: prints what the unit has for it.
setting() { sed -n "s/^$1=//p" "$UNIT"; }

@test "systemd finds nothing wrong with it" {
    # With this build in place of the installed one.
    sed "s,/usr/sbin/snowrelayd,$SNOWRELAYD," "$UNIT" > "$BATS_TEST_TMPDIR/snowrelayd.service"
    run -0 systemd-analyze verify --man=no "$BATS_TEST_TMPDIR/snowrelayd.service"
    [ -z "$output" ]
}

@test "its exposure, as systemd counts it, is 2.5 of 10 at most" {
    cp "$UNIT" "$BATS_TEST_TMPDIR/snowrelayd.service"
    run -0 systemd-analyze security --offline=true --threshold=25 "$BATS_TEST_TMPDIR/snowrelayd.service"
    [[ "$output" == *"Overall exposure level"* ]]
}

@test "what stands in for systemd forbids what the unit says" {
    run -1 in_sandbox /usr/bin/touch /etc/snowrelay-was-here
    [[ "$output" == *"Read-only file system"* ]]
    run -0 in_sandbox /usr/bin/touch "$LAB_DIR/was-here"
    run -0 in_sandbox /usr/bin/ls -A /home /root /tmp
    [ "$output" = "$(printf '/home:\n\n/root:\n\n/tmp:\n%s' "${LAB_DIR#/tmp/}")" ]
    run -0 in_sandbox /usr/bin/ls /dev
    [ "$(xargs <<< "$output")" = "full null random tty urandom zero" ]
    run -1 in_sandbox /usr/bin/tee /proc/sys/net/ipv4/ip_forward <<< 1
    run -0 in_sandbox /usr/bin/sed -n 's/^CapBnd:\t//p' /proc/self/status
    [ "$output" = 00000000000015c2 ]
    # A packet socket: EAFNOSUPPORT; a call that is not in the filter: ENOSYS.
    run -97 in_sandbox /usr/bin/python3 -c '
import socket, sys
try:
    socket.socket(17, socket.SOCK_RAW)
except OSError as e:
    sys.exit(e.errno)'
    run -38 in_sandbox /usr/bin/python3 -c '
import os, sys
try:
    os.chroot("/")
except OSError as e:
    sys.exit(e.errno)'
    [ ! -e /etc/snowrelay-was-here ]
}

@test "forbidden what the unit forbids it relays, and is again there with its switch" {
    sandboxed 1 --other-relays 172.30.0.2
    sandboxed 2 --other-relays 172.30.0.1
    [ "$(heard h2c1)" = 1 ]
    [ "$(sed -n 's/^NoNewPrivs:\t//p' "/proc/$(lab_relay_pid 1)/status")" = 1 ]
    # Its own filter is there, too.
    [ "$(logged 1 'without capabilities, seccomp on')" -eq 1 ]
    lab_switch_kill 1
    lab_switch_start 1
    lab_wait 10 lab_relay_ready 1
    crosses() { [ "$(heard h2c1)" = 1 ]; }
    lab_wait 10 crosses
    appctl 1 vlog/reopen
    lab_relay_stop 1
    [ "$(our_flows 1 | wc -l)" -eq 0 ]
    [ ! -e "$LAB_DIR/h1/snowrelayd.pid" ]
}

@test "its ExecReload, under the same, reloads; its error is shown, and is one" {
    local file=$LAB_DIR/service.json command
    read -ra command < <(setting ExecReload)
    echo '{"mesh": {"peers": ["172.30.0.2"]}}' > "$file"
    sandboxed 1 --config "$file"
    echo '{"relay": {"ports": [5076, 5064]}, "mesh": {"port": 7200, "peers": ["172.30.0.2"]}}' > "$file"
    run -0 in_sandbox "${command[@]}"
    [ "$(lab_status 1 .mesh)" = 0.0.0.0:7200 ]
    echo '{"mesh": {"port": 0}}' > "$file"
    run -2 in_sandbox "${command[@]}"
    [[ "$output" == *"mesh.port: 0 is not from 1 to 65535"* ]]
}

@test "forbidden what the unit forbids it replicates to a program and to a host" {
    SNOWRELAYD=$LAB_DIR/bin/snowrelayd replicate 1 \
        '{name: "syslog", port: 514, to: [{port: 1514}, {host: "10.1.0.10", port: 2514}]}' --user nobody
    collect h1 1514
    collect h1c1 2514
    send h1c1 10.1.0.1 514 beam
    come h1 1514 "10.1.0.10 beam"
    come h1c1 2514 "10.1.0.1 beam"
}

@test "forbidden what the unit forbids it captures, and serves its page" {
    echo '{"mesh": {"peers": ["172.30.0.2"]}, "http": "127.0.0.1:9714"}' > "$LAB_DIR/page.json"
    install -d -o nobody -m 750 "$LAB_DIR/captures"
    sandboxed 1 --config "$LAB_DIR/page.json"
    appctl 1 capture/start "$LAB_DIR/captures/one.pcapng" udp port 5076
    broadcast h1c1 beam
    punted() { [ "$(lab_status 1 .counters.punted)" -eq 1 ]; }
    lab_wait 5 punted
    appctl 1 capture/stop
    [ "$(stat -c '%U %a' "$LAB_DIR/captures/one.pcapng")" = "nobody 640" ]
    tcpdump -Anr "$LAB_DIR/captures/one.pcapng" | grep -q beam
    lab_on h1 curl -sf http://127.0.0.1:9714/status.json | jq -e .connected
    run -2 appctl 1 capture/start "$LAB_DIR/elsewhere.pcapng"
}

@test "a wrong configuration ends it with the status that RestartPreventExitStatus names" {
    echo '{"brigde": "br0"}' > "$LAB_DIR/wrong.json"
    run "-$(setting RestartPreventExitStatus)" in_sandbox "$LAB_DIR/bin/snowrelayd.real" --config "$LAB_DIR/wrong.json"
    [[ "$output" == *'brigde: unknown key; the nearest known one is "bridge"'* ]]
}
