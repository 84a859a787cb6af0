# SPDX-License-Identifier: Apache-2.0
#
# What the tests of several relays on one segment share: hosts 1, 2 and 3 are on the segment of
# host 1, host 4 is remote.

# shellcheck source=tests/system/common.bash
. "$BATS_TEST_DIRNAME/common.bash"

# shellcheck disable=SC2034 # for those who load this
{
    # The clients of the shared segment, behind each of its bridges, and those of the remote one: a
    # client is deaf for what claims to be from itself, and another one hears that.
    ON_SEGMENT=(h1c1 h1c2 h2c1 h3c1)
    REMOTE=(h4c1 h4c2)
    EVERYWHERE=("${ON_SEGMENT[@]}" "${REMOTE[@]}")

    # A datagram of the mesh with a frame in it, in either format.
    MESH_FRAME='(udp[8:4] = 0x53520101 or udp[8:2] = 0x5353)'
}

segment_lab() {
    local n
    lab_init
    for n in 1 2 3 4; do
        lab_host "$n"
    done
    lab_lan 1 2 3
    lab_client 1 1
    lab_client 1 2
    for n in 2 3 4; do
        lab_client "$n" 1
    done
    lab_client 4 2
}

# mac N: prints the local MAC of relay N.
mac() { echo "02:00:00:00:0$1:01"; }

# What `status` calls relay N.
relay_id() { echo "0000020000000${1}01"; }

# ---- relays

# configure "N..." [FILTER]: writes the files that start reads for these relays: all relays of the
# lab are peers, and FILTER, of jq, makes of it what the test wants.
configure() {
    local n
    for n in $1; do
        jq -n "{mesh: {peers: [\"172.30.0.1\", \"172.30.0.2\", \"172.30.0.3\", \"172.30.0.4\"]}} |
            ${2:-.}" > "$LAB_DIR/h$n.json"
    done
}

# start N...: starts these relays, together.
start() {
    local n
    local -a pids=()
    for n; do
        lab_relay "$n" --config "$LAB_DIR/h$n.json" 3>&- &
        pids+=($!)
    done
    for n in "${pids[@]}"; do
        wait "$n" || return
    done
}

# start_in_turn N...: the first one first, so that it forwards for its segment.
start_in_turn() { start "$1" && start "${@:2}"; }

reload() { appctl "$1" config/reload; }

relay_kill() {
    local pid
    pid=$(lab_relay_pid "$1") && kill -KILL "$pid" && lab_wait 5 lab_gone "$pid"
}

# end_relays N...: whatever state they are in, and takes what they leave on the switch.
end_relays() {
    local n pid
    [ -n "${BATS_TEST_COMPLETED:-}" ] || tell_of "$@"
    local -A ending=()
    for n; do
        is_running "$n" || continue
        pid=$(lab_relay_pid "$n")
        ending[$n]=$pid
        kill -CONT "$pid"
        kill -TERM "$pid"
    done
    for n in "${!ending[@]}"; do
        lab_wait 5 lab_gone "${ending[$n]}" || kill -KILL "${ending[$n]}"
    done
    for n; do
        lab_ofctl "$n" del-flows br0 "cookie=$LAB_COOKIE" || true
    done
}

# tell_of N...: for the one who wants to know why a test failed.
tell_of() {
    local n
    for n; do
        is_running "$n" || continue
        echo "--- relay $n"
        appctl "$n" segment/show || true
        tail -n 12 "$LAB_DIR/h$n/snowrelayd.log"
    done
}

state() { lab_status "$1" .segment.state; }

state_is() { [ "$(state "$1" 2> /dev/null)" = "$2" ]; }

# states N...: prints their states, in one line.
states() {
    local n line=
    for n; do
        line+="$(state "$n") "
    done
    echo "${line% }"
}

states_are() {
    local wanted=$1
    shift
    [ "$(states "$@")" = "$wanted" ]
}

# one_forwards N...: and the others stand by?
one_forwards() {
    local wanted
    wanted=${*:2}
    wanted=${wanted//[0-9]/standby}
    [ "$(states "$@" | tr ' ' '\n' | sort | tr '\n' ' ')" = "forwarding ${wanted:+$wanted }" ]
}

# settle N...: waits until one forwards, and until its peers know each other.
settle() {
    lab_wait 5 one_forwards "$@" || { echo "states: $(states "$@")"; return 1; }
    lab_wait 5 peers_known "$@"
}

peers_known() {
    local n address state
    for n; do
        while read -r address state; do
            case $state in
                up | segment | own | snowsignal) ;;
                *) ! is_running "${address##*.}" || return ;;
            esac
        done < <(lab_status "$n" '.peers[] | "\(.address | sub(":.*"; "")) \(.state)"')
    done
}

# Is the relay of host N there? What a killed one leaves in its pid file may be a stranger's by now.
is_running() {
    local identity
    identity=$(lab_identity "$(lab_relay_pid "$1" 2> /dev/null)") &&
        grep -qx "$identity" "$LAB_DIR/pids"
}

# flows N ROLE: prints the flows of that role on host N's bridge. In place of a punt there may be one
# by which the switch carries.
flows() {
    local -A roles=([punt]='[15]' [own-host]='[26]' [filter]=3 [announcements]=4)
    our_flows "$1" | grep "cookie=0x534e4f570001000${roles[$2]}," || true
}

