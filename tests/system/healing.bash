# SPDX-License-Identifier: Apache-2.0
#
# What the tests of faults share: two hosts with a relay and a client each, broadcasts both ways
# and copies of datagrams while something breaks, and what has to hold after it.

# shellcheck source=tests/system/segment.bash
. "$BATS_TEST_DIRNAME/segment.bash"
# shellcheck source=scripts/faults.sh
. "$LAB_ROOT/scripts/faults.sh"

healing_lab() {
    local n
    lab_init
    for n in 1 2; do
        lab_host "$n"
        lab_client "$n" 1
        faults_prepare "$n"
    done
}

healing_setup() {
    local n
    for n in 1 2; do
        configure_healing "$n"
        # Somebody else's, which has to stay.
        lab_ofctl "$n" add-flow br0 cookie=7,table=7,priority=7,udp,actions=drop
        lab_ofctl "$n" --may-create mod-group br0 group_id=7,type=all,bucket=actions=drop
        lab_ofctl "$n" del-meter br0 meter=7
        lab_ofctl "$n" add-meter br0 meter=7,pktps,band=type=drop,rate=7
    done
    both_relays
}

healing_teardown() {
    local n
    end_listening
    for n in 1 2; do
        faults_mend "$n"
        lab_gone "$(< "$LAB_DIR/h$n/ovsdb-server.pid")" &&
            lab_daemon "$n" ovsdb-server --remote=punix:db.sock conf.db
        lab_gone "$(< "$LAB_DIR/h$n/ovs-vswitchd.pid")" && lab_switch_start "$n"
    done
    end_relays 1 2
    for n in 1 2; do
        replicate_end "$n"
    done
    return 0
}

