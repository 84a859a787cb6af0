#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The log: one line an event, none a frame, whatever others send, and all of them lines that the
# operating guide has.

bats_require_minimum_version 1.5.0

# shellcheck source=tests/system/common.bash
. "$BATS_TEST_DIRNAME/common.bash"

setup_file() {
    local n
    lab_init
    for n in 1 2; do
        lab_host "$n"
        lab_client "$n" 1
    done
}

setup() {
    echo '{"mesh": {"peers": ["172.30.0.2"]}}' > "$LAB_DIR/h1.json"
    lab_relay 1 --config "$LAB_DIR/h1.json"
    lab_relay 2 --other-relays 172.30.0.1
    lab_wait 5 peer_is 1 172.30.0.2 up
    lab_wait 5 peer_is 2 172.30.0.1 up
    LOG=$LAB_DIR/h1/snowrelayd.log
}

teardown() {
    local n pid
    for n in 1 2; do
        pid=$(lab_relay_pid "$n" 2> /dev/null) || continue
        lab_gone "$pid" || lab_kill "$pid"
    done
}

catalogue() { "$BATS_TEST_DIRNAME/catalogue.py" "$@"; }

lines() { wc -l < "$LOG"; }

# since N TEXT: prints how many lines with TEXT, a regular expression, there are after the first N.
since() { tail -n +$(($1 + 1)) "$LOG" | grep -cE "$2" || true; }

# few N MOST: whether there are no more than MOST lines after the first N. On a machine that is busy
# with something else a peer may miss a hello, which is a line, and none of the storm.
few() {
    local n=$(($(lines) - $1))
    echo "# $n lines" >&3
    [ "$n" -le "$2" ] || { tail -n +$(($1 + 1)) "$LOG" | cut -c 1-200; return 1; }
}

reload() { appctl 1 config/reload; }

@test "a storm of broadcasts, both ways, makes no line a frame" {
    local n
    n=$(lines)
    lab_in_background h2c1 "$BUILD/bench-probe" send 10.2.0.255 5076 --rate 3000 --count 9000 \
        > /dev/null
    # More than relay.max_pps.
    lab_on h1c1 "$BUILD/bench-probe" send 10.1.0.255 5076 --rate 20000 --count 60000 > /dev/null
    wait "$LAB_PID"
    carried() { [ "$(lab_status 1 .counters.relayed)" -ge 10000 ] && [ "$(lab_status 1 .counters.emitted)" -ge 5000 ]; }
    lab_wait 5 carried
    few "$n" 15
}

@test "a storm of copies makes no line a frame" {
    local n
    n=$(lines)
    snowsignal_datagram > "$BATS_TEST_TMPDIR/datagram"
    lab_on h2 python3 -c '
import socket, sys, time
datagram = open(sys.argv[1], "rb").read()
mesh = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(5000):
    mesh.sendto(datagram, ("172.30.0.1", 7124))
    if i % 50 == 49:
        time.sleep(0.002)
' "$BATS_TEST_TMPDIR/datagram"
    dropped_all() { [ "$(dropped 1 loop)" -ge 4500 ]; }
    lab_wait 5 dropped_all
    few "$n" 15
}

@test "a storm of junk to the mesh port makes some lines, whoever sends it" {
    local n
    n=$(lines)
    # From a stranger, then from a peer.
    lab_on h2c1 "$BUILD/bench-probe" send 172.30.0.1 7124 --rate 10000 --count 20000 > /dev/null
    lab_on h2 "$BUILD/bench-probe" send 172.30.0.1 7124 --rate 10000 --count 20000 > /dev/null
    refused() { [ "$(dropped 1 unknown_sender)" -ge 10000 ] && [ "$(dropped 1 format)" -ge 10000 ]; }
    lab_wait 5 refused
    [ "$(since "$n" 'WARN.datagram from 10.2.0.10 dropped: no peer has this address')" -ge 1 ]
    few "$n" 20
}

@test "a storm of announcements of relays that are not there makes some lines, and says what it left out" {
    local n
    n=$(lines)
    seq 100 220 | lab_on h1c1 xargs -I @ -P 4 "$BATS_TEST_DIRNAME/announce.py" id=@ session=@ state=1 \
        mac=02:00:00:00:0b:01
    alone() { [ "$(lab_status 1 '.segment.relays | length')" -le 1 ]; }
    lab_wait 5 alone
    [ "$(since "$n" 'relay [0-9a-f]* is on the segment')" -ge 5 ]
    [ "$(since "$n" 'relay [0-9a-f]* is not on the segment any more: it fell silent')" -ge 5 ]
    few "$n" 60
    # What becomes of this relay is told all the same. What was left out is summed up before the
    # next line of the kind, ten seconds later at six a minute.
    again() {
        lab_on h1c1 "$BATS_TEST_DIRNAME/announce.py" id=$((1000 + RANDOM)) session=7 state=1 \
            mac=02:00:00:00:0b:01
        [ "$(since "$n" 'candidates.INFO.Dropped [0-9]* log messages')" -ge 1 ]
    }
    lab_wait 30 again
}