flows_are() { [ "$(flows "$1" "$2" | wc -l)" -eq "$3" ]; }

# filters N MAC: does the loop filter of relay N have MAC?
filters() { flows "$1" filter | grep -q "dl_src=$2,"; }

filters_not() { ! filters "$@"; }

counter() { lab_status "$1" ".counters.$2 // 0"; }

counter_is() { [ "$(counter "$1" "$2")" -eq "$3" ]; }

milliseconds() { echo $((${EPOCHREALTIME//[!0-9]/} / 1000)); }

# ---- what is heard

# Numbers of runs of bench-probe, so that nobody counts what another run was late with.
RUN=$((BATS_TEST_NUMBER * 1000))

# listen RUN "PORT..." NODE...: begins to count the datagrams of RUN at each NODE.
listen() {
    local run=$1 ports=$2 node port
    local -a pids=()
    shift 2
    port=$(printf %04X "${ports%% *}")
    for node; do
        # shellcheck disable=SC2086 # several ports
        lab_in_background "$node" "$BUILD/bench-probe" recv $ports --tick-ms 5 --run "$run" \
            --seconds 120 > "$BATS_TEST_TMPDIR/$run-$node"
        pids+=("$LAB_PID")
        LISTENERS+=("$LAB_PID")
        SOCKETS[$node:$port]=$((${SOCKETS[$node:$port]:-0} + 1))
    done
    for node; do
        lab_wait 5 has_sockets "${pids[0]}" "$port" "${SOCKETS[$node:$port]}" || return
        pids=("${pids[@]:1}")
    done
}

# has_sockets PID PORT N: are N sockets, or more, bound to PORT where the process PID is?
has_sockets() {
    local at n=0
    while read -r _ at _; do
        [[ "$at" != *:"$2" ]] || n=$((n + 1))
    done < "/proc/$1/net/udp"
    ((n >= $3))
}

# transmit RUN NODE[/PORT] COUNT [RATE [ADDRESS]]: sends them, in the background, to the broadcast
# address of NODE's subnet unless told otherwise; transmitted waits for all.
transmit() {
    local node=${2%/*} port=5076 address
    [[ "$2" != */* ]] || port=${2#*/}
    address=${5:-10.$(lab_lan_of "${node:1:1}").0.255}
    lab_in_background "$node" "$BUILD/bench-probe" send "$address" "$port" \
        --count "$3" --rate "${4:-1000}" --run "$1" > "$BATS_TEST_TMPDIR/sent-$1-$node-$port"
    SENDERS+=("$LAB_PID")
}

transmitted() {
    local pid
    for pid in "${SENDERS[@]}"; do
        wait "$pid"
    done
    SENDERS=()
}

# listened: ends all counting, once what is on its way has come.
listened() {
    sleep 0.5
    [ ${#LISTENERS[@]} -eq 0 ] || lab_kill "${LISTENERS[@]}"
    LISTENERS=()
    SOCKETS=()
}

# copies RUN NODE: prints how many different datagrams came, and how many copies more, for each
# port in a line.
copies() { jq -r '"\(.distinct) \(.duplicates)"' "$BATS_TEST_TMPDIR/$1-$2"; }

distinct() { jq -s 'map(.distinct) | add' "$BATS_TEST_TMPDIR/$1-$2"; }

duplicates() { jq -s 'map(.duplicates) | add' "$BATS_TEST_TMPDIR/$1-$2"; }

# came_once RUN COUNT NODE...: did each of COUNT datagrams of each port come to each NODE once?
came_once() {
    local run=$1 count=$2 node wrong=0
    shift 2
    for node; do
        if [ "$(copies "$run" "$node" | sort -u)" != "$count 0" ]; then
            echo "run $run: $node should have $count and no more, has $(copies "$run" "$node")"
            wrong=1
        fi
    done
    return "$wrong"
}

# never_twice RUN NODE...: did nothing come more than once?
never_twice() {
    local run=$1 node
    shift
    for node; do
        [ "$(duplicates "$run" "$node")" -eq 0 ] || { echo "run $run: copies at $node"; return 1; }
    done
}

# once FROM TO...: does each of 100 broadcasts of FROM come to each TO once?
once() {
    local from=$1
    shift
    RUN=$((RUN + 1))
    listen "$RUN" 5076 "$@"
    transmit "$RUN" "$from" 100 500
    transmitted
    listened
    came_once "$RUN" 100 "$@"
}

# once_both_ways [NODE...]: between the shared segment, or those of its clients that are given, and
# the remote one. A client hears its own broadcast as well.
once_both_ways() {
    local -a nodes=("$@")
    local from
    [ $# -gt 0 ] || nodes=("${ON_SEGMENT[@]}")
    from=${nodes[-1]}
    nodes+=("${REMOTE[@]}")
    once "$from" "${nodes[@]}" && once h4c1 "${nodes[@]}"
}

LISTENERS=()
SENDERS=()
declare -gA SOCKETS=()

end_listening() {
    local -a pids=("${LISTENERS[@]}" "${SENDERS[@]}")
    [ ${#pids[@]} -eq 0 ] || lab_kill "${pids[@]}"
    LISTENERS=() SENDERS=() SOCKETS=()
}