# configure_healing N [FILTER]: writes the file of relay N; FILTER, of jq, changes it.
configure_healing() {
    jq -n "{relay: {ports: [5076, 5064]}, mesh: {peers: [\"172.30.0.1\", \"172.30.0.2\"]},
        replicate: [{name: \"flows\", port: 6343, to: [{port: 7343}]}]} |
        ${2:-.}" > "$LAB_DIR/h$1.json"
}

both_relays() {
    faults_relay 1 && faults_relay 2 && lab_wait 10 whole && remember
}

# ---- what has to hold; see faults.sh for the rest

others_are_there() {
    [ "$(lab_ofctl "$1" dump-flows br0 cookie=7/-1 | grep -c 'priority=7,udp')" -eq 1 ] &&
        [ "$(lab_ofctl "$1" dump-groups br0 7 | grep -c group_id=7,)" -eq 1 ] &&
        [ "$(lab_ofctl "$1" dump-meters br0 | grep -c meter=7)" -eq 1 ]
}

# descriptors_are N COUNT [MORE]: as many, or up to MORE more?
descriptors_are() {
    local n
    n=$(descriptors "$1")
    ((n >= $2 && n <= $2 + ${3:-0}))
}

log_lines() { wc -l < "$LAB_DIR/h$1/snowrelayd.log"; }

is_sanitized() { ldd "$SNOWRELAYD" | grep -q libasan; }

# ---- traffic: run 1 is from host 1 to host 2, run 2 back, run 3 what host 1 copies

begin_traffic() {
    RUN=$((RUN + 10))
    listen $((RUN + 1)) 5076 h2c1
    listen $((RUN + 2)) 5076 h1c1
    listen $((RUN + 3)) 7343 h1
    begin_to_send 1 h1c1 10.1.0.255 5076 1000
    begin_to_send 2 h2c1 10.2.0.255 5076 1000
    begin_to_send 3 h1c1 10.1.0.1 6343 200
}

begin_to_send() {
    local run=$((RUN + $1))
    lab_in_background "$2" "$BUILD/bench-probe" send "$3" "$4" --rate "$5" --seconds 600 \
        --run "$run" > "$BATS_TEST_TMPDIR/$run-sent"
    SENDERS+=("$LAB_PID")
}

end_traffic() {
    kill "${SENDERS[@]}"
    transmitted
    listened
}

sent() { jq .sent "$BATS_TEST_TMPDIR/$((RUN + $1))-sent"; }

# came RUN KEY: prints what the receiver of that run counts, such as duplicates.
came() {
    local -a nodes=("" h2c1 h1c1 h1)
    jq ".$2" "$BATS_TEST_TMPDIR/$((RUN + $1))-${nodes[$1]}"
}

gone() { echo $(($(sent "$1") - $(came "$1" distinct))); }

# ---- a fault

# heals WHAT LOST COPIES "FAULT..." N: the faults happen to host N under traffic, FAULT_SECONDS
# long; for each it is told and judged what was lost. LOST and COPIES are the most that may be of
# the broadcasts of each direction and of the copies, or "outage" for as many as were sent until all
# was well, and half a second. A machine that was busy with something else may lose some besides:
# then it is tried once more. Three more times, a second long, are about what adds up, of memory and
# of descriptors: MORE_DESCRIPTORS may be open after the first time.
heals() {
    local what=$1 lost=$2 copies=$3 host=$5 n
    local -a faults before=("" "$(descriptors 1)" "$(descriptors 2)") first
    read -ra faults <<< "$4"
    for n in "${!faults[@]}"; do
        once_healed || {
            echo "# more lost than it should cost, once more" >&3
            once_healed || return
        }
    done
    for n in 1 2; do
        lab_wait 5 descriptors_are "$n" "${before[n]}" "${MORE_DESCRIPTORS:-0}" ||
            stop_here "relay $n had ${before[n]} descriptors, has $(descriptors "$n")"
        before[n]=$(descriptors "$n")
    done
    warm_up
    first=("" "$(resident 1)" "$(resident 2)")

    begin_traffic
    for n in 1 2 3; do
        FAULT_SECONDS=1 "fault_${faults[n % ${#faults[@]}]}" "$host" || return
        lab_wait 20 healed || stop_here "$what, time $n"
    done
    end_traffic
    warm_up
    echo "#   memory after the first time and after three more: ${first[1]} and $(resident 1) kB," \
        "${first[2]} and $(resident 2) kB; ${before[*]} descriptors" >&3
    counters_add_up
    never_doubled
    for n in 1 2; do
        lab_wait 5 descriptors_are "$n" "${before[n]}" ||
            stop_here "relay $n had ${before[n]} descriptors, has $(descriptors "$n")"
        is_sanitized || [ "$(resident "$n")" -le $((first[n] + 512)) ]
    done
    whole_again
    at_rest
}

# Without traffic there is next to nothing to do.
at_rest() {
    local n
    local -a cpu=("" "$(cpu_ms 1)" "$(cpu_ms 2)")
    sleep 1
    for n in 1 2; do
        cpu[n]=$(($(cpu_ms "$n") - cpu[n]))
        [ "${cpu[n]}" -le 200 ] || stop_here "relay $n took ${cpu[n]} ms of CPU in a second of rest"
    done
}

# What frames wait in is touched, all of it, before memory is looked at: it would look like growth.
warm_up() {
    local n
    for n in 1 2; do
        lab_on "h${n}c1" "$BUILD/bench-probe" send "10.$n.0.255" 5076 --count 800 --rate 4000 \
            --size 1400 > /dev/null
    done
    sleep 0.2
}

never_doubled() { [ "$(came 1 duplicates)" -eq 0 ] && [ "$(came 2 duplicates)" -eq 0 ]; }

# What is sent once comes once, both ways, and the copies as well.
whole_again() { all_once || all_once; }

all_once() {
    RUN=$((RUN + 10))
    listen $((RUN + 1)) 5076 h2c1
    listen $((RUN + 2)) 5076 h1c1
    listen $((RUN + 3)) 7343 h1
    transmit $((RUN + 1)) h1c1 100 500
    transmit $((RUN + 2)) h2c1 100 500
    transmit $((RUN + 3)) h1c1/6343 100 500 10.1.0.1
    transmitted
    listened
    came_once $((RUN + 1)) 100 h2c1 && came_once $((RUN + 2)) 100 h1c1 &&
        came_once $((RUN + 3)) 100 h1
}

# once_healed: for heals, the fault n of `faults`; fails when more is lost than that.
once_healed() {
    local fault=${faults[n]} began took cpu lines most=$lost most_copies=$copies
    begin_traffic
    sleep 0.5
    cpu=$(cpu_ms "$host")
    lines=$(($(log_lines 1) + $(log_lines 2)))
    began=$(milliseconds)
    "fault_$fault" "$host" || return
    lab_wait 20 healed || stop_here "$fault"
    took=$(($(milliseconds) - began))
    cpu=$(($(cpu_ms "$host") - cpu))
    lines=$(($(log_lines 1) + $(log_lines 2) - lines))
    sleep 0.3
    end_traffic
    echo "# $what (${fault//_/ }): lost $(gone 1) of $(sent 1) from host 1, $(gone 2) of $(sent 2) from host 2," \
        "twice $(came 1 duplicates) and $(came 2 duplicates)," \
        "silent for $(came 1 silence_ms) and $(came 2 silence_ms) ms;" \
        "lost $(gone 3) of $(sent 3) copies; all well after $took ms;" \
        "$lines log lines, relay $host took $cpu ms of CPU" >&3
    [ "$lost" != outage ] || most=$((took + 500))
    [ "$copies" != outage ] || most_copies=$(((took + 500) / 5))
    counters_add_up || stop_here "counters"
    never_doubled || stop_here "copies"
    # A fifth of a CPU: a relay that has as much to do as before, and its switch to see to.
    is_sanitized || [ "$cpu" -le $((took / 5 + 300)) ] || stop_here "CPU time"
    [ "$lines" -le 40 ] || stop_here "the log"
    [ "$(gone 1)" -le "$most" ] && [ "$(gone 2)" -le "$most" ] && [ "$(gone 3)" -le "$most_copies" ]
}

# stop_here WHAT: what no other attempt mends.
stop_here() {
    tell_of_healing "$1"
    exit 1
}

tell_of_healing() {
    local n
    echo "--- $1"
    for n in 1 2; do
        lab_status "$n" "\"relay $n: connected \(.connected), \(.segment.state)\", (.counters | tojson),
            (.peers[] | \"\(.address) \(.state)\")" || true
        diff "$LAB_DIR/h$n/ours" <(ours "$n") || true
    done
}
