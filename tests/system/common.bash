# SPDX-License-Identifier: Apache-2.0
#
# What the system tests share, besides the lab.

# shellcheck source=scripts/lab.sh
. "$BATS_TEST_DIRNAME/../../scripts/lab.sh"

# A file has one lab, which setup_file makes.
teardown_file() { lab_destroy; }

export CAPTURES=$BATS_TEST_DIRNAME/../captures
export BUILD=${BUILD:-$LAB_ROOT/build}

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

# ---- the mesh

# peer N ADDRESS KEY: prints what relay N knows of the peer at ADDRESS, such as its state.
peer() { lab_status "$1" ".peers[] | select(.address == \"$2:7124\" or .name == \"$2\") | .$3"; }

peer_is() { [ "$(peer "$1" "$2" state)" = "$3" ]; }

# peers N: prints the addresses of relay N's peers, without the port, in one line.
peers() { lab_status "$1" '[.peers[].address | sub(":7124$"; "")] | join(" ")'; }

peers_are() { [ "$(peers "$1")" = "$2" ]; }

# The first search of the capture, as a whole frame. In front of it are the file's header and its
# own.
captured_frame() {
    local length
    length=$(od -An -tu4 -j32 -N4 "$CAPTURES/epics-client-segment.pcap")
    tail -c +41 "$CAPTURES/epics-client-segment.pcap" | head -c "$((length))"
}

# The same as SnowSignal would send it.
snowsignal_datagram() {
    printf SS
    captured_frame
}

# heard NODE: broadcasts from h1's client; prints how many copies reach NODE.
heard() {
    local file=$BATS_TEST_TMPDIR/heard.pcap
    record "$1" "$file" udp port 5076
    broadcast h1c1 "$RANDOM" 10.1.0.255
    stop_recording "$file" 1
    count "$file"
}

# counts N COUNTER NUMBER: whether the relay has counted that. What the switch carries it counts a
# little later.
counts() { [ "$(lab_status "$1" ".counters.$2")" -eq "$3" ]; }

# dropped N REASON: prints how many datagrams of the mesh relay N dropped for REASON.
dropped() { lab_status "$1" ".counters.mesh_dropped.$2 // 0"; }

# logged N TEXT: prints how many lines with TEXT, a regular expression, the log of relay N has since
# its last start.
logged() {
    awk -v text="$2" '/opened log file/ { n = 0 } $0 ~ text { n++ } END { print n + 0 }' \
        "$LAB_DIR/h$1/snowrelayd.log"
}

# serve_names LINE...: a real name server in the underlay, at 172.30.0.250. A line is one of
# /etc/hosts, or an option of dnsmasq's, which takes effect when the server starts.
serve_names() {
    local line
    local -a options=()
    : > "$LAB_DIR/names"
    for line; do
        case $line in
            --*) options+=("$line") ;;
            *) echo "$line" >> "$LAB_DIR/names" ;;
        esac
    done
    if [ -n "${NAME_SERVER:-}" ] && [ ${#options[@]} -eq 0 ]; then
        kill -HUP "$NAME_SERVER" # It reads its hosts again.
        return
    fi
    end_name_server
    lab_on u ip address replace 172.30.0.250/24 dev underlay
    lab_in_background u dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv \
        --no-hosts --user=root --pid-file= --listen-address=172.30.0.250 --bind-interfaces \
        --addn-hosts="$LAB_DIR/names" --expand-hosts --domain=example.org --local=/example.org/ \
        "${options[@]}" > "$LAB_DIR/dnsmasq.log" 2>&1
    NAME_SERVER=$LAB_PID
    lab_wait 5 lab_on u sh -c 'ss -lun | grep -q 172.30.0.250:53'
}

end_name_server() {
    [ -z "${NAME_SERVER:-}" ] || lab_kill "$NAME_SERVER"
    NAME_SERVER=
}

# ask_name_server N...: programs started later on these hosts ask that server.
ask_name_server() {
    local n
    for n; do
        rm -rf "/etc/netns/$LAB-h$n"
        lab_resolv "h$n" 172.30.0.250
        echo "search example.org" >> "/etc/netns/$LAB-h$n/resolv.conf"
    done
}

# probe_receive NODE FILE: begins to count what bench-probe sends; probe_received ends that and
# prints how many different datagrams came, and how many more than once.
probe_receive() {
    lab_in_background "$1" "$BUILD/bench-probe" recv 5076 --seconds 120 > "$2"
    PROBE=$LAB_PID
    lab_wait 5 lab_on "$1" grep -q "$(printf ':%04X ' 5076)" /proc/net/udp
}

probe_received() {
    sleep 0.5
    kill "$PROBE"
    wait "$PROBE"
    jq -r '"\(.distinct) \(.duplicates)"' "$1"
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
        awk -F '[=,]' '$2 >= 5459456 && $2 < 5459713' | sort
}
