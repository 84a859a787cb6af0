#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What a service manager is told, message by message, and by one that does not listen. service-manager.py
# stands in for systemd, which systemd.bats has; the relay is nobody's, as it is the user snowrelay's
# under systemd.

bats_require_minimum_version 1.5.0
load common

setup_file() {
    lab_init
    lab_host 1
}

setup() { MESSAGES=$BATS_TEST_TMPDIR/messages; }

teardown() {
    lab_relay_stop 1 2> /dev/null || true
    [ -z "${MANAGER:-}" ] || lab_kill "$MANAGER"
}

# manager SOCKET [MODE]: begins to listen on SOCKET, which is in the namespace if it is abstract.
manager() {
    lab_in_background h1 "$BATS_TEST_DIRNAME/service-manager.py" "$1" "${2:-777}" "$MESSAGES"
    MANAGER=$LAB_PID
    export NOTIFY_SOCKET=$1
    lab_wait 5 test -e "$MESSAGES"
}

served() { lab_relay 1 --user nobody --other-relays 172.30.0.2; }

# told TEXT [N]: a line that is TEXT, an extended regular expression, has come from the relay, N times.
told() { [ "$(grep -cEx "$(lab_relay_pid 1) $1" "$MESSAGES")" -ge "${2:-1}" ]; }

soon_told() { lab_wait 5 told "$@" || { cat "$MESSAGES"; return 1; }; }

@test "it says that it is ready, from the process that systemd started, and what it does" {
    manager "$LAB_DIR/notify"
    served
    soon_told READY=1
    # The line follows: the peer that is not there was asked, the segment listened to.
    soon_told 'STATUS=bridge br0 connected, flows in place; relaying 5076; 1 peers, 1 of them sent to; forwarder: self, since .*'
    run ! grep -qv "^$(lab_relay_pid 1) " "$MESSAGES"
}

@test "when it is ready, control commands are answered" {
    lab_in_background h1 python3 -c '
import os, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
while b"READY=1" not in s.recv(4096).split(b"\n"):
    pass
print(subprocess.run(["ovs-appctl", "-T", "5", "-t", "snowrelayd", "version"],
                     capture_output=True, text=True).stdout)' "$LAB_DIR/early" > "$BATS_TEST_TMPDIR/version"
    local asking=$LAB_PID
    lab_wait 5 test -S "$LAB_DIR/early"
    NOTIFY_SOCKET=$LAB_DIR/early served
    wait "$asking"
    grep -q '^snowrelayd ' "$BATS_TEST_TMPDIR/version"
}

@test "an abstract socket serves as well" {
    manager "@$LAB/notify"
    served
    soon_told READY=1
}

@test "the line follows the switch" {
    manager "$LAB_DIR/notify-switch"
    served
    soon_told 'STATUS=bridge br0 connected, .*'
    lab_switch_kill 1
    soon_told 'STATUS=bridge br0 not connected.*'
    lab_switch_start 1
    lab_wait 10 lab_relay_ready 1
    soon_told 'STATUS=bridge br0 connected, flows in place.*'
}

@test "a reload is told, and that it is over, whether the file was right or wrong" {
    local file=$LAB_DIR/readiness.json
    echo '{"mesh": {"peers": ["172.30.0.2"]}}' > "$file"
    manager "$LAB_DIR/notify-reload"
    lab_relay 1 --user nobody --config "$file"
    soon_told READY=1
    echo '{"relay": {"ports": [5076, 5064]}, "mesh": {"peers": ["172.30.0.2"]}}' > "$file"
    appctl 1 config/reload
    soon_told RELOADING=1
    soon_told 'MONOTONIC_USEC=[0-9]+'
    soon_told READY=1 2
    soon_told 'STATUS=.*; relaying 5076, 5064; .*'

    echo '{"relay": ' > "$file"
    run -2 appctl 1 config/reload
    soon_told RELOADING=1 2
    soon_told READY=1 3

    kill -HUP "$(lab_relay_pid 1)"
    soon_told RELOADING=1 3
    soon_told READY=1 4
    [ "$(grep -oE 'RELOADING=1|READY=1' "$MESSAGES" | xargs)" = \
        "READY=1 RELOADING=1 READY=1 RELOADING=1 READY=1 RELOADING=1 READY=1" ]
}

@test "that it stops is told before it has stopped" {
    manager "$LAB_DIR/notify-stop"
    served
    soon_told READY=1
    local pid
    pid=$(lab_relay_pid 1)
    kill -TERM "$pid"
    lab_wait 5 lab_gone "$pid"
    grep -qx "$pid STOPPING=1" "$MESSAGES"
}

@test "a socket that only root can write to serves as well" {
    manager "$LAB_DIR/notify-root" 600
    served
    lab_wait 5 grep -q 'READY=1' "$MESSAGES"
    appctl 1 config/reload
    lab_wait 5 grep -q 'RELOADING=1' "$MESSAGES"
    [ "$(logged 1 'service manager')" -eq 0 ]
}

@test "a socket that is not there costs a line in the log, and nothing else" {
    export NOTIFY_SOCKET=$LAB_DIR/notify-none
    served
    [ "$(logged 1 'cannot tell the service manager at .*/notify-none how this is: No such file or directory')" -eq 1 ]
    appctl 1 config/reload
    [ "$(logged 1 'cannot tell the service manager')" -eq 1 ]
}

@test "a service manager that does not read holds up nothing, and gets it all in the end" {
    manager "$LAB_DIR/notify-halted" 666
    kill -STOP "$MANAGER"
    served
    for _ in {1..30}; do appctl 1 config/reload > /dev/null; done
    [ "$(lab_status 1 .connected)" = true ]
    kill -CONT "$MANAGER"
    lab_wait 5 is_ready
    appctl 1 config/reload
    lab_wait 5 is_ready
    kill -STOP "$MANAGER"
    for _ in {1..30}; do appctl 1 config/reload > /dev/null; done
    # It ends, too.
    lab_relay_stop 1
    kill -CONT "$MANAGER"
}

# is_ready: whether that is what was said at last, of that and of a reload that begins.
is_ready() { grep -oE 'READY=1|RELOADING=1' "$MESSAGES" | tail -n 1 | grep -q READY; }

@test "without a service manager nothing is told, and nothing said of it" {
    unset NOTIFY_SOCKET
    served
    appctl 1 config/reload
    lab_relay_stop 1
    [ "$(logged 1 'service manager')" -eq 0 ]
}