@test "what happens in a session is in the operating guide, line by line" {
    local pid
    kill -KILL "$(lab_relay_pid 2)"
    lab_wait 10 peer_is 1 172.30.0.2 down
    lab_relay 2 --other-relays 172.30.0.1
    lab_wait 5 peer_is 1 172.30.0.2 up
    lab_relay_stop 2

    lab_switch_kill 1
    gone() { [ "$(lab_status 1 .connected)" = false ]; }
    lab_wait 5 gone
    lab_switch_start 1
    lab_wait 10 lab_relay_ready 1
    lab_ofctl 1 del-flows br0 "cookie=$LAB_COOKIE"
    lab_wait 5 lab_relay_ready 1

    # The name server answers nothing; the database is gone when a tunnel port is wanted.
    jq -n '{mesh: {discover: ["tasks.nowhere"], peers: ["172.30.0.9"]}}' > "$LAB_DIR/h1.json"
    reload
    no_name() { [ "$(logged 1 'tasks.nowhere: no address found')" -ge 1 ]; }
    lab_wait 20 no_name
    appctl 1 mesh/add-peer 172.30.0.7
    appctl 1 mesh/del-peer 172.30.0.7
    pid=$(< "$LAB_DIR/h1/ovsdb-server.pid")
    kill -KILL "$pid"
    lab_wait 5 lab_gone "$pid"
    jq -n '{mesh: {transport: "vxlan", peers: ["172.30.0.2"]}}' > "$LAB_DIR/h1.json"
    reload
    no_database() { [ "$(logged 1 'the database does not answer')" -ge 1 ]; }
    lab_wait 20 no_database
    lab_daemon 1 ovsdb-server --remote=punix:db.sock conf.db
    with_tunnel() { [ "$(logged 1 'tunnel port srm-00534e4d is OpenFlow port')" -ge 1 ]; }
    lab_wait 20 with_tunnel
    lab_relay_stop 1

    local log unknown
    for log in "$LAB_DIR"/h[12]/snowrelayd.log; do
        unknown=$(catalogue unknown "$log")
        [ -z "$unknown" ] || { echo "$unknown" | cut -c 1-200; return 1; }
    done
    [ "$(lines)" -ge 40 ]
    # What is told at the end is the last.
    tail -n 1 "$LOG" | grep -q 'snowrelayd|INFO|exiting$'
}

@test "a reload that fails is one line, whatever the file has in it" {
    local n
    n=$(lines)
    printf '{"a\\nb\\u001b[2J\\r": 1}' > "$LAB_DIR/h1.json"
    run ! reload
    [ "$(lines)" -eq $((n + 1)) ]
    tail -n 1 "$LOG" | grep -qF 'snowrelayd|ERR|configuration not reloaded: '
    tail -n 1 "$LOG" | grep -qF 'a\nb\x1b[2J\r'
    # What the running relay refuses, as well.
    jq -n '{bridge: "br1"}' > "$LAB_DIR/h1.json"
    run ! reload
    [ "$(lines)" -eq $((n + 2)) ]
    tail -n 1 "$LOG" | grep -qF 'configuration not reloaded: bridge: "br0" cannot become "br1"'
}

@test "vlog/set changes what is logged" {
    local n
    appctl 1 vlog/set snowrelayd:file:err
    n=$(lines)
    reload
    [ "$(since "$n" 'configuration reloaded')" -eq 0 ]
    appctl 1 vlog/set snowrelayd:file:info
    reload
    [ "$(since "$n" 'configuration reloaded')" -eq 1 ]
    # What libopenvswitch counts is there for who wants it.
    appctl 1 vlog/list | grep -qE '^poll_loop +[A-Z]+ +WARN +WARN$'
    appctl 1 vlog/set poll_loop:file:dbg
    told() { [ "$(since "$n" 'poll_loop.DBG.wakeup')" -ge 1 ]; }
    lab_wait 5 told
}

@test "--log-level debug is for all modules of ours, and no other" {
    lab_relay_stop 1
    lab_relay 1 --config "$LAB_DIR/h1.json" --log-level debug
    local module
    appctl 1 vlog/list > "$BATS_TEST_TMPDIR/levels"
    while read -r module; do
        grep -qE "^$module +[A-Z]+ +[A-Z]+ +DBG" "$BATS_TEST_TMPDIR/levels" || {
            echo "$module is not at debug"
            return 1
        }
    done < <(sed -n 's/^VLOG_DEFINE_THIS_MODULE(\(.*\));/\1/p' "$LAB_ROOT"/controller/*.c)
    grep -qE '^rconn +[A-Z]+ +[A-Z]+ +INFO' "$BATS_TEST_TMPDIR/levels"
}

@test "a rotated log goes on under its name, without a line lost" {
    appctl 1 vlog/set snowrelayd:file:info
    reload
    local last
    last=$(tail -n 1 "$LOG" | cut -d '|' -f 2)
    mv "$LOG" "$LOG.1"
    appctl 1 vlog/reopen
    reload
    grep -q 'configuration reloaded' "$LOG"
    # Numbers of lines go on.
    [ "$((10#$(tail -n 1 "$LOG" | cut -d '|' -f 2)))" -gt "$((10#$last))" ]
    rm "$LOG.1"
}
