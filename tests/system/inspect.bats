#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Whose searches pass: what relays tell of the process variables that EPICS clients look for. Two
# hosts with a relay each, and a third one on the segment of the first.
#
# The searches are those of real clients, from captures and from libca; Debian has no client of
# PVAccess, so where captures will not do pva-stand-in.py stands in for one.

bats_require_minimum_version 1.5.0
load common

setup_file() {
    lab_init
    lab_host 1
    lab_host 2
    lab_host 3
    lab_lan 1 3
    lab_client 1 1
    lab_client 1 2
    lab_client 2 1
    lab_client 3 1
}

teardown() {
    local n
    end_searching
    for n in 1 2 3; do
        lab_relay_stop "$n" 2> /dev/null || true
    done
}

# ---- relays

# configure N FILTER: writes the file that start reads for relay N. All relays are peers, and FILTER,
# of jq, makes of it what the test wants.
configure() {
    jq -n "{relay: {ports: [5076, 5064, 5065]},
            mesh: {peers: [\"172.30.0.1\", \"172.30.0.2\", \"172.30.0.3\"]},
            inspect: [\"pva\", \"ca\"]} | ${2:-.}" > "$LAB_DIR/h$1.json"
}

start() { lab_relay "$1" --config "$LAB_DIR/h$1.json"; }

# start_both [FILTER]: starts relays 1 and 2.
start_both() {
    configure 1 "${1:-.}"
    configure 2 "${1:-.}"
    start 1
    start 2
    lab_wait 5 peer_is 1 172.30.0.2 up
    lab_wait 5 peer_is 2 172.30.0.1 up
    ! lab_tunnels || lab_wait 30 lab_tunnelled
}

# ---- what they tell

# searches N FILTER: prints what relay N tells of the searches.
searches() { lab_status "$1" ".searches | $2"; }

searches_are() { [ "$(searches "$1" "$2")" = "$3" ]; }

# name N PROTOCOL NAME KEY: prints what it tells of the NAME, nothing if it does not know it.
name() {
    lab_status "$1" ".searches.top[] | select(.protocol == \"$2\" and .name == \"$3\") | .$4"
}

name_is() { [ "$(name "$1" "$2" "$3" "$4")" = "$5" ]; }

# from N PROTOCOL NAME: prints who searched for it, a line each.
from() { name "$1" "$2" "$3" 'from[] | "\(.address) \(.count) \(.local)"'; }

# ---- clients

# pva NODE ARGUMENT...: the stand-in of a client, to all hosts of its segment.
pva() {
    local node=$1
    shift
    lab_on "$node" "$BATS_TEST_DIRNAME/pva-stand-in.py" "10.${node:1:1}.0.255" "$@"
}

# pva_in_background, ca_in_background NODE ARGUMENT...: the same, and a client of Channel Access that
# has all broadcast addresses in its list, until end_searching.
pva_in_background() {
    lab_in_background "$1" "$BATS_TEST_DIRNAME/pva-stand-in.py" 10.1.0.255 "${@:2}" 3>&-
    SEARCHING+=("$LAB_PID")
}

ca_in_background() {
    lab_in_background "$1" env EPICS_CA_AUTO_ADDR_LIST=NO \
        EPICS_CA_ADDR_LIST="10.1.0.255 255.255.255.255" \
        "$BATS_TEST_DIRNAME/ca-search.py" "${@:2}" > "$BATS_TEST_TMPDIR/ca.log" 2>&1 3>&-
    SEARCHING+=("$LAB_PID")
}

end_searching() {
    [ -z "${SEARCHING[*]:-}" ] || lab_kill "${SEARCHING[@]}"
    SEARCHING=()
}

# replay NODE CAPTURE
replay() { lab_on "$1" tcpreplay --quiet --intf1=eth0 --pps=50 "$CAPTURES/$2" > /dev/null; }

# ---- tests

@test "who searches for what: both relays tell, of the same searches the same" {
    local n here
    start_both
    replay h1c1 epics-client-segment.pcap
    replay h2c1 epics-server-segment.pcap # Beacons.
    lab_wait 5 searches_are 1 .datagrams 16
    lab_wait 5 searches_are 2 .datagrams 16
    for n in 1 2; do
        here=$([ "$n" = 1 ] && echo true || echo false)
        searches_are "$n" '.protocols | join(" ")' "pva ca"
        searches_are "$n" .names 83
        searches_are "$n" .malformed 0
        searches_are "$n" .skipped 0
        searches_are "$n" .requests.pva 164
        searches_are "$n" .requests.ca 12
        searches_are "$n" .repeated.pva 82
        searches_are "$n" .repeated.ca 10
        searches_are "$n" '.top | length' 50

        name_is "$n" ca ACC:SECTOR1:MAGNET count 6
        name_is "$n" ca ACC:SECTOR1:MAGNET repeated 5
        name_is "$n" ca ACC:SECTOR1:MAGNET unanswered false
        name_is "$n" ca ACC:SECTOR1:MAGNET others 0
        [ "$(from "$n" ca ACC:SECTOR1:MAGNET)" = "10.1.0.10 6 $here" ]

        # Two programs, each of which asked twice.
        name_is "$n" pva DEMO:TEMP count 4
        name_is "$n" pva DEMO:TEMP repeated 2
        [ "$(from "$n" pva DEMO:TEMP)" = "10.1.0.10 4 $here" ]
        name_is "$n" pva DEMO:TEMP 'rate > 0' true
        [ "$(date -d "$(name "$n" pva DEMO:TEMP last)" +%s)" -ge \
            "$(date -d "$(name "$n" pva DEMO:TEMP first)" +%s)" ]
        [ $(($(date +%s) - $(date -d "$(name "$n" pva DEMO:TEMP first)" +%s))) -lt 60 ]
    done

    # One on the other segment.
    pva h2c1 repeat 1 0 DEMO:TEMP
    lab_wait 5 name_is 1 pva DEMO:TEMP count 5
    lab_wait 5 name_is 2 pva DEMO:TEMP count 5
    [ "$(from 1 pva DEMO:TEMP)" = "10.1.0.10 4 true
10.2.0.10 1 false" ]
    [ "$(from 2 pva DEMO:TEMP)" = "10.1.0.10 4 false
10.2.0.10 1 true" ]

    run -0 appctl 2 searches/show
    [ "${lines[0]}" = \
        "pva, ca: datagrams 17, names 83, unanswered 0, forgotten 0, skipped 0, malformed 0" ]
    [ "${#lines[@]}" -eq 52 ]
    grep -q '^pva  *5  *2 .* 10\.1\.0\.10 (mesh) 4, 10\.2\.0\.10 1  *DEMO:TEMP$' <<< "$output"
    run -0 appctl 2 searches/show 100
    [ "${#lines[@]}" -eq 85 ]
    run -2 appctl 2 searches/show 0
    [ "${lines[0]}" = 'searches/show: "0" is not a number from 1 to 4096' ]
}

@test "names may have any bytes" {
    start_both
    pva h1c1 repeat 1 0 $'A "B" \\ \t\xff\e[31m'
    lab_wait 5 searches_are 2 .names 1
    # Python makes of the byte that is no UTF-8 what it was before.
    [ "$(searches 1 '.top[0].name')" = 'A "B" \\ \x09\xff\x1b[31m' ]
    run -0 appctl 1 searches/show
    [[ "${lines[2]}" == *'  A "B" \\ \x09\xff\x1b[31m' ]]
}

@test "off unless wanted; a reload turns it on and off" {
    start_both 'del(.inspect)'
    [ "$(lab_status 1 .searches)" = null ]
    run -0 appctl 1 searches/show
    [ "$output" = "searches are not inspected" ]

    configure 1 '.inspect = ["pva"]'
    appctl 1 config/reload
    [ "$(searches 1 '.protocols | join(" ")')" = pva ]
    # The switch may have to be told first that it is to copy all.
    searched() {
        pva h1c1 repeat 2 0.1 STAYS
        [ "$(name 1 pva STAYS count)" -ge 2 ]
    }
    lab_wait 5 searched
    local count
    count=$(name 1 pva STAYS count)
    [ "$(lab_status 2 .searches)" = null ]

    configure 1
    appctl 1 config/reload
    searches_are 1 '.protocols | join(" ")' "pva ca"
    name_is 1 pva STAYS count "$count"

    configure 1 '.inspect = ["ca"]'
    appctl 1 config/reload
    searches_are 1 .names 0

    configure 1 '.inspect = []'
    appctl 1 config/reload
    [ "$(lab_status 1 .searches)" = null ]
    broadcast h1c1 "still there" 10.1.0.255
    lab_wait 5 counts 2 emitted "$(lab_status 1 .counters.relayed)"
}

# bats test_tags=datagrams
@test "a relay that is its own peer counts each search once" {
    configure 1 '.mesh.peers = []'
    start 1
    pva h1c1 repeat 3 0.3 ONCE:EACH
    lab_wait 5 name_is 1 pva ONCE:EACH count 3
    # What comes back would have by now.
    lab_wait 5 counts 1 mesh_rx 3
    name_is 1 pva ONCE:EACH count 3
    [ "$(from 1 pva ONCE:EACH)" = "10.1.0.10 3 true" ]
}

@test "a standby tells of what its own host searches for, its segment's forwarder of all" {
    configure 1
    configure 2
    configure 3 '.segment.priority = 1'
    start 1
    start 3
    start 2
    lab_wait 10 peer_is 3 172.30.0.2 up
    standing_by() { [ "$(lab_status 3 .segment.state)" = standby ]; }
    lab_wait 10 standing_by
    ! lab_tunnels || lab_wait 30 lab_tunnelled
    pva h1c1 repeat 1 0 FROM:CLIENT
    lab_on h3 "$BATS_TEST_DIRNAME/pva-stand-in.py" 10.1.0.255 repeat 1 0 FROM:STANDBY
    pva h2c1 repeat 1 0 FROM:AFAR
    lab_wait 5 searches_are 1 .names 2
    lab_wait 5 searches_are 2 .names 3
    lab_wait 5 searches_are 3 .names 1
    searches_are 1 '[.top[].name] | sort | join(" ")' "FROM:AFAR FROM:CLIENT"
    searches_are 2 '[.top[].name] | sort | join(" ")' "FROM:AFAR FROM:CLIENT FROM:STANDBY"
    searches_are 3 '[.top[].name] | sort | join(" ")' FROM:STANDBY
}

# bats test_tags=datagrams
@test "who searches again and again is told, and no more when it has stopped" {
    start_both
    # Programs that are answered.
    pva h1c2 repeat 2 0.1 ANSWERED
    pva h1c2 repeat 2 0.1 ANSWERED
    pva_in_background h1c2 repeat 100 0.5 STEADY
    ca_in_background h1c1 600 OLD:NAME
    lab_wait 30 name_is 2 pva STEADY unanswered true
    lab_wait 40 name_is 2 ca OLD:NAME unanswered true
    name_is 1 ca OLD:NAME unanswered true
    name_is 1 pva STEADY unanswered true
    searches_are 1 .unanswered 2
    searches_are 1 '[.top[:2][].name] | sort | join(" ")' "OLD:NAME STEADY"
    name_is 1 pva ANSWERED unanswered false

    # It sends to two addresses at a time.
    local sent counted
    sent=$(lab_status 1 ".counters.relayed")
    counted=$(name 1 ca OLD:NAME count)
    [ "$(name 1 ca OLD:NAME repeated)" -eq $((counted - 1)) ]
    [ $((2 * counted + $(name 1 pva STEADY count) + 4)) -ge "$sent" ]
    [ "$counted" -le 12 ] # 17 s or 34 s, doubling from 0.03.

    end_searching
    lab_wait 30 name_is 1 pva STEADY unanswered false
}

# bats test_tags=datagrams
@test "a flood of names takes no memory, and no frame is lost for it" {
    local before after n_sent=3000
    start_both
    pva h1c1 repeat 4 0.3 STEADY
    lab_wait 5 name_is 1 pva STEADY count 4
    before=$(resident 1)
    pva h1c1 flood "$n_sent" 30
    lab_wait 20 counts 2 emitted $((n_sent + 4))
    counts 1 relayed $((n_sent + 4))
    [ "$(lab_status 1 '[.counters.dropped[]] | add // 0')" -eq 0 ]
    [ "$(lab_status 2 '[.counters.dropped[]] | add // 0')" -eq 0 ]
    [ "$(searches 1 .names)" -le 4096 ]
    [ "$(searches 1 .names)" -ge 4000 ]
    [ "$(searches 1 '.forgotten + .names')" -eq "$(searches 1 '.requests.pva - 3')" ]
    [ "$(searches 1 '.forgotten')" -ge 10000 ]
    name_is 1 pva STEADY count 4
    name_is 2 pva STEADY count 4
    after=$(resident 1)
    echo "# resident: $before kB, then $after kB" >&3
    [ $((after - before)) -lt 16384 ]
}

resident() { awk '/^VmRSS/ { print $2 }' "/proc/$(lab_relay_pid "$1")/status"; }
