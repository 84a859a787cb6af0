# SPDX-License-Identifier: Apache-2.0
#
# What the system tests share, besides the lab.

# shellcheck source=scripts/lab.sh
. "$BATS_TEST_DIRNAME/../../scripts/lab.sh"

# A file has one lab, which setup_file makes.
teardown_file() { lab_destroy; }

export CAPTURES=$BATS_TEST_DIRNAME/../captures

# record NODE[:CARD[:out]] FILE FILTER...: begins to write what arrives on NODE's CARD, eth0 unless
# given, or what leaves it, to FILE; returns once tcpdump listens. Its pid is in LAB_PID.
record() {
    local node card direction file=$2
    IFS=: read -r node card direction <<< "$1"
    shift 2
    lab_in_background "$node" tcpdump -i "${card:-eth0}" --immediate-mode -B 8192 -U -w "$file" \
        -Q "${direction:-in}" "$@" 2> "$file.log"
    lab_wait 5 grep -q 'listening on' "$file.log"
}

# stop_recording FILE [N]: ends the tcpdump that writes FILE, once that holds N frames, or 5 s have
# gone, and it has stopped growing.
stop_recording() {
    local file=$1 size=-1
    lab_wait 5 has_frames "$file" "${2:-0}" || true
    while [ "$(stat -c %s "$file")" != "$size" ]; do
        size=$(stat -c %s "$file")
        sleep 0.3
    done
    lab_kill "$LAB_PID"
}

has_frames() { [ "$(count "$1")" -ge "$2" ]; }

# count FILE [FILTER...]: prints the number of frames in FILE.
count() {
    local file=$1
    shift
    tcpdump -nr "$file" "$@" 2> /dev/null | wc -l
}

# frames FILE: prints the bytes of the frames in FILE, without the times.
frames() { tcpdump -tnr "$1" -xx 2> /dev/null | grep '0x'; }

# broadcast NODE TEXT [ADDRESS] [PORT]
broadcast() {
    printf '%s' "$2" | lab_on "$1" socat - "UDP-DATAGRAM:${3:-255.255.255.255}:${4:-5076},broadcast"
}

# appctl N COMMAND...: on host N.
appctl() {
    local n=$1
    shift
    lab_on "h$n" ovs-appctl -t snowrelayd "$@"
}

# Our flows on host N's bridge, without what counts and ages.
our_flows() {
    lab_ofctl "$1" --no-stats dump-flows br0 "cookie=$LAB_COOKIE" | grep cookie= | sort
}

# ---- replication

# replicate N RULES [OPTION...]: starts the relay of host N, which relays no broadcasts, with the
# replication rules RULES, objects with commas in between, in the syntax of jq, so that the names of
# members need no quotes. Returns once every collector is up.
replicate() {
    local n=$1
    write_rules "$n" "$2"
    shift 2
    lab_relay "$n" --config "$LAB_DIR/h$n.json" "$@"
    lab_wait 10 collectors_up "$n" || { appctl "$n" replicate/show; return 1; }
}

# write_rules N RULES: writes the file that replicate reads. It takes effect with reload.
write_rules() { jq -n "{relay: {ports: []}, replicate: [$2]}" > "$LAB_DIR/h$1.json"; }

collectors_up() {
    [ "$(lab_status "$1" '[.replicate[].collectors[].state] | unique | join(" ")')" = up ]
}

# collect NODE PORT: begins to receive on UDP port PORT of NODE, until end_collecting.
collect() {
    rm -f "$BATS_TEST_TMPDIR/$1-$2"
    lab_in_background "$1" "$BATS_TEST_DIRNAME/collect.py" "$2" "$BATS_TEST_TMPDIR/$1-$2"
    COLLECTING+=("$LAB_PID")
    lab_wait 5 test -e "$BATS_TEST_TMPDIR/$1-$2"
}

end_collecting() {
    [ -z "${COLLECTING[*]:-}" ] || lab_kill "${COLLECTING[@]}"
    COLLECTING=()
}

# collected NODE PORT: prints what has come there, a line a datagram: its source and its payload.
collected() { cat "$BATS_TEST_TMPDIR/$1-$2"; }

# payloads NODE PORT: prints the payloads alone.
payloads() { collected "$@" | cut -d ' ' -f 2-; }

# arrived NODE PORT N: have N datagrams come there, or more?
arrived() { [ "$(collected "$1" "$2" | wc -l)" -ge "$3" ]; }

# come NODE PORT LINE...: exactly these come there, in any order; waits for them and for what should
# not be there.
come() {
    local node=$1 port=$2
    shift 2
    lab_wait 5 arrived "$node" "$port" "$#" || true
    sleep 0.3
    diff <([ $# -eq 0 ] || printf '%s\n' "$@" | sort) <(collected "$node" "$port" | sort) ||
        { echo "at $node, port $port: < wanted, > come"; return 1; }
}

# send NODE[@SOURCE] ADDRESS PORT TEXT...: sends a datagram for each TEXT.
send() {
    local node=${1%@*} source=${1#*@} address=$2 port=$3 text to
    [ "$source" != "$node" ] || source=
    shift 3
    case $address in
        *:*) to="UDP6-SENDTO:[$address]:$port${source:+,bind=[$source]}" ;;
        *) to="UDP4-SENDTO:$address:$port${source:+,bind=$source}" ;;
    esac
    for text; do
        printf '%s' "$text" | lab_on "$node" socat -u -b 65536 - "$to" || return
    done
}

# replicate_end N: takes the relay of host N and all that is its own off the switch, by hand if need
# be, so that a test that failed half-way does not spoil the next.
replicate_end() {
    local n=$1 pid port
    end_collecting
    pid=$(lab_relay_pid "$n" 2> /dev/null) && ! lab_gone "$pid" &&
        timeout 5 ip netns exec "$LAB-h$n" env "OVS_RUNDIR=$LAB_DIR/h$n" \
            ovs-appctl -t snowrelayd exit --cleanup && lab_wait 5 lab_gone "$pid" && return
    [ -z "${pid:-}" ] || kill -KILL "$pid" 2> /dev/null || true
    lab_ofctl "$n" del-flows br0 "cookie=$LAB_COOKIE" || true
    lab_ofctl "$n" del-groups br0 || true
    for port in $(lab_on "h$n" ovs-vsctl --bare --columns=name find port external_ids:snowrelay=replicate); do
        lab_on "h$n" ovs-vsctl del-port br0 "$port" || true
    done
}

# Our groups on host N's bridge.
our_groups() {
    lab_ofctl "$1" dump-groups br0 | sed -n 's/^ *\(group_id=\)/\1/p' |
        awk -F '[=,]' '$2 >= 5459456 && $2 < 5459712' | sort
}
